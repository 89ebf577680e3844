"""Message declarations in text, and the one encoder and decoder that follow them.

A line declares one field: `name type versions [null VERSIONS] [tag NUMBER] [= DEFAULT]`. Versions are `3+` or
`0-12`. Types: bool, int8, int16, int32, int64, uuid, string, bytes, records, `[]T` (array of a type), `[]`
(array of the structs declared below it, indented) and `{}` (one such struct).
"""

import re
import struct

from .primitives import ProtocolViolation, Raw, Reader, int16, int32, unsigned_varint

_LINE = re.compile(
    r"(?P<indent> *)(?P<name>\w+) (?P<type>\S+) (?P<since>\d+)(?P<until>\+|-\d+|)"
    r"(?: null (?P<null>\d+)\+)?(?: tag (?P<tag>\d+))?(?: = (?P<default>\S+))?$"
)
_FIXED = {"bool": ">?", "int8": ">b", "int16": ">h", "int32": ">i", "int64": ">q"}
_ZERO = {"bool": False, "int8": 0, "int16": 0, "int32": 0, "int64": 0, "uuid": bytes(16), "string": "", "bytes": b""}
NEVER = 1 << 15


class Struct(dict):
    """A decoded struct: fields by key or as attributes."""

    __getattr__ = dict.__getitem__


class Field:
    """One declared field with the versions it exists in."""

    def __init__(self, match):
        self.name, self.type = match["name"], match["type"]
        self.since = int(match["since"])
        self.until = {"+": NEVER, "": self.since}.get(match["until"]) or int(match["until"].lstrip("-"))
        self.null_since = int(match["null"]) if match["null"] else NEVER
        self.tag = int(match["tag"]) if match["tag"] else None
        self.fields = []
        self.default = self._parse(match["default"])

    def _parse(self, text):
        if text is not None:
            return {"null": None, "true": True, "false": False}[text] if text[0] in "ntf" else int(text, 0)
        if self.type.startswith("["):
            return []
        return {} if self.type == "{}" else None if self.type == "records" else _ZERO[self.type]

    def exists_in(self, version):
        return self.since <= version <= self.until


def parse(text):
    """The fields that `text` declares, nested by its indentation."""
    root = []
    levels = [(-1, root)]
    for line in text.strip("\n").split("\n"):
        match = _LINE.match(line)
        if not match:
            raise ValueError(f"not a field: {line!r}")
        field, indent = Field(match), len(match["indent"])
        while levels[-1][0] >= indent:
            levels.pop()
        levels[-1][1].append(field)
        levels.append((indent, field.fields))
    return root


def encode(fields, value, version, flexible):
    """The bytes of the struct `value` (a dict; absent fields take their defaults)."""
    unknown = set(value) - {field.name for field in fields}
    if unknown:
        raise ValueError(f"no such fields: {sorted(unknown)}")
    out, tagged = bytearray(), {}
    for field in fields:
        if not field.exists_in(version):
            continue
        content = value.get(field.name, field.default)
        if field.tag is None:
            out += _encode_value(field, field.type, content, version, flexible)
        elif content != field.default:
            tagged[field.tag] = _encode_value(field, field.type, content, version, flexible)
    if flexible:
        out += unsigned_varint(len(tagged))
        for tag in sorted(tagged):
            out += unsigned_varint(tag) + unsigned_varint(len(tagged[tag])) + tagged[tag]
    return bytes(out)


def _encode_value(field, kind, value, version, flexible):
    if isinstance(value, Raw):
        return value
    if kind in _FIXED:
        return struct.pack(_FIXED[kind], value)
    if kind == "uuid":
        return value
    if kind == "{}":
        # A nullable struct is preceded by a sign byte, and is written only when it is there.
        prefix = b"" if field.null_since == NEVER else b"\xff" if value is None else b"\x01"
        return prefix if value is None else prefix + encode(field.fields, value, version, flexible)
    if kind in ("string", "bytes", "records"):
        content = value.encode() if isinstance(value, str) else value
        return encode_length(None if content is None else len(content), kind, flexible) + (content or b"")
    out = bytearray(encode_length(None if value is None else len(value), "array", flexible))
    for element in value or ():
        out += _encode_value(field, kind[2:] or "{}", element, version, flexible) if kind != "[]" else encode(
            field.fields, element, version, flexible)
    return bytes(out)


def encode_length(length, kind, flexible):
    """The prefix of a string, of bytes or of an array; None is null."""
    if flexible:
        return unsigned_varint(0 if length is None else length + 1)
    width = int16 if kind == "string" else int32
    return width(-1 if length is None else length)


def decode(fields, reader, version, flexible):
    """The struct at `reader`; unknown tags and impossible nulls are violations."""
    value = Struct()
    for field in fields:
        if field.exists_in(version) and field.tag is None:
            value[field.name] = _decode_value(field, field.type, reader, version, flexible)
        else:
            value[field.name] = field.default
    if flexible:
        _decode_tags(fields, reader, version, value)
    return value


def _decode_tags(fields, reader, version, value):
    previous = -1
    for _ in range(reader.unsigned_varint()):
        tag = reader.unsigned_varint()
        content = Reader(reader.take(reader.unsigned_varint()))
        if tag <= previous:
            raise ProtocolViolation("tags do not ascend")
        previous = tag
        field = next((f for f in fields if f.tag == tag and f.exists_in(version)), None)
        if field is None:
            raise ProtocolViolation(f"unknown tag {tag}")
        value[field.name] = _decode_value(field, field.type, content, version, True)
        if content.remaining:
            raise ProtocolViolation(f"{content.remaining} bytes too many in tag {tag}")


def _decode_value(field, kind, reader, version, flexible):
    if kind in _FIXED:
        return struct.unpack(_FIXED[kind], reader.take(struct.calcsize(_FIXED[kind])))[0]
    if kind == "uuid":
        return reader.take(16)
    if kind == "{}":
        if field.null_since != NEVER and reader.integer(1) < 0:
            return None
        return decode(field.fields, reader, version, flexible)
    length = _decode_length(kind, reader, flexible)
    if length is None:
        if version < field.null_since:
            raise ProtocolViolation(f"null in {field.name}, version {version}")
        return None
    if kind == "string":
        return reader.take(length).decode()
    if kind in ("bytes", "records"):
        return reader.take(length)
    if length > reader.remaining:
        raise ProtocolViolation(f"{length} elements of {field.name} in {reader.remaining} bytes")
    if kind == "[]":
        return [decode(field.fields, reader, version, flexible) for _ in range(length)]
    return [_decode_value(field, kind[2:], reader, version, flexible) for _ in range(length)]


def _decode_length(kind, reader, flexible):
    if flexible:
        length = reader.unsigned_varint() - 1
    else:
        length = reader.integer(2 if kind == "string" else 4)
    if length < -1:
        raise ProtocolViolation(f"a length of {length}")
    return None if length == -1 else length
