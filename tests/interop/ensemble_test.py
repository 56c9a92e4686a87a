"""Ensembles of three real processes: election, fail-over, catching up, sessions that move, an orderly end; also beside Apache."""

import argparse
import contextlib
import shutil
import signal
import subprocess
import sys
import time

import rawzk
import records as zk
from dumping import differences, dump, without_config
from ensembles import Ensemble, mode
from harness import equal, passes
from servers import Home, make_server
from waiting import wait_until

SECONDS = 20.0


@contextlib.contextmanager
def session(server, **fields):
    """A raw session on one server, closed behind the block."""
    client = rawzk.open_session(server.address, **fields)
    try:
        yield client
        client.close_session()
    finally:
        client.drop()


def read_through(server, path):
    """The data of a node as of now: a sync comes before the read."""
    with session(server) as client:
        client.must(zk.sync("/"))
        return client.must(zk.get_data(path))[0]


def write(server, path, data):
    """Create a node through one server."""
    with session(server) as client:
        client.must(zk.create(path, data))


def writes_through(ensemble, numbers, path, seconds=SECONDS):
    """Create `path` through the first of the servers that answers; the seconds that took."""
    begin = time.monotonic()

    def attempt():
        for number in numbers:
            with contextlib.suppress(OSError), rawzk.Connection(ensemble[number].address, 3.0) as client:
                if not isinstance(client.handshake(timeout=4000), rawzk.Session):
                    continue
                if client.call(zk.create(path, b"after")).err in (0, -110):  # an earlier attempt may have made it
                    client.send(zk.simple("closeSession"))
                    return True
        return False
    wait_until(f"{path} is created through one of {numbers}", attempt, seconds)
    return time.monotonic() - begin


def same_trees(ensemble, seconds=SECONDS):
    """Wait until every server shows one and the same tree; return it."""
    numbers = ensemble.alive()

    def picture(number):
        return without_config(dump(ensemble[number].address))

    def compare():
        try:
            dumps = [picture(number) for number in numbers]
        except (OSError, AssertionError) as fault:
            same_trees.last = [str(fault)]
            return None
        lines = [line for other in dumps[1:] for line in differences(dumps[0], other)]
        same_trees.last = lines
        return dumps[0] if not lines else None
    same_trees.last = []
    try:
        return wait_until("all trees are equal", compare, seconds)
    except AssertionError as fault:
        raise AssertionError(f"{fault}; through {numbers}:\n" + "\n".join(same_trees.last[:20])) from fault


def elects_and_replicates(ensemble):
    equal(sorted(ensemble.wait_mode(number, "leader", "follower") for number in ensemble), ["follower", "follower", "leader"])
    for number in ensemble:
        write(ensemble[number], f"/from-{number}", b"by %d" % number)
    for reader in ensemble:
        for writer in ensemble:
            equal(read_through(ensemble[reader], f"/from-{writer}"), b"by %d" % writer)
    same_trees(ensemble)


def says_who_it_is(ensemble):
    for number in ensemble:
        log = (ensemble[number].home.path / "server.log").read_text()
        for part in (f"Starting quorum peer, myid={number}", f"[myid:{number}]", "LOOKING"):
            assert part in log, f"no {part!r} in the log of {number}"
        assert "FOLLOWING" in log or "LEADING" in log, f"no role in the log of {number}"
        words = {name: rawzk.four_letter_word(ensemble[number].address, name.encode()).decode() for name in ("conf", "mntr", "srvr")}
        assert f"serverId={number}\n" in words["conf"], words["conf"]
        assert f"zk_server_state\t{mode(ensemble[number])}\n" in words["mntr"], words["mntr"]
        config = words["conf"].split("membership: \n")[1]
        equal(len([line for line in config.splitlines() if line.startswith("server.")]), 3)


def leader_killed(ensemble):
    write(ensemble[1], "/before", b"1")
    first = ensemble.wait_leader()
    ensemble[first].kill()
    seconds = writes_through(ensemble, ensemble.alive(), "/meanwhile")
    print(f"        a write after {seconds:.2f} s", flush=True)
    second = ensemble.wait_leader()
    assert second != first
    ensemble[first].start()
    ensemble.wait_mode(first, "follower")
    equal(read_through(ensemble[first], "/meanwhile"), b"after")
    tree = same_trees(ensemble)
    assert {"/before", "/meanwhile"} <= tree.keys()


def follower_killed(ensemble):
    number = ensemble.followers()[0]
    ensemble[number].kill()
    with session(ensemble[ensemble.wait_leader()]) as client:
        for at in range(50):
            client.must(zk.create(f"/without-{at}"))
    ensemble[number].start()
    equal(len([path for path in same_trees(ensemble) if path.startswith("/without-")]), 50)


