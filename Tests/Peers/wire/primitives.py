"""Cursors over bytes: Kafka's integers, varints, strings and CRC32C. Big-endian throughout."""

import struct

import google_crc32c


class ProtocolViolation(Exception):
    """The peer sent bytes that the protocol does not allow."""


class Raw(bytes):
    """Bytes written as they are in place of a field's value: the way to tell lies."""


def unsigned_varint(value):
    """Up to five (32 bits) or ten (64 bits) bytes, low seven bits first."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def varint(value):
    """A zigzag-coded signed varint, as records use it."""
    return unsigned_varint((value << 1) ^ (value >> 63) if value < 0 else value << 1)


def int16(value):
    return struct.pack(">h", value)


def int32(value):
    return struct.pack(">i", value)


def int64(value):
    return struct.pack(">q", value)


class Reader:
    """A bounds-checked cursor; reading past the end is a protocol violation of the sender."""

    def __init__(self, data):
        self.data = memoryview(data)
        self.position = 0

    @property
    def remaining(self):
        return len(self.data) - self.position

    def take(self, count):
        if count < 0 or count > self.remaining:
            raise ProtocolViolation(f"{count} bytes wanted, {self.remaining} left")
        taken = self.data[self.position:self.position + count]
        self.position += count
        return bytes(taken)

    def integer(self, size, signed=True):
        return int.from_bytes(self.take(size), "big", signed=signed)

    def unsigned_varint(self):
        value = shift = 0
        while True:
            byte = self.integer(1, signed=False)
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ProtocolViolation("a varint longer than ten bytes")

    def varint(self):
        value = self.unsigned_varint()
        return (value >> 1) ^ -(value & 1)


def crc32c(data):
    """CRC-32C (Castagnoli), reflected, as in RFC 3720 appendix B.4."""
    return google_crc32c.value(bytes(data))
