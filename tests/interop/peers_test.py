"""Peers that send garbage, lies or nothing: no server of the ensemble stops or takes anything of it for true.

Each test ends with one and the same tree through every server, and with writes through each of them.
"""

import argparse
import contextlib
import random
import socket
import struct
import sys
import time

import strange_peers as strange
from ensemble_test import read_through, same_trees, write, writes_through
from ensembles import Ensemble, mode
from harness import passes
from waiting import wait_until

TICK_MS = 500
SETTINGS = {"tickTime": str(TICK_MS), "initLimit": "8", "syncLimit": "4"}
CLOSED_SECONDS = 15.0


def log_of(ensemble, number):
    return (ensemble[number].home.path / "server.log").read_text(errors="replace")


def wait_line(ensemble, number, part):
    wait_until(f"server {number} says: {part}", lambda: part in log_of(ensemble, number), 10)


def dial(port):
    return socket.create_connection(("127.0.0.1", port), 10)


def told_why(ensemble, number, port, sent, why):
    """Send that, be closed, and find the one line that says why."""
    with dial(port) as stream:
        stream.sendall(sent)
        assert strange.closed_within(stream, CLOSED_SECONDS), f"still open: {why}"
    wait_line(ensemble, number, why)


def all_well(ensemble, path):
    for number in ensemble:
        assert ensemble[number].alive(), f"server {number} ended: {ensemble[number].log_tail()}"
    ensemble.wait_serving()
    for number in ensemble:
        write(ensemble[number], f"{path}-{number}", b"1")
        read_through(ensemble[number], f"{path}-{number}")
    same_trees(ensemble)


def garbage_on_both_ports(ensemble):
    rng = random.Random(5)
    for number in ensemble:
        for port in strange.ports_of(ensemble, number):
            for _ in range(60):
                with contextlib.suppress(OSError), dial(port) as stream:  # only the leader has its quorum port open
                    stream.sendall(rng.choice((b"", strange.hello(7), b"\0\0\0\x0b")) + rng.randbytes(rng.choice((1, 7, 40, 3000, 70000))))
    all_well(ensemble, "/behind-garbage")