def emptied_follower_gets_a_snapshot(ensemble):
    with session(ensemble[1]) as client:
        for at in range(300):
            client.must(zk.create(f"/kept-{at}", b"x" * 1000))
    number = ensemble.followers()[0]
    ensemble[number].kill()
    shutil.rmtree(ensemble[number].home.data / "version-2")
    ensemble[number].start()
    equal(len([path for path in same_trees(ensemble) if path.startswith("/kept-")]), 300)


def in_doubt(server):
    with contextlib.suppress(OSError):
        return rawzk.four_letter_word(server.address, b"ruok").startswith(b"in doubt: ")
    return False


def one_in_doubt_says_so(ensemble):
    """A damaged log is set aside: ruok and mntr tell, until the leader's tree is there."""
    def monitored(number):
        lines = rawzk.four_letter_word(ensemble[number].address, b"mntr").decode().splitlines()
        return dict(line.split("\t") for line in lines if "\t" in line)

    def asked(number, word):
        with contextlib.suppress(OSError):
            return rawzk.four_letter_word(ensemble[number].address, word)
        return b""
    write(ensemble[1], "/behind-the-damage", b"1")
    same_trees(ensemble)
    for number in ensemble:
        ensemble[number].kill()
    log = max((ensemble[1].home.data / "version-2").glob("log.*"))
    log.write_bytes(bytes(byte ^ 1 if at == 60 else byte for at, byte in enumerate(log.read_bytes())))
    ensemble[1].launch()  # alone: nobody has a tree for it
    wait_until("it says that it is in doubt", lambda: in_doubt(ensemble[1]))
    found = monitored(1)
    equal((found["zk_quorate_in_doubt"], found["zk_quorate_set_aside"]), ("1", "1"))
    assert asked(1, b"mntr").startswith(b"This ZooKeeper instance is not currently serving requests\n")
    ensemble.start()
    equal([asked(number, b"ruok") for number in ensemble], [b"imok"] * 3)
    equal([monitored(number)["zk_quorate_in_doubt"] for number in ensemble], ["0"] * 3)
    equal([monitored(number)["zk_quorate_set_aside"] for number in ensemble], ["1", "0", "0"])
    assert "/behind-the-damage" in same_trees(ensemble)
    equal(len(list((ensemble[1].home.data / "version-2" / "quarantine-1").glob("log.*"))), 1)


def all_killed(ensemble):
    client = rawzk.open_session(ensemble[1].address, timeout=30000)
    client.must(zk.create("/mine", b"e", flags=zk.EPHEMERAL))
    client.must(zk.create("/stays", b"1"))
    for number in ensemble:
        ensemble[number].kill()
    ensemble.start()
    equal(read_through(ensemble[2], "/stays"), b"1")
    # Its session is renewed on another server, and its node is still there.
    with rawzk.Connection(ensemble[3].address) as again:
        session_again = again.handshake(session_id=client.session.id, password=client.session.password, timeout=30000)
        equal(session_again.id, client.session.id)
        equal(again.must(zk.exists("/mine")).ephemeral_owner, client.session.id)
        again.close_session()
    same_trees(ensemble)
    equal("/mine" in dump(ensemble[1].address), False)


def minority_acknowledges_nothing(ensemble):
    leader = ensemble.wait_leader()
    rest = [number for number in ensemble if number != leader]
    with rawzk.open_session(ensemble[leader].address, timeout=60000) as client:
        client.must(zk.create("/quorum", b"0"))
        for number in rest:
            ensemble[number].kill()
        client.send(zk.set_data("/quorum", b"1"))
        items = client.until_closed(SECONDS)  # it steps down
        assert not any(isinstance(item, rawzk.Reply) and item.err == 0 for item in items), f"acknowledged: {items}"
    wait_until("it serves nobody", lambda: mode(ensemble[leader]) is None)
    ensemble[rest[0]].launch()
    writes_through(ensemble, ensemble.alive(), "/again")
    ensemble.start()
    same_trees(ensemble)


def ends_in_order_and_soon(ensemble):
    for number in (*ensemble.followers(), ensemble.wait_leader()):
        begin = time.monotonic()
        ensemble[number].process.send_signal(signal.SIGTERM)
        equal(ensemble[number].wait_exit(), 0, f"status of server {number}")
        seconds = time.monotonic() - begin
        assert seconds < 1.0, f"server {number} took {seconds:.2f} s to end"
        ensemble[number].start()


