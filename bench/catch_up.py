"""How long a server that was away, or comes with nothing, takes until it serves what the leader holds; and what that
costs the leader's clients."""

import re
import threading
import time

import contenders
import rawzk

VALUE_SIZES = (100, 400, 1024)  # of the writes that a server misses, a third of them each
POLL_SECONDS = 0.005
LIMIT_SECONDS = 600.0

# How the leader brought a learner up to date, in the words of its log: Apache's and Quorate's are the same.
_SYNC = re.compile(r"Sending (DIFF|TRUNC|snapshot)")


class Sync:
    """One server coming back: the seconds from its exec to serving, and what the leader sent it."""

    def __init__(self, seconds, kind):
        self.seconds = seconds
        self.kind = kind

    def must_be(self, kind):
        if self.kind != kind:
            raise RuntimeError(f"the leader sent {self.kind} where {kind} was to be measured")
        return self


def take_away(trio):
    """Kill one follower; its number."""
    trio.wait_serving()
    number = trio.followers()[0]
    trio[number].kill()
    return number


def miss_writes(generator, trio, count):
    """That many writes while one server is away."""
    addresses = ",".join(trio[number].hosts for number in trio.alive())
    for size in VALUE_SIZES:
        generator.call("set", "--servers", addresses, "--connections", 16, "--in-flight", 16, "--value-size", size,
                       "--warmup", 0, "--seconds", LIMIT_SECONDS, "-n", -(-count // len(VALUE_SIZES)))


def empty(server):
    """All but its name is lost."""
    name = (server.home.data / "myid").read_text()
    server.home.clear()
    (server.home.data / "myid").write_text(name)


def come_back(trio, number):
    """Start that server; it is back when it serves all that the leader held when it began."""
    leader = trio[trio.wait_leader()]
    read_before = len(_log(leader))
    held = _position(leader)[1]
    begin = time.monotonic()
    trio[number].launch()
    while not _serves(trio[number], held):
        if not trio[number].alive():
            raise RuntimeError(f"server {number} ended at start:\n{trio[number].log_tail()}")
        if time.monotonic() > begin + LIMIT_SECONDS:
            raise RuntimeError(f"server {number} does not serve after {LIMIT_SECONDS} s")
        time.sleep(POLL_SECONDS)
    seconds = time.monotonic() - begin
    return Sync(seconds, kind_of_sync(_log(leader)[read_before:]))


def kind_of_sync(lines):
    """DIFF, TRUNC or SNAP, whichever these lines of a leader's log tell last."""
    found = _SYNC.findall(lines)
    if not found:
        return "nothing that it says"
    return "SNAP" if found[-1] == "snapshot" else found[-1]


def tail_of_writes(generator, server, rate, seconds, meanwhile=None):
    """p99.9 of writes on `server` in an open loop, in milliseconds, and what `meanwhile` returned, which begins with the
    measured part."""
    warmup = 1.0
    results = []
    beside = threading.Thread(target=lambda: (time.sleep(warmup), results.append(meanwhile())))
    if meanwhile:
        beside.start()
    report = generator.call("set", "--servers", server.hosts, "--connections", 30, "--in-flight", 8, "--rate", rate,
                            "--value-size", 100, "--no-prepare", "--warmup", warmup, "--seconds", seconds)
    if meanwhile:
        beside.join()
        if not results:
            raise RuntimeError("what was to go on beside the writes failed")
    return report["latency_us"]["write"]["p99_9"] / 1000, results[0] if results else None


def _serves(server, held):
    position = _position(server)
    caught_up = position is not None and position[0] == "follower" and position[1] >= held
    return caught_up and contenders.reads(server.address, "/")


def _position(server):
    try:
        return position_in(rawzk.four_letter_word(server.address, b"srvr", 5.0).decode(errors="replace"))
    except OSError:
        return None


def position_in(text):
    """Mode and zxid in an answer to `srvr`; None where a server says that it does not serve."""
    mode, zxid = re.search(r"^Mode: (\S+)$", text, re.M), re.search(r"^Zxid: 0x([0-9a-f]+)$", text, re.M)
    return (mode[1], int(zxid[1], 16)) if mode and zxid else None


def _log(server):
    return (server.home.path / "server.log").read_text(errors="replace")
