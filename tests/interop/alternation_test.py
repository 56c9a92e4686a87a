"""Apache and Quorate take turns on one data directory; each must find exactly what the other one left.

    alternation_test.py BIN            Apache and Quorate, seven turns
    alternation_test.py apache         Apache alone: the test of this test

Each turn starts a server, compares the tree with the picture taken at the end of the turn before, lets clients write
transactions of every kind, takes a new picture, and stops the server: in order or by SIGKILL, in alternation. Sessions
stay open across the turns, so their ephemerals must too; sessions ask for ten minutes, so that none expires.
"""

import argparse
import random
import sys

import rawzk
import records as zk
from dumping import differences, dump
from random_ops import GOOD_IDS, USERS, RandomOps
from servers import SUPER_AUTH, Home, make_server
from waiting import wait_until

# Both ways of stopping (even turns in order, odd turns killed) fall on both programs.
ORDER = ("apache", "tested", "tested", "apache", "apache", "tested", "apache")
OPERATIONS = 400
REAPER_PASSES = 6  # an emptied parent is due one pass after its last child
SESSION_MS = 600000
SETTINGS = {"snapCount": "300", "preAllocSize": "64", "enforceQuota": "true"}
PROPERTIES = {"znode.container.checkIntervalMs": "300"}


class KeepableOps(RandomOps):
    """Operations that Apache itself keeps correctly over a restart.

    Not kept: ids beyond the basic plane (client 1.1 rule 4). Wrong digest in its log: container creation without
    container flags and the reverse (client 4.2, 13.8).
    """

    good_ids = tuple(entry for entry in GOOD_IDS if max(entry[1] or "a") < "\ud800")
    create_flags = tuple(flags for flags in RandomOps.create_flags if flags != zk.CONTAINER)
    container_flags = (zk.CONTAINER,)


class Turn:
    """One server's time on the directory."""

    def __init__(self, number, server, sessions):
        self.number = number
        self.server = server
        self.rng = random.Random(number)
        self.sessions = sessions  # sessions of earlier turns, still alive
        self.root = f"/turn{number}"

    def work(self):
        """Write transactions of all kinds from three clients, of which one stays, one closes, and one renews an old session."""
        keeper = rawzk.open_super(self.server.address, SUPER_AUTH)
        keeper.must(zk.create(self.root, b"root of a turn"))
        clients = [rawzk.open_session(self.server.address, timeout=SESSION_MS) for _ in range(2)] + self._renewed()
        for client, user in zip(clients, USERS):
            client.send(zk.auth("digest", user), zk.AUTH_XID)
        ops = KeepableOps(self.rng, self.root)
        for _ in range(OPERATIONS):
            number = self.rng.randrange(len(clients))
            clients[number].send(ops.any(number))
            clients[number].items_until_answered()
        self._certain(clients[0])
        self._quota(keeper)
        self._reaped(clients[0])
        self._leave(clients, keeper)

    def _renewed(self):
        if not self.sessions:
            return []
        session = self.rng.choice(self.sessions)
        return [rawzk.open_session(self.server.address, session_id=session.id, password=session.password, timeout=SESSION_MS)]

    def _certain(self, client):
        """One transaction of each kind, in case the random part has missed it."""
        root = self.root
        for op in (zk.create(f"{root}/fix"), zk.create2(f"{root}/fix/two", None), zk.create_container(f"{root}/fix/c"),
                   zk.create_ttl(f"{root}/fix/t", 0xFFFFFFFFFF), zk.create(f"{root}/fix/e", b"", zk.OPEN_ACL, zk.EPHEMERAL),
                   zk.create(f"{root}/fix/s-", b"", zk.OPEN_ACL, zk.SEQUENTIAL), zk.set_data(f"{root}/fix", b"\0" * 3000),
                   zk.set_acl(f"{root}/fix/two", [zk.Acl(zk.READ, "ip", "127.0.0.1"), zk.Acl(zk.ALL, "digest", "x:y")]),
                   zk.create(f"{root}/fix/gone"), zk.delete(f"{root}/fix/gone"),
                   zk.multi([zk.create2(f"{root}/fix/m"), zk.set_data(f"{root}/fix/m", b"m"), zk.check(f"{root}/fix/m", 1),
                             zk.create_container(f"{root}/fix/mc"), zk.create_ttl(f"{root}/fix/mt", 999999),
                             zk.create(f"{root}/fix/me", b"", zk.OPEN_ACL, zk.EPHEMERAL_SEQUENTIAL), zk.delete(f"{root}/fix/s-0000000004")]),
                   zk.multi([zk.create(f"{root}/fix/never"), zk.check("/none", 0)]), zk.multi([])):
            client.must(op)

    def _reaped(self, client):
        """A container and a TTL node are taken by the reaper, and all others that are due."""
        client.must(zk.create_container(f"{self.root}/reaped"))
        client.must(zk.create(f"{self.root}/reaped/x"))
        client.must(zk.delete(f"{self.root}/reaped/x"))
        for _ in range(REAPER_PASSES):
            client.must(zk.create_ttl(f"{self.root}/shortlived", 1))
            wait_until("the reaper has passed", lambda: client.call(zk.exists(f"{self.root}/shortlived")).err == -101)
        assert client.call(zk.exists(f"{self.root}/reaped")).err == -101, "an emptied container is left"

    def _quota(self, keeper):
        quota = f"/zookeeper/quota{self.root}"
        keeper.must(zk.create(quota))
        keeper.must(zk.create(f"{quota}/zookeeper_limits", b"count=5000,bytes=-1=;byteHardLimit=900000;countHardLimit=-1"))
        keeper.must(zk.create(f"{quota}/zookeeper_stats", b"count=0,bytes=0"))
        keeper.must(zk.create(f"{self.root}/counted", b"12345"))

    def _leave(self, clients, keeper):
        """The first client stays connected until the server stops; the second closes with ephemerals; the last vanishes."""
        clients[1].must(zk.create(f"{self.root}/closing-", b"", zk.OPEN_ACL, zk.EPHEMERAL_SEQUENTIAL))
        clients[1].close_session()
        keeper.close_session()
        self.sessions.append(clients[0].session)
        for client in clients[2:]:
            client.drop()


