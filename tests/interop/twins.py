"""Two servers side by side: what both answer, brought into one comparable form.

Side A is the reference (Apache), side B the server under test. Session ids, zxids and times may differ between the two;
everything else must not. Session ids become labels, zxids of B become A's numbers through a checked offset, times are
checked for their own consistency on each side and then left out.
"""

import time
from typing import Any, NamedTuple

import records
from rawzk import NO_PASSWORD, Closed, Connection, Event, Reply, Session, connect_request
from session_password import session_password

A, B = 0, 1
ANSWER_SECONDS = 10.0


class Answer(NamedTuple):
    """A reply in comparable form."""
    op: str
    xid: int
    zxid: int
    err: int
    body: Any
    rest: bytes


class Notice(NamedTuple):
    """A watch event in comparable form."""
    type: int
    state: int
    path: str
    zxid: int


class Greeting(NamedTuple):
    """The answer to a ConnectRequest in comparable form."""
    timeout: int
    session: str
    password: str
    read_only: Any


class End(NamedTuple):
    """The server closed the connection."""


class Silence(NamedTuple):
    """Nothing came although something was due."""


class Zxids:
    """Maps zxids of both sides to A's numbering. B's offset is constant except where a rule shifts it."""

    def __init__(self):
        self._segments = [(0, 0)]  # (first zxid of B, B minus A), ascending

    def canonical(self, side, zxid):
        if side == A or zxid <= 0:
            return zxid
        return zxid - self._offset(zxid)

    def of_side(self, side, canonical):
        """The number that `side` uses for a canonical zxid."""
        if side == A or canonical <= 0:
            return canonical
        for first, offset in reversed(self._segments):
            if canonical + offset >= first:
                return canonical + offset
        return canonical

    def align(self, a_zxid, b_zxid):
        """From `b_zxid` on, B's numbers are taken relative to `a_zxid`."""
        self._segments.append((b_zxid, b_zxid - a_zxid))

    def _offset(self, zxid):
        return next(offset for first, offset in reversed(self._segments) if zxid >= first)


class Times:
    """Checks that each zxid of a server has exactly one time, a believable one."""

    def __init__(self):
        self._time_of = {0: 0}
        self._start = int(time.time() * 1000) - 1000

    def check(self, stat):
        self._check(stat.czxid, stat.ctime)
        self._check(stat.mzxid, stat.mtime)

    def _check(self, zxid, at):
        known = self._time_of.setdefault(zxid, at)
        assert known == at, f"zxid {zxid:#x} has the times {known} and {at}"
        assert zxid == 0 or self._start <= at <= time.time() * 1000 + 1000, f"zxid {zxid:#x} at {at}"


class Normaliser:
    """Turns raw items of either side into comparable ones."""

    def __init__(self):
        self.zxids = Zxids()
        self._times = (Times(), Times())
        self._labels = ({0: ""}, {0: ""})

    def name_session(self, side, session_id, label):
        self._labels[side].setdefault(session_id, label)

    def session(self, side, session_id):
        return self._labels[side].get(session_id, f"unknown {session_id:#x}")

    def item(self, side, raw, op_names):
        if isinstance(raw, Event):
            return Notice(raw.type, raw.state, raw.path, self.zxids.canonical(side, raw.zxid))
        if isinstance(raw, Reply):
            name = op_names.get(raw.xid, "?")
            # An empty or partial result list may follow the header of a refused multi; clients ignore it (client 6.5).
            rest = b"" if name in ("multi", "multiRead") and raw.err else raw.rest
            return Answer(name, raw.xid, self.zxids.canonical(side, raw.zxid), raw.err, self.body(side, name, raw.body), rest)
        if isinstance(raw, Session):
            return self._greeting(side, raw)
        return End() if isinstance(raw, Closed) else raw

    def _greeting(self, side, raw):
        if raw.id == 0:
            correct = raw.password == NO_PASSWORD
        else:
            correct = raw.password == session_password(raw.id)
        return Greeting(raw.timeout, self.session(side, raw.id), "as computed" if correct else raw.password.hex(),
                        raw.read_only)

    def stat(self, side, stat):
        self._times[side].check(stat)
        to = self.zxids.canonical
        return stat._replace(czxid=to(side, stat.czxid), mzxid=to(side, stat.mzxid), pzxid=to(side, stat.pzxid), ctime=0,
                             mtime=0, ephemeral_owner=self.session(side, stat.ephemeral_owner))

    def body(self, side, name, body):
        """Comparable form of a reply body: stats masked, children and ids without order."""
        if body is None or isinstance(body, (int, str, bytes)):
            return body
        if isinstance(body, records.Stat):
            return self.stat(side, body)
        if isinstance(body, tuple):
            return tuple(self.body(side, name, part) for part in body)
        if name in ("multi", "multiRead"):
            return [self._result(side, result) for result in body]
        return sorted(body)

    def _result(self, side, result):
        kind, err, value = result
        return kind, err, self.body(side, "result", value)