def what_the_election_port_refuses(ensemble):
    number = ensemble.followers()[0]
    port = strange.ports_of(ensemble, number)[1]
    long = struct.Struct(">q").pack
    for sent, why in (
        (strange.hello(number), f"it has our own id {number}"),
        (strange.hello(-5), "-5 is the id of no server"),
        (long(-65530), "-65530 is no version of the election protocol"),
        (strange.hello(9)[:16] + b"\x7f\xff\xff\xff", "address length 2147483647 is not within"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01", "it begins TLS"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "is the id of no server"),
        (strange.hello(9) + b"\x7f\xff\xff\xff" + b"\0" * 4, "message length 2147483647 is not within"),
        (strange.hello(9) + b"\xff\xff\xff\xff" + b"\0" * 4, "message length -1 is not within"),
    ):
        told_why(ensemble, number, port, sent, why)
    all_well(ensemble, "/behind-refusals")


def what_the_quorum_port_refuses(ensemble):
    leader = ensemble.wait_leader()
    port = strange.ports_of(ensemble, leader)[0]
    info = strange.learner_info
    for sent, why in (
        (strange.packet(strange.ACK, 1), "first packet, type 3, does not say who it is"),
        (strange.packet(strange.FOLLOWERINFO, 0, b"\0\0"), "first packet, type 11, does not say who it is"),
        (strange.packet(strange.FOLLOWERINFO, 0, info(leader)), "that is the leader's own server id"),
        (strange.packet(strange.FOLLOWERINFO, 0, info(9, protocol=1)), "protocol version 0x1 is too old"),
        (strange.packet(strange.FOLLOWERINFO, 0, info(9, config=1 << 60)), "is newer than the leader's"),
        (strange.packet(strange.FOLLOWERINFO, -1, info(9)), "accepted epoch -1"),
        (strange.packet(strange.FOLLOWERINFO, 0, info(9)) + strange.packet(strange.PROPOSAL, 5, b"x" * 40),
         "packet type 2 of 40 bytes instead of ACKEPOCH"),
        (strange.packet(strange.FOLLOWERINFO, 0, info(9)) + strange.packet(strange.ACKEPOCH, 1 << 60, struct.pack(">i", 1 << 28)),
         "is newer than the leader's"),
        (struct.pack(">iqi", strange.FOLLOWERINFO, 0, 0x7fffffff), "2147483647"),
        (struct.pack(">iqi", strange.FOLLOWERINFO, 0, -7), "-7"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3, "Closing connection to learner"),
    ):
        told_why(ensemble, leader, port, sent, why)
    all_well(ensemble, "/behind-strangers")


def a_learner_that_turns_bad(ensemble):
    """Synchronised as an observer of nobody's configuration, then wrong in each way that there is."""
    leader = ensemble.wait_leader()
    port = strange.ports_of(ensemble, leader)[0]
    rng = random.Random(6)
    for wrong in (strange.packet(strange.PROPOSAL, 1 << 40, b"x" * 100), strange.packet(strange.COMMIT, 1 << 40),
                  strange.packet(strange.REQUEST, 0, b"\0" * 3), strange.packet(strange.REQUEST, 0, rng.randbytes(200)),
                  strange.packet(strange.REVALIDATE, 0, b"\0"), strange.packet(strange.PING, 0, rng.randbytes(11)),
                  strange.packet(strange.ACK, 1 << 60), strange.packet(99, 0, b""), rng.randbytes(500),
                  strange.packet(strange.REQUEST, 0, struct.pack(">qii", 1, 1, 1) + rng.randbytes(50), auth=0x7fffffff)):
        with dial(port) as stream:
            stream.settimeout(10)
            stream.sendall(strange.packet(strange.OBSERVERINFO, 0, strange.learner_info(9)))
            kind, _, _ = strange.read_packet(stream)
            assert kind == strange.LEADERINFO, kind
            stream.sendall(strange.packet(strange.ACKEPOCH, 0, struct.pack(">i", 0)) + wrong)
            strange.closed_within(stream, 0.3)  # some of it may be taken for a learner's word; the rest closes
    all_well(ensemble, "/behind-a-bad-learner")


def strangers_who_vote(ensemble):
    """While the leader is replaced, servers that nobody knows vote for themselves; they are no quorum of anything."""
    with contextlib.ExitStack() as stack:
        for number in ensemble:
            for stranger in (50, 51, 52):
                stream = stack.enter_context(dial(strange.ports_of(ensemble, number)[1]))
                stream.sendall(strange.hello(stranger))
                for at in range(20):
                    stream.sendall(strange.vote(stranger, 0x7fffffff00000000, 1 << 50, 0x7ffffff0, at % 5,
                                                rng_config(at), version=at % 4))
        old = ensemble.wait_leader()
        ensemble[old].kill()
        others = ensemble.alive()
        writes_through(ensemble, others, "/in-spite-of-strangers")
        ensemble[old].start()
    all_well(ensemble, "/behind-strange-votes")


def rng_config(at):
    return (b"", b"version=ffffffff\n", b"server.1=\n", b"\xff" * 300, b"version=1\nserver.1=a:1:1:participant")[at % 5]


def those_who_say_nothing(ensemble):
    """Half-open connections are closed in time, and keep nobody else out."""
    leader = ensemble.wait_leader()
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(dial(port)) for port in strange.ports_of(ensemble, leader) for _ in range(100)]
        all_well(ensemble, "/beside-the-silent")
        for stream in silent:
            assert strange.closed_within(stream, CLOSED_SECONDS), "a silent connection is kept"
    all_well(ensemble, "/behind-the-silent")


# Each of these makes the ensemble that it needs.

