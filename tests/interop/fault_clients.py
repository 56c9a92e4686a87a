"""Clients that work while servers fail, and write down what they asked and what came back.

A client has one session at a time and one request (or one pipeline) on its way. It goes on with the next server when a
connection breaks or an answer is late, and takes its session and the newest zxid that it has seen along, as real clients
do. An answer that never came leaves the outcome open: that call has no end.
"""

import math
import random
import threading
import time
from typing import Any, NamedTuple

import rawzk
import records as zk

ROOT = "/fault"
REGISTERS = [f"{ROOT}/register-{number}" for number in range(6)]
PAIR = (f"{ROOT}/pair-a", f"{ROOT}/pair-b")
SEQUENCE, EPHEMERAL, LIST = f"{ROOT}/sequence", f"{ROOT}/ephemeral", f"{ROOT}/list"
PARENTS = (ROOT, *REGISTERS, *PAIR, SEQUENCE, EPHEMERAL, LIST)

SESSION_MS = 4000
ANSWER_SECONDS = 2.5
OPEN = math.inf  # the end of a call without an answer


class Call(NamedTuple):
    client: int
    session: int
    begin: float
    end: float
    op: str
    path: str
    value: Any = None    # written or read
    version: int = -1    # of the node behind a write, or as read
    zxid: int = 0        # of the reply's header
    mzxid: int = 0       # of the node's last change
    err: Any = None      # None: no answer came


class Ended(NamedTuple):
    """A session whose end was acknowledged, and a node that has to be gone with it."""
    path: str
    since: float


