"""Jute encoding: big-endian numbers, strings and buffers with an int length (-1 is null), vectors with an int count."""

import struct


class ShortRecord(Exception):
    """The bytes end before the record does."""


class Writer:
    """Collects the bytes of a record; every method returns the writer."""

    def __init__(self):
        self._parts = []

    def bytes(self):
        return b"".join(self._parts)

    def raw(self, data):
        self._parts.append(data)
        return self

    def int(self, value):
        return self.raw(struct.pack(">I", value & 0xFFFFFFFF))

    def long(self, value):
        return self.raw(struct.pack(">Q", value & 0xFFFFFFFFFFFFFFFF))

    def bool(self, value):
        return self.raw(b"\1" if value else b"\0")

    def buffer(self, data):
        return self.int(-1) if data is None else self.int(len(data)).raw(data)

    def string(self, text):
        """Text, or bytes that need not be UTF-8, or None."""
        return self.buffer(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)

    def vector(self, items, write_item):
        if items is None:
            return self.int(-1)
        self.int(len(items))
        for item in items:
            write_item(self, item)
        return self


class Reader:
    """Takes values off the front of a byte string."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    def rest(self):
        """All bytes not read yet."""
        return self.raw(len(self._data) - self._at)

    def raw(self, count):
        if count < 0 or self._at + count > len(self._data):
            raise ShortRecord(f"{count} bytes wanted at {self._at} of {len(self._data)}")
        piece = self._data[self._at:self._at + count]
        self._at += count
        return piece

    def int(self):
        return struct.unpack(">i", self.raw(4))[0]

    def long(self):
        return struct.unpack(">q", self.raw(8))[0]

    def bool(self):
        return self.raw(1) != b"\0"

    def buffer(self):
        length = self.int()
        return None if length == -1 else self.raw(length)

    def string(self):
        """Text; encoded surrogates stay single ones, and other bytes that are no UTF-8 are shown as escapes."""
        data = self.buffer()
        if data is None:
            return None
        try:
            return data.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return data.decode("utf-8", "backslashreplace")

    def vector(self, read_item):
        count = self.int()
        return None if count == -1 else [read_item(self) for _ in range(count)]