def a_false_leader(which):
    """Two real servers, and a third that wins every election and leads badly in each way that there is."""
    rng = random.Random(7)
    pack = struct.Struct(">i").pack

    def begin(stream, zxid):
        """Up to the promise of the next epoch."""
        epoch = (zxid >> 32) + 1
        stream.sendall(strange.packet(strange.LEADERINFO, epoch << 32, pack(strange.PROTOCOL)))
        strange.read_packet(stream)
        return epoch

    def nothing(stream, zxid):
        strange.closed_within(stream, 30)

    def garbage(stream, zxid):
        stream.sendall(rng.randbytes(300))

    def old_epoch(stream, zxid):
        stream.sendall(strange.packet(strange.LEADERINFO, zxid - (1 << 32), pack(strange.PROTOCOL)))

    def no_leader_info(stream, zxid):
        stream.sendall(strange.packet(strange.DIFF, 0))

    def too_large(stream, zxid):
        begin(stream, zxid)
        stream.sendall(struct.pack(">iqi", strange.DIFF, 0, 0x7fffffff))

    def hole(stream, zxid):
        epoch = begin(stream, zxid)
        stream.sendall(strange.packet(strange.DIFF, epoch << 32) + strange.packet(strange.PROPOSAL, (epoch << 32) + 7, b"x" * 40))

    def no_txn(stream, zxid):
        epoch = begin(stream, zxid)
        stream.sendall(strange.packet(strange.DIFF, epoch << 32) + strange.packet(strange.PROPOSAL, (epoch << 32) + 1, b"\xff" * 40)
                       + strange.packet(strange.COMMIT, (epoch << 32) + 1))

    def broken_tree(stream, zxid):
        begin(stream, zxid)
        stream.sendall(strange.packet(strange.SNAP, 5) + rng.randbytes(4000))

    def cut_ahead(stream, zxid):
        begin(stream, zxid)
        stream.sendall(strange.packet(strange.TRUNC, 1 << 50))

    def cut_behind(stream, zxid):
        begin(stream, zxid)
        stream.sendall(strange.packet(strange.TRUNC, 77))  # before the first txn, and no start of anything

    def config_of_nobody(stream, zxid):
        epoch = begin(stream, zxid)
        stream.sendall(strange.packet(strange.DIFF, epoch << 32)
                       + strange.packet(strange.NEWLEADER, epoch << 32, b"version=100000000"))

    ways = (garbage, old_epoch, no_leader_info, too_large, hole, no_txn, broken_tree, cut_ahead, cut_behind, config_of_nobody, nothing)
    def start_two():
        for number in (1, 2):
            ensemble[number].kill()
            ensemble[number].launch()

    ensemble = Ensemble(which, settings=SETTINGS)
    try:
        start_two()
        writes_through(ensemble, [1, 2], "/true")
        with strange.FalseLeader(ensemble, 3, nothing) as leader:
            for way in ways:
                leader.lead, led = way, leader.led

                def both_were_led(led=led):
                    for number in (1, 2):
                        assert ensemble[number].alive(), ensemble[number].log_tail()
                    if mode(ensemble[1]) or mode(ensemble[2]):
                        start_two()  # they had each other already: whoever has a leader looks for no other
                    return leader.led >= led + 2
                wait_until(f"two follow a leader that does {way.__name__}", both_were_led, 60)
        writes_through(ensemble, [1, 2], "/true/again", 30)
        ensemble.start()
        assert same_trees(ensemble).keys() >= {"/true", "/true/again"}
    finally:
        ensemble.__exit__()


TESTS = [garbage_on_both_ports, what_the_election_port_refuses, what_the_quorum_port_refuses, a_learner_that_turns_bad,
         strangers_who_vote, those_who_say_nothing]
OWN = [a_false_leader]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="path of the Quorate binary")
    parser.add_argument("only", nargs="*", help="names of tests: " + ", ".join(test.__name__ for test in TESTS + OWN))
    arguments = parser.parse_args()
    wanted = [test for test in TESTS if not arguments.only or test.__name__ in arguments.only]
    own = [test for test in OWN if not arguments.only or test.__name__ in arguments.only]
    failed = 0
    if wanted:
        with Ensemble(arguments.server, settings=SETTINGS) as ensemble:
            failed += sum(not passes(test, ensemble) for test in wanted)
    failed += sum(not passes(test, arguments.server) for test in own)
    print(f"{len(wanted) + len(own) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