def session_moves(ensemble):
    with rawzk.Connection(ensemble[1].address) as first:
        own = first.handshake(timeout=5000)
        first.must(zk.create("/moving", b"", flags=zk.EPHEMERAL))
    for number in (2, 3, 1):
        with rawzk.Connection(ensemble[number].address) as client:
            again = client.handshake(session_id=own.id, password=own.password, timeout=5000)
            equal(again.id, own.id)
            client.must(zk.sync("/"))
            equal(client.must(zk.exists("/moving")).ephemeral_owner, own.id)
    with session(ensemble[2]) as other:
        def gone():
            other.must(zk.sync("/"))
            return other.call(zk.exists("/moving")).err == -101
        wait_until("the ephemeral of the silent session is gone", gone)


def watches_across_servers(ensemble):
    with session(ensemble[1]) as watcher, session(ensemble[2]) as writer:
        writer.must(zk.create("/watched", b"0"))
        watcher.must(zk.sync("/"))
        watcher.must(zk.get_data("/watched", watch=True))
        writer.must(zk.set_data("/watched", b"1"))
        event = watcher.item(SECONDS)
        equal((event.type, event.path), (3, "/watched"))
        equal(watcher.must(zk.get_data("/watched"))[0], b"1")


def one_after_the_other(ensemble):
    """A rolling restart: never without a quorum for longer than an election takes."""
    with session(ensemble[1]) as client:
        client.must(zk.create("/roll", b"0"))
    for turn, number in enumerate(ensemble):
        ensemble[number].stop()
        writes_through(ensemble, ensemble.alive(), f"/roll/{turn}")
        ensemble[number].start()
    equal(len([path for path in same_trees(ensemble) if path.startswith("/roll/")]), 3)


# Each of these makes the ensembles that it needs.

def met_by_name(which):
    with Ensemble(which, host="localhost") as ensemble:
        leader_killed(ensemble)


def met_by_ipv6(which):
    with Ensemble(which, host="[::1]") as ensemble:
        leader_killed(ensemble)


def alone_in_its_ensemble(which):
    with Ensemble(which, 1) as ensemble:
        ensemble.wait_mode(1, "leader")
        write(ensemble[1], "/alone", b"1")
        ensemble[1].kill()
        ensemble[1].start()
        equal(read_through(ensemble[1], "/alone"), b"1")


def an_operator_decides(which):
    """docs/operations/recovery.md: what a server in doubt has is all there is."""
    with Ensemble(which, 1) as ensemble:
        server = ensemble[1]
        for at in range(20):
            write(server, f"/kept-{at}", b"x" * 50)
        server.kill()
        version2 = server.home.data / "version-2"
        log = min(version2.glob("log.*"))
        log.write_bytes(bytes(byte ^ 1 if at == 2500 else byte for at, byte in enumerate(log.read_bytes())))
        server.launch()
        wait_until("it is in doubt", lambda: in_doubt(server))
        server.kill()
        for snapshot in version2.glob("snapshot.*"):
            snapshot.unlink()
        for file in (version2 / "quarantine-1").iterdir():
            file.rename(version2 / file.name)
        (version2 / "quarantine-1").rmdir()
        subprocess.run([server.binary, "log", "repair", str(log)], check=True, capture_output=True)
        (version2 / "history-in-doubt").unlink()
        server.launch()
        ensemble.wait_mode(1, "leader")
        kept = [path for path in dump(server.address) if path.startswith("/kept-")]
        assert 0 < len(kept) < 20, kept
        write(server, "/goes-on", b"1")


def two_of_two(which):
    with Ensemble(which, 2) as ensemble:
        write(ensemble[1], "/both", b"1")
        ensemble[1].kill()
        wait_until("one of two serves nobody", lambda: mode(ensemble[2]) is None)
        ensemble[1].start()
        ensemble.wait_serving()
        equal(read_through(ensemble[2], "/both"), b"1")


def an_observer(which):
    with Ensemble(which, 4, observers=[4]) as ensemble:
        ensemble.wait_mode(4, "observer")
        write(ensemble[4], "/through-the-observer", b"1")
        equal(read_through(ensemble[1], "/through-the-observer"), b"1")
        ensemble[ensemble.wait_leader()].kill()
        writes_through(ensemble, [4], "/with-another-leader")
        others = [number for number in ensemble.alive() if number != 4]
        ensemble[others[0]].kill()  # one voter of three is left, and the observer does not count
        wait_until("nobody serves", lambda: not any(mode(ensemble[number]) for number in ensemble.alive()))
        ensemble.start()
        ensemble[4].kill()
        writes_through(ensemble, [1], "/without-the-observer")
        ensemble[4].start()
        same_trees(ensemble)


