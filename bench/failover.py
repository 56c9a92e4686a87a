"""How long an ensemble acknowledges no write after kill -9 or SIGSTOP of its leader, as clients of the others see it."""

import contextlib
import signal
import threading
import time

import ensembles
import rawzk
import records as zk
from waiting import wait_until

PATH = "/failover"
SETTLE_SECONDS = 1.0  # of undisturbed writes, before the kill and after the first write behind it


class Writer(threading.Thread):
    """One client of one server: a write at a time, and the same session on a new connection when one breaks."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.acknowledged = []  # monotonic instants
        self._address = address
        self._session = None
        self._leave = threading.Event()

    def run(self):
        while not self._leave.is_set():
            with contextlib.suppress(OSError), rawzk.Connection(self._address, 5.0) as connection:
                self._write_on(connection)
            time.sleep(0.001)

    def _write_on(self, connection):
        old = self._session
        renewal = {} if old is None else {"session_id": old.id, "password": old.password}
        session = connection.handshake(timeout=20000, **renewal)
        if not isinstance(session, rawzk.Session):
            return
        self._session = session if session.valid else None
        while self._session and not self._leave.is_set():
            connection.must(zk.set_data(PATH, b"x" * 100))
            self.acknowledged.append(time.monotonic())

    def stop(self):
        self._leave.set()
        self.join()


def measure_kill(trio):
    """Kill the leader once; the seconds without an acknowledged write. All three servers serve again behind it."""
    return _measure(trio, lambda leader: leader.kill(), lambda leader: leader.start())


def measure_stop(trio):
    """The same for a leader that does not answer: nobody hears that its connections have ended."""
    def go_on(leader):
        leader.process.send_signal(signal.SIGCONT)
        # It may say for a moment that it leads still.
        wait_until("the leader of before follows", lambda: ensembles.mode(leader) == "follower", 60.0)
        trio.wait_serving()
    return _measure(trio, lambda leader: leader.process.send_signal(signal.SIGSTOP), go_on)


def _measure(trio, take_away, bring_back):
    leader = trio.wait_leader()
    with rawzk.open_session(trio[leader].address) as client:
        client.call(zk.create(PATH))
        client.close_session()
    writers = [Writer(trio[number].address) for number in trio.followers()]
    for writer in writers:
        writer.start()
    try:
        _undisturbed(writers, time.monotonic())
        killed = time.monotonic()
        take_away(trio[leader])
        wait_until("a write is acknowledged again", lambda: _first_after_gap(writers, killed), 60.0)
        _undisturbed(writers, time.monotonic())
    finally:
        for writer in writers:
            writer.stop()
    bring_back(trio[leader])
    return _longest_gap(writers, killed)


def _undisturbed(writers, since):
    """Wait until every writer has had acknowledgements for a while."""
    for writer in writers:
        wait_until("every client writes", lambda w=writer: w.acknowledged and w.acknowledged[-1] > since + SETTLE_SECONDS, 60.0)


def _merged(writers, since):
    return sorted(moment for writer in writers for moment in list(writer.acknowledged) if moment > since)


def _first_after_gap(writers, killed):
    """A write that was asked for after the kill is acknowledged: the answers on their way at the kill came long before."""
    return any(moment > killed + 0.02 for moment in _merged(writers, killed))


def _longest_gap(writers, killed):
    moments = _merged(writers, killed - 1.0)
    return max(later - earlier for earlier, later in zip(moments, moments[1:]) if later > killed)