class FaultClient(threading.Thread):
    """One client. `history` and `oddities` are its own until it has ended."""

    def __init__(self, number, addresses, seed):
        super().__init__(name=f"client {number}", daemon=True)
        self.number = number
        self.history = []
        self.oddities = []
        self._addresses = list(addresses)
        self._random = random.Random(seed * 1000 + number)
        self._leave = threading.Event()
        self._connection = None
        self._session = None        # as granted; kept while it may be renewed
        self._last_zxid = 0
        self._made = 0              # nodes and values so far: each is used once
        self._own = []              # ephemerals of this session that were acknowledged
        self._ended = []
        self._begin = 0.0
        self._steps = [(self._set, 30), (self._get, 30), (self._fenced_get, 6), (self._synced_get, 6), (self._set_pair, 6),
                       (self._make_sequential, 10), (self._make_ephemeral, 5), (self._make_unique, 6), (self._look_for_gone, 3),
                       (self._end_session, 1), (self._abandon_session, 0.3), (self._move, 2)]

    def leave(self):
        """End the session in order, as soon as a server lets us; then the thread ends."""
        self._leave.set()

    def run(self):
        steps, weights = zip(*self._steps)
        while not self._leave.is_set():
            self._attempt(self._random.choices(steps, weights)[0])
        self._attempt(self._set)
        while self._session is not None:
            self._attempt(self._end_session)

    def _attempt(self, step):
        try:
            self._connect()
            step()
        except OSError:
            self._lose()
            time.sleep(0.02)
        except Exception as fault:  # an answer that makes no sense is a finding, not the end of the test
            self.oddities.append(f"client {self.number}: {step.__name__}: {type(fault).__name__}: {fault}")
            self._lose()

    # Connection and session -----------------------------------------------------------------------------------------

    def _connect(self):
        if self._connection is not None:
            return
        connection = rawzk.Connection(self._random.choice(self._addresses), ANSWER_SECONDS)
        old = self._session
        try:
            renewal = {} if old is None else {"session_id": old.id, "password": old.password}
            session = connection.handshake(timeout=SESSION_MS, last_zxid=self._last_zxid, **renewal)
            if not isinstance(session, rawzk.Session):
                raise ConnectionError("closed at the handshake")
        except BaseException:
            connection.drop()
            raise
        if not session.valid:
            connection.drop()
            self._forget_session()
            raise ConnectionError("the session has expired")
        if old is not None and session.id != old.id:
            self.oddities.append(f"client {self.number}: session 0x{old.id:x} was renewed as 0x{session.id:x}")
        self._session, self._connection = session, connection

    def _lose(self):
        if self._connection is not None:
            self._connection.drop()
            self._connection = None

    def _forget_session(self):
        self._session = None
        self._own = []

    # Calls ----------------------------------------------------------------------------------------------------------

    def _ask(self, *ops):
        """Send requests in one piece; their replies. ConnectionError when not all were answered."""
        self._begin = time.monotonic()
        self._connection.send_all(ops)
        items = self._connection.items_until_answered()
        replies = [item for item in items if isinstance(item, rawzk.Reply)]
        if len(replies) < len(ops):
            raise ConnectionError("closed before the answer")
        for reply in replies:
            if reply.err == -112:
                raise ConnectionError("the session has ended")
            if 0 < reply.zxid < self._last_zxid:
                self.oddities.append(f"client {self.number}: a reply of zxid 0x{reply.zxid:x} after 0x{self._last_zxid:x}")
            self._last_zxid = max(self._last_zxid, reply.zxid)
        return replies

    def _note(self, op, path, end=None, **found):
        end = time.monotonic() if end is None else end
        self.history.append(Call(self.number, self._session.id, self._begin, end, op, path, **found))

    def _write(self, name, path, value, request):
        """A write whose outcome stays open when no answer comes; its reply."""
        try:
            reply = self._ask(request)[0]
        except OSError:
            self._note(name, path, OPEN, value=value)
            raise
        return reply

    def _fresh(self):
        self._made += 1
        return b"%d:%d" % (self.number, self._made)

    def _set(self):
        path, value = self._random.choice(REGISTERS), self._fresh()
        reply = self._write("set", path, value, zk.set_data(path, value))
        version, mzxid = (reply.body.version, reply.body.mzxid) if reply.err == 0 else (-1, 0)
        self._note("set", path, value=value, version=version, zxid=reply.zxid, mzxid=mzxid, err=reply.err)

    def _note_read(self, op, path, reply):
        value, stat = reply.body if reply.err == 0 else (None, None)
        self._note(op, path, value=value, version=stat.version if stat else -1, zxid=reply.zxid, mzxid=stat.mzxid if stat else 0,
                   err=reply.err)

    def _get(self):
        path = self._random.choice((*REGISTERS, *PAIR))
        self._note_read("get", path, self._ask(zk.get_data(path))[0])

    def _fenced_get(self):
        """A read behind a write of ones own: all that was acknowledged before it began has to show."""
        path = self._random.choice(REGISTERS)
        fence, reply = self._ask(zk.set_data(ROOT, b""), zk.get_data(path))
        if fence.err == 0:
            self._note_read("fenced", path, reply)

    def _synced_get(self):
        path = self._random.choice(REGISTERS)
        sync, reply = self._ask(zk.sync("/"), zk.get_data(path))
        if sync.err == 0:
            self._note_read("synced", path, reply)

    def _set_pair(self):
        value = self._fresh()
        reply = self._write("pair", PAIR[0], value, zk.multi([zk.set_data(path, value) for path in PAIR]))
        versions = [stat.version for _, err, stat in reply.body if err == 0] if reply.err == 0 else []
        if reply.err == 0 and (len(versions) != 2 or versions[0] != versions[1]):
            self.oddities.append(f"client {self.number}: a multi of two was answered {reply.body}")
        self._note("pair", PAIR[0], value=value, version=versions[0] if versions else -1, zxid=reply.zxid, mzxid=reply.zxid,
                   err=reply.err)

    def _create(self, op, prefix, flags):
        value = self._fresh()
        path = f"{prefix}{value.decode().replace(':', '-')}" if flags in (zk.PERSISTENT, zk.EPHEMERAL) else prefix
        reply = self._write(op, path, value, zk.create2(path, value, flags=flags))
        made, stat = reply.body if reply.err == 0 else (path, None)
        self._note(op, made, value=value, zxid=reply.zxid, mzxid=stat.czxid if stat else 0, err=reply.err)
        return made if reply.err == 0 else None

    def _make_sequential(self):
        self._create("sequence", f"{SEQUENCE}/n-", zk.SEQUENTIAL)

    def _make_unique(self):
        self._create("unique", f"{LIST}/", zk.PERSISTENT)

    def _make_ephemeral(self):
        made = self._create("ephemeral", f"{EPHEMERAL}/", zk.EPHEMERAL)
        if made:
            self._own.append(made)

    def _look_for_gone(self):
        """The node of a session that ended in order must not be seen behind a write of ones own."""
        if not self._ended:
            return
        ended = self._ended.pop(0)
        fence, reply = self._ask(zk.set_data(ROOT, b""), zk.exists(ended.path))
        if fence.err == 0:
            self._note("gone", ended.path, zxid=reply.zxid, err=reply.err)

    def _end_session(self):
        self._connection.send(zk.simple("closeSession"))
        items = self._connection.until_closed()
        answered = any(isinstance(item, rawzk.Reply) and item.err == 0 for item in items)
        if answered:
            self._ended += [Ended(path, time.monotonic()) for path in self._own[:3]]
        self._lose()
        if answered or not self._leave.is_set():
            self._forget_session()

    def _abandon_session(self):
        """As a crash of the client: nobody closes the session, and it has to expire."""
        self._lose()
        self._forget_session()

    def _move(self):
        self._lose()
