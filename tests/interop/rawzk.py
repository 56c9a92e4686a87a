"""An exact client of the raw protocol: it sends what it is told, right or wrong, and shows all that comes back.

There is no thread, no retry and no state machine. Replies, watch events and the end of the connection are items of one
list in their order of arrival, so that tests can compare the order too.
"""

import contextlib
import socket
import struct
import time
from typing import Any, NamedTuple

import records
from jute import Reader, ShortRecord, Writer
from waiting import remaining

EVENT_XID = -1
NO_PASSWORD = b"\0" * 16


class Reply(NamedTuple):
    xid: int
    zxid: int
    err: int
    body: Any          # decoded value; None when there is none
    rest: bytes = b""  # bytes behind the body: never there in a correct reply


class Event(NamedTuple):
    zxid: int
    type: int
    state: int
    path: str


class Closed(NamedTuple):
    """The server closed the connection."""


class Session(NamedTuple):
    """The answer to a ConnectRequest."""
    protocol: int
    timeout: int
    id: int
    password: bytes
    read_only: Any  # None when the flag is absent

    @property
    def valid(self):
        return self.timeout != 0


def connect_request(timeout=300000, session_id=0, password=NO_PASSWORD, last_zxid=0, read_only=False):
    """The body of a ConnectRequest; `read_only=None` leaves the flag out, as clients before 3.4 did."""
    writer = Writer().int(0).long(last_zxid).int(timeout).long(session_id).buffer(password)
    return (writer if read_only is None else writer.bool(read_only)).bytes()


def four_letter_word(address, word, seconds=10.0):
    """All that the server answers to a four-letter word before it closes."""
    with socket.create_connection(address, seconds) as connection:
        connection.sendall(word)
        return _read_to_end(connection, time.monotonic() + seconds)


def _read_to_end(connection, end):
    pieces = []
    while True:
        connection.settimeout(remaining(end))
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            piece = b""
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


class Connection:
    """One TCP connection, with or without a session on it."""

    def __init__(self, address, seconds=20.0):
        self.address = address
        self.seconds = seconds
        self.session = None
        self._socket = socket.create_connection(address, seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray()
        self._ended = False
        self._expected = []  # (xid, operation name) of requests not answered yet
        self._next_xid = 1

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.drop()

    # Sending --------------------------------------------------------------------------------------------------------

    def send_bytes(self, data):
        """Send bytes as they are; a connection that the server has closed swallows them."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(data)

    def send_frame(self, body):
        self.send_bytes(struct.pack(">I", len(body)) + body)

    def request_bytes(self, op, xid=None):
        """The frame of a request; remembers that its reply is awaited."""
        return self.code_bytes(op.code, op.body, xid, op.name)

    def code_bytes(self, code, body=b"", xid=None, name="?"):
        """The frame of a request with any type number."""
        if xid is None:
            xid, self._next_xid = self._next_xid, self._next_xid + 1
        self._expected.append((records.PING_XID if code == records.OP["ping"] else xid, name))
        frame = Writer().int(xid).int(code).raw(body).bytes()
        return struct.pack(">I", len(frame)) + frame

    def send(self, op, xid=None):
        self.send_bytes(self.request_bytes(op, xid))

    def send_all(self, ops):
        """Send requests in one piece, as a pipelining client does."""
        self.send_bytes(b"".join(self.request_bytes(op) for op in ops))

    def awaiting(self):
        """Operation names of the requests not answered yet, by xid."""
        return dict(self._expected)

    # Receiving ------------------------------------------------------------------------------------------------------

    def frame(self, seconds=None):
        """The next frame's body, or None at the end of the connection. TimeoutError when neither comes."""
        end = time.monotonic() + (self.seconds if seconds is None else seconds)
        head = self._take(4, end)
        return None if head is None else self._take(struct.unpack(">I", head)[0], end)

    def _take(self, count, end):
        while len(self._buffer) < count:
            if not self._receive(end):
                return None
        piece = bytes(self._buffer[:count])
        del self._buffer[:count]
        return piece

    def _receive(self, end):
        if self._ended:
            return False
        self._socket.settimeout(remaining(end))
        try:
            piece = self._socket.recv(65536)
        except ConnectionResetError:
            piece = b""
        self._ended = not piece
        self._buffer += piece
        return bool(piece)

    def item(self, seconds=None):
        """The next reply, event, or Closed."""
        body = self.frame(seconds)
        if body is None:
            return Closed()
        reader = Reader(body)
        xid, zxid, err = reader.int(), reader.long(), reader.int()
        if xid == EVENT_XID:
            return Event(zxid, reader.int(), reader.int(), reader.string())
        return self._reply(xid, zxid, err, reader)

    def _reply(self, xid, zxid, err, reader):
        name = self._awaited(xid)
        body = records.read_body(name, reader) if err == 0 else None
        return Reply(xid, zxid, err, body, reader.rest())

    def _awaited(self, xid):
        for at, (expected, name) in enumerate(self._expected):
            if expected == xid:
                del self._expected[at]
                return name
        raise AssertionError(f"a reply with xid {xid}, awaited were {self._expected}")

    def items_until_answered(self, seconds=None):
        """Everything that comes until all requests are answered or the server closes."""
        items = []
        while self._expected and Closed() not in items:
            items.append(self.item(seconds))
        return items

    def until_closed(self, seconds=None):
        """Everything that comes until the server closes; TimeoutError if it does not."""
        items = []
        while Closed() not in items:
            items.append(self.item(seconds))
        return items

    # Whole exchanges ------------------------------------------------------------------------------------------------

    def handshake(self, **fields):
        """Send a ConnectRequest and return the Session, or Closed."""
        self.send_frame(connect_request(**fields))
        return self.read_session()

    def read_session(self):
        body = self.frame()
        if body is None:
            return Closed()
        reader = Reader(body)
        session = Session(reader.int(), reader.int(), reader.long(), reader.buffer(), _optional_flag(reader))
        self.session = session
        return session

    def call(self, op):
        """Send one request; return its reply. Events that come before it are dropped."""
        self.send(op)
        last = self.items_until_answered()[-1]
        if isinstance(last, Closed):
            raise ConnectionError(f"closed instead of an answer to {op}")
        return last

    def must(self, op):
        """The body of a reply that has to be a success."""
        reply = self.call(op)
        assert reply.err == 0, f"{op}: error {reply.err}"
        return reply.body

    def drop(self):
        """Close the socket without a word, as a crashed client does."""
        self._ended = True
        self._socket.close()

    def close_session(self):
        """End the session in the orderly way, then the connection."""
        self.send(records.simple("closeSession"))
        items = self.until_closed()
        self.drop()
        return items


def _optional_flag(reader):
    try:
        return reader.bool()
    except ShortRecord:
        return None


def open_session(address, **fields):
    """A connection with a new session (or with the one named by `session_id` and `password`)."""
    connection = Connection(address)
    session = connection.handshake(**fields)
    assert isinstance(session, Session) and session.valid, f"no session: {session}"
    return connection


def open_super(address, super_auth):
    """A connection whose session passes every permission check."""
    connection = open_session(address)
    connection.send(records.auth("digest", super_auth), records.AUTH_XID)
    reply = connection.items_until_answered()[-1]
    assert reply.err == 0, f"superuser refused: {reply}"
    return connection
