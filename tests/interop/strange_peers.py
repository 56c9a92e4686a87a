"""The other side of an ensemble's ports, by hand: packets of the election and quorum ports, and servers that are none."""

import contextlib
import socket
import threading
import time

import jute
from waiting import remaining

V1 = -65536
LOOKING, FOLLOWING, LEADING, OBSERVING = range(4)
FOLLOWERINFO, OBSERVERINFO, LEADERINFO, ACKEPOCH, NEWLEADER, UPTODATE, DIFF, TRUNC, SNAP = 11, 16, 17, 18, 10, 12, 13, 14, 15
REQUEST, PROPOSAL, ACK, COMMIT, PING, REVALIDATE, SYNC, INFORM = range(1, 9)
PROTOCOL = 0x10000


def ports_of(ensemble, number):
    """(quorum port, election port) of a server."""
    _, quorum, election = next(iter(ensemble.members.values())).settings[f"server.{number}"].split(":")[:3]
    return int(quorum), int(election)


def packet(kind, zxid=0, data=None, auth=None):
    """A packet of the quorum port."""
    return jute.Writer().int(kind).long(zxid).buffer(data).int(-1 if auth is None else auth).bytes()


def learner_info(number, protocol=PROTOCOL, config=0):
    return jute.Writer().long(number).int(protocol).long(config).bytes()


def hello(number, address="127.0.0.1:1"):
    """The first bytes on an election port."""
    return jute.Writer().long(V1).long(number).buffer(address.encode()).bytes()


def vote(leader, zxid, round_number, epoch, state=LOOKING, config=b"", version=2):
    """A notification of the election port."""
    body = jute.Writer().int(state).long(leader).long(zxid).long(round_number).long(epoch).int(version).buffer(config).bytes()
    return jute.Writer().buffer(body).bytes()


def read_packet(stream):
    """(type, zxid, data) of the next packet without identities."""
    def exactly(count):
        data = b""
        while len(data) < count:
            piece = stream.recv(count - len(data))
            if not piece:
                raise ConnectionError("closed")
            data += piece
        return data
    reader = jute.Reader(exactly(16))
    kind, zxid, length = reader.int(), reader.long(), reader.int()
    data = exactly(max(length, 0))
    exactly(4)
    return kind, zxid, data


def closed_within(stream, seconds):
    """Whether the other side closes; what it sends before is dropped."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        stream.settimeout(remaining(end))
        try:
            if not stream.recv(65536):
                return True
        except TimeoutError:
            return False
        except ConnectionError:
            return True
    return False


class FalseLeader:
    """Wins elections of a real ensemble under the number of one of its servers, and lets `lead` speak to who follows.

    `lead` is a function of the connection to a follower and of its FOLLOWERINFO's zxid. It may be replaced at any time.
    """

    def __init__(self, ensemble, number, lead):
        self._ensemble = ensemble
        self._number = number
        self.lead = lead
        self.led = 0
        self._leave = threading.Event()
        self._threads = []
        self._listener = socket.create_server(("127.0.0.1", ports_of(ensemble, number)[0]))
        self._listener.settimeout(0.1)

    def __enter__(self):
        self._spawn(self._accept)
        for number in self._ensemble:
            if number != self._number:
                self._spawn(self._campaign, ports_of(self._ensemble, number)[1])
        return self

    def __exit__(self, *exception):
        self._leave.set()
        for thread in self._threads:
            thread.join(20)
        self._listener.close()

    def _spawn(self, act, *arguments):
        thread = threading.Thread(target=act, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _campaign(self, port):
        """Tell one server, whenever it looks for a leader and has another in mind, that nobody is newer than we are."""
        while not self._leave.wait(0.1):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 2) as stream:
                stream.settimeout(0.2)
                stream.sendall(hello(self._number))
                self._answer_votes(stream)

    def _answer_votes(self, stream):
        unread = b""
        while not self._leave.is_set():
            with contextlib.suppress(TimeoutError):
                piece = stream.recv(65536)
                if not piece:
                    return
                unread += piece
            while len(unread) >= 4 and len(unread) >= 4 + jute.Reader(unread).int():
                reader = jute.Reader(unread)
                heard = jute.Reader(reader.buffer())
                unread = reader.rest()
                state, leader, _, round_number = heard.int(), heard.long(), heard.long(), heard.long()
                if state == LOOKING and leader != self._number:
                    stream.sendall(vote(self._number, 0x7000000000000000, round_number, 0x70000000))

    def _accept(self):
        while not self._leave.is_set():
            try:
                stream, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._spawn(self._serve, stream)

    def _serve(self, stream):
        with stream, contextlib.suppress(OSError, jute.ShortRecord):
            stream.settimeout(5)
            kind, zxid, _ = read_packet(stream)
            if kind != FOLLOWERINFO:
                return
            self.led += 1
            self.lead(stream, zxid)
            closed_within(stream, 5)