class Twin:
    """A client that does the same on both servers at once: a connection to each."""

    def __init__(self, addresses, normaliser, number):
        self.number = number
        self._addresses = addresses
        self._normaliser = normaliser
        self.connections = [None, None]
        self.sessions = [None, None]  # last valid session of each side
        self.alive = False
        self._op_names = {}  # xid to operation name, of what was sent last

    def __str__(self):
        return f"client {self.number}"

    def connect(self, label, timeout=300000, renew=False, password=None, ahead=None, read_only=False):
        """Handshake on both sides; the comparable answers. `ahead` is added to the last zxid the client has seen."""
        self.drop()
        answers = []
        for side in (A, B):
            connection = Connection(self._addresses[side], ANSWER_SECONDS)
            old = self.sessions[side] if renew else None
            body = connect_request(
                timeout=timeout, session_id=old.id if old else 0,
                password=_password(password, old),
                last_zxid=0 if ahead is None else ahead(side), read_only=read_only)
            connection.send_frame(body)
            self.connections[side] = connection
        for side in (A, B):
            answers.append(self._greeting(side, label))
        self.alive = all(isinstance(answer, Greeting) and answer.timeout for answer in answers)
        return answers

    def _greeting(self, side, label):
        try:
            session = self.connections[side].read_session()
        except TimeoutError:
            return Silence()
        if isinstance(session, Session) and session.valid:
            self._normaliser.name_session(side, session.id, label)
            self.sessions[side] = session
        return self._normaliser.item(side, session, {})

    def send(self, ops, xid=None):
        """Send operations, pipelined, to both sides. An operation may be a function of the side."""
        for side in (A, B):
            connection = self.connections[side]
            pieces = []
            for op in ops:
                op = op(side) if callable(op) else op
                pieces.append(connection.request_bytes(op, xid))
            self._op_names = connection.awaiting()
            connection.send_bytes(b"".join(pieces))

    def send_raw(self, make_bytes):
        """Send what `make_bytes(connection)` returns to both sides."""
        for side in (A, B):
            self.connections[side].send_bytes(make_bytes(self.connections[side]))
        self._op_names = self.connections[B].awaiting()

    def answers(self):
        """Raw items of both sides until everything sent is answered or the connection has ended."""
        return self._collect(lambda connection, items: not connection.awaiting())

    def until_closed(self):
        return self._collect(lambda connection, items: False)

    def one_item(self):
        return self._collect(lambda connection, items: items)

    def _collect(self, done):
        return [_items(connection, done) for connection in self.connections]

    def normal(self, side, items):
        return [self._normaliser.item(side, item, self._op_names) for item in items]

    def drop(self):
        """Close both sockets without a word."""
        for connection in self.connections:
            if connection:
                connection.drop()
        self.alive = False


NULL_PASSWORD = object()


def _password(wanted, old):
    """The password to send: a wanted one, null, that of the old session, or none to speak of."""
    if wanted is NULL_PASSWORD:
        return None
    if wanted is not None:
        return wanted
    return old.password if old else NO_PASSWORD


def _items(connection, done):
    """Items of a connection until `done(connection, items)`, its end, or a silence."""
    items = []
    try:
        while not (done(connection, items) or Closed() in items):
            items.append(connection.item())
    except TimeoutError:
        items.append(Silence())
    return items