def digest_mismatches(server):
    """An Apache server counts replayed transactions whose digest is not the one in the log."""
    for line in rawzk.four_letter_word(server.address, b"mntr").decode().splitlines():
        if line.startswith("zk_digest_mismatches_count"):
            return int(float(line.split("\t")[1]))
    return 0


def end_sessions(server, sessions):
    """The sessions of all turns can be ended, and their ephemerals go with them."""
    for session in sessions:
        rawzk.open_session(server.address, session_id=session.id, password=session.password).close_session()
    left = [path for path, (_data, stat, _acl) in dump(server.address).items() if stat.ephemeral_owner]
    assert not left, f"ephemerals of ended sessions: {left}"


def take_turn(number, which, home, sessions, before):
    """One turn; the picture of the tree at its end."""
    server = make_server(which, SETTINGS, PROPERTIES, home)
    try:
        server.start()
        found = dump(server.address)
        lines = differences(before, found) if before else []
        assert not lines, "\n".join(lines[:20])
        assert not digest_mismatches(server), f"{digest_mismatches(server)} digests differ"
        Turn(number, server, sessions).work()
        if number == len(ORDER) - 1:
            end_sessions(server, sessions)
        picture = dump(server.address)
        if number % 2:
            server.kill()
        else:
            server.stop()
        return picture
    except Exception:
        print(server.log_tail())
        raise
    finally:
        server.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", help="path of the Quorate binary, or the word apache")
    arguments = parser.parse_args()
    home, sessions, picture = Home(), [], None
    try:
        for number, which in enumerate(ORDER):
            which = arguments.server if which == "tested" else which
            picture = take_turn(number, which, home, sessions, picture)
            print(f"  turn {number} by {which.rsplit('/', 1)[-1]}: {len(picture)} nodes, {len(sessions)} sessions kept", flush=True)
    except AssertionError as fault:
        print(f"FAIL in turn {number} by {which}: {fault}")
        return 1
    finally:
        home.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