def weights_and_groups(which):
    settings = {"group.1": "1:2:3", "weight.1": "1", "weight.2": "1", "weight.3": "0"}
    with Ensemble(which, settings=settings) as ensemble:
        elects_and_replicates(ensemble)
        assert ensemble.wait_leader() != 3, "a server without weight leads"
        ensemble[3].kill()  # nobody's vote
        writes_through(ensemble, [1, 2], "/without-the-weightless")
        ensemble[3].start()
        ensemble[1].kill()
        wait_until("half of the weight is no quorum", lambda: not any(mode(ensemble[number]) for number in (2, 3)))


def reads_without_a_quorum(which):
    with Ensemble(which, properties={"readonlymode.enabled": "true"}) as ensemble:
        write(ensemble[1], "/read-only", b"1")
        read_through(ensemble[1], "/read-only")
        ensemble[2].kill()
        ensemble[3].kill()
        wait_until("the last one only reads", lambda: rawzk.four_letter_word(ensemble[1].address, b"isro") == b"ro")
        with rawzk.Connection(ensemble[1].address) as client:
            assert not isinstance(client.handshake(timeout=4000), rawzk.Session), "a client that writes was let in"
        with rawzk.Connection(ensemble[1].address) as client:
            equal(client.handshake(timeout=4000, read_only=True).read_only, True)
            equal(client.must(zk.get_data("/read-only"))[0], b"1")
            equal(client.call(zk.set_data("/read-only", b"2")).err, -119)
        ensemble[2].start()
        writes_through(ensemble, [1, 2], "/writes-again")
        wait_until("it writes again itself", lambda: rawzk.four_letter_word(ensemble[1].address, b"isro") == b"rw")


def local_sessions(which):
    """Sessions that only their server knows, until they make an ephemeral node."""
    with Ensemble(which, settings={"localSessionsEnabled": "true", "localSessionsUpgradingEnabled": "true"}) as ensemble:
        follower = ensemble[ensemble.followers()[0]]
        with rawzk.Connection(follower.address) as client:
            own = client.handshake(timeout=4000)
            client.must(zk.create("/local", b"1"))
            client.must(zk.create("/local/e", b"", flags=zk.EPHEMERAL))
            leader = ensemble[ensemble.wait_leader()]
            equal(read_through(leader, "/local/e"), b"")
            with session(leader) as other:
                equal(other.must(zk.exists("/local/e")).ephemeral_owner, own.id)
            client.close_session()
        with session(leader) as other:
            other.must(zk.sync("/"))
            equal(other.call(zk.exists("/local/e")).err, -101)
        same_trees(ensemble)


def a_second_server_of_one_number(which):
    """The election port is taken: exit code 14, and the first one goes on."""
    with Ensemble(which) as ensemble:
        second = make_server(which, {**ensemble[1].settings, "electionPortBindRetry": "1"}, None, Home())
        (second.home.data / "myid").write_text("1\n")
        try:
            second.launch()
            equal(second.wait_exit(), 14)
        finally:
            second.__exit__()
        elects_and_replicates(ensemble)


TESTS = [elects_and_replicates, says_who_it_is, leader_killed, follower_killed, emptied_follower_gets_a_snapshot, one_in_doubt_says_so, all_killed,
         minority_acknowledges_nothing, ends_in_order_and_soon, session_moves, watches_across_servers, one_after_the_other]

OWN = [met_by_name, met_by_ipv6, alone_in_its_ensemble, an_operator_decides, two_of_two, an_observer, weights_and_groups, reads_without_a_quorum,
       local_sessions, a_second_server_of_one_number]

# With Apache in one ensemble: what needs no server's own words.
MIXED = [elects_and_replicates, leader_killed, follower_killed, emptied_follower_gets_a_snapshot, session_moves,
         watches_across_servers]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="path of the Quorate binary, or the word apache")
    parser.add_argument("only", nargs="*", help="names of tests: " + ", ".join(test.__name__ for test in TESTS + OWN))
    parser.add_argument("--mixed", choices=("1", "2"), help="so many of the three servers are Apache's")
    arguments = parser.parse_args()
    which, tests = [arguments.server] * 3, TESTS
    if arguments.mixed:
        apaches = int(arguments.mixed)
        which, tests = ["apache"] * apaches + [arguments.server] * (3 - apaches), MIXED
    failed = 0
    wanted = [test for test in tests if not arguments.only or test.__name__ in arguments.only]
    for test in wanted:
        with Ensemble(which) as ensemble:
            failed += not passes(test, ensemble)
    own = [test for test in OWN if not arguments.mixed and (not arguments.only or test.__name__ in arguments.only)]
    failed += sum(not passes(test, arguments.server) for test in own)
    wanted += own
    print(f"{len(wanted) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
