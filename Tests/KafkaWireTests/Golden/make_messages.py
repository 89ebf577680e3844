#!/usr/bin/env python3
"""Writes messages.txt and consumer_protocol.txt: Kafka's messages, encoded from Kafka's own definitions.

It shares nothing with GenerateKafkaWire: it reads the JSON files of Kafka's source tree
(clients/src/main/resources/common/message of the release named in the file) and encodes, for every API declared in
Sources/KafkaWire/Declarations and every version there, two messages:

  full   every field is set to a value that follows from its name (see value()), arrays have two elements
  null   every number is 0, everything that may be null is null, arrays are empty, no tagged field is present

consumer_protocol.txt holds what consumers put into group messages: the same, behind a version of two bytes.

GoldenMessageTests and ConsumerProtocolTests check that decoding finds each value under its name, and that encoding
gives the same bytes.
"""
import argparse
import json
import pathlib
import re
import struct


def versions(text, last=32767):
    if text is None or text == "none":
        return range(0)
    low, plus, high = re.fullmatch(r"(\d+)(?:(\+)|-(\d+))?", text).groups()
    return range(int(low), (last if plus else int(high or low)) + 1)


def uvarint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def fnv(name):
    hash = 0x811C9DC5
    for byte in name.encode():
        hash = (hash ^ byte) * 0x01000193 & 0xFFFFFFFF
    return hash


INTEGERS = {"int8": (">b", 0x7F), "int16": (">h", 0x7FFF), "int32": (">i", 0x7FFFFFFF)}


def value(kind, name):
    """What a field of this name holds in a full message."""
    hash = fnv(name)
    if kind in INTEGERS:
        return struct.pack(INTEGERS[kind][0], hash & INTEGERS[kind][1])
    wide = hash * 0x100000001
    return {
        "int64": lambda: struct.pack(">q", wide & 0x7FFFFFFFFFFFFFFF),
        "bool": lambda: b"\x01",
        "uuid": lambda: struct.pack(">QQ", wide, ~wide & 0xFFFFFFFFFFFFFFFF),
    }[kind]()


SIZES = {"int8": 1, "int16": 2, "int32": 4, "int64": 8, "bool": 1, "uuid": 16}


class Encoder:
    def __init__(self, definition, version, full):
        self.version, self.full = version, full
        self.flexible = version in versions(definition.get("flexibleVersions"))
        self.common = {s["name"]: s["fields"] for s in definition.get("commonStructs", [])}

    def length(self, count, classic):
        return uvarint(count + 1) if self.flexible else struct.pack(classic, count)

    def plain(self, kind, field, name):
        if kind in SIZES:
            return value(kind, name) if self.full else bytes(SIZES[kind])
        if kind in ("string", "bytes", "records"):
            text = name.encode() if self.full else b""
            return self.length(len(text), ">h" if kind == "string" else ">i") + text
        if kind.startswith("[]"):
            count = 2 if self.full else 0
            return self.length(count, ">i") + self.plain(kind[2:], field, name) * count
        return self.structure(field.get("fields") or self.common[kind])

    def field(self, field):
        kind, name = field["type"], field["name"][0].lower() + field["name"][1:]
        if self.version not in versions(field.get("nullableVersions")):
            return self.plain(kind, field, name)
        is_structure = kind not in SIZES and kind not in ("string", "bytes", "records") and not kind.startswith("[]")
        if self.full:
            return (b"\x01" if is_structure else b"") + self.plain(kind, field, name)
        return b"\xff" if is_structure else self.length(-1, ">h" if kind == "string" else ">i")

    def structure(self, fields):
        out, tagged = b"", {}
        for field in fields:
            if self.version in versions(field.get("taggedVersions")):
                if self.full:
                    tagged[field["tag"]] = self.field(field)
            elif self.version in versions(field["versions"]):
                out += self.field(field)
        if self.flexible:
            out += uvarint(len(tagged))
            for tag, content in sorted(tagged.items()):
                out += uvarint(tag) + uvarint(len(content)) + content
        return out


def read(directory, name):
    return json.loads(re.sub(r"^\s*//.*$", "", (directory / f"{name}.json").read_text(), flags=re.M))


def lines(definition, known, prefix=lambda version: b""):
    """A line for every version in `known` and either kind of message."""
    for version in known:
        for kind in ("full", "null"):
            encoded = prefix(version) + Encoder(definition, version, kind == "full").structure(definition["fields"])
            yield f"{definition['name']} {version} {kind} {encoded.hex() or '-'}\n"


def messages(directory, declarations):
    for declaration in sorted(declarations.glob("*.kafka")):
        head = declaration.read_text().split("\n")[0]
        key, name, low, high = re.match(r"api (\d+) (\w+), versions (\d+)-(\d+)", head).groups()
        for suffix in ("Request", "Response"):
            definition = read(directory, name + suffix)
            assert definition["apiKey"] == int(key)
            yield from lines(definition, range(int(low), int(high) + 1))


def consumer_protocol(directory):
    for name in ("ConsumerProtocolSubscription", "ConsumerProtocolAssignment"):
        definition = read(directory, name)
        known = versions(definition["validVersions"])
        yield from lines(definition, known, prefix=lambda version: struct.pack(">h", version))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("definitions", type=pathlib.Path, help="the directory of Kafka's message definitions")
    directory = parser.parse_args().definitions
    here = pathlib.Path(__file__).resolve().parent
    declarations = (here / "../../../Sources/KafkaWire/Declarations").resolve()
    for name, content in (("messages.txt", messages(directory, declarations)),
                          ("consumer_protocol.txt", consumer_protocol(directory))):
        text = "".join(content)
        (here / name).write_text(text)
        print(f"wrote {text.count(chr(10))} messages into {name}")


if __name__ == "__main__":
    main()
