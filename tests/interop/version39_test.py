"""What 3.9 does and 3.8 does not: against Quorate alone, with the answers written down from the specification."""

import rawzk
import records as zk
from harness import equal, run
from rawzk import Event
from servers import SUPER_AUTH

CREATED, DELETED, CHANGED, CHILD = 1, 2, 3, 4
CHILDREN_TYPE, DATA_TYPE, ANY_TYPE, PERSISTENT_TYPE, RECURSIVE_TYPE = 1, 2, 3, 4, 5


def session(server):
    return rawzk.open_session(server.address)


def events(client):
    """(type, path) of the events that have been queued for the client, in order."""
    client.send(zk.simple("ping"))
    return [(item.type, item.path) for item in client.items_until_answered() if isinstance(item, Event)]


def notification_carries_the_zxid(server):
    """client 7.6: the zxid of the causing transaction; -1 when setWatches is the cause."""
    with session(server) as client:
        client.must(zk.create("/z"))
        client.must(zk.get_data("/z", True))
        client.send(zk.set_data("/z", b"1"))
        event, reply = client.items_until_answered()
        equal((event.zxid, event.type, event.state), (reply.zxid, CHANGED, 3))
        client.send(zk.set_watches(0, ["/z"], [], []), zk.SET_WATCHES_XID)
        equal([item.zxid for item in client.items_until_answered()], [-1, reply.zxid])


def modes_accumulate(server):
    """client 7.1: a one-shot, a persistent and a recursive watch on one path live side by side; one event each time."""
    with session(server) as client, session(server) as writer:
        writer.must(zk.create("/w"))
        client.must(zk.get_data("/w", True))
        client.must(zk.get_children("/w", True))
        client.must(zk.add_watch("/w", zk.PERSISTENT))
        client.must(zk.add_watch("/w", 1))
        writer.must(zk.set_data("/w", b"1"))
        writer.must(zk.create("/w/x"))
        equal(events(client), [(CHANGED, "/w"), (CREATED, "/w/x"), (CHILD, "/w")])
        client.must(zk.remove_watches("/w", RECURSIVE_TYPE))
        writer.must(zk.set_data("/w", b"2"))
        writer.must(zk.delete("/w/x"))
        equal(events(client), [(CHANGED, "/w"), (CHILD, "/w")])
        client.must(zk.remove_watches("/w", PERSISTENT_TYPE))
        writer.must(zk.set_data("/w", b"3"))
        equal(events(client), [])


def one_shot_under_persistent(server):
    """client 7.2: an event uses the one-shot watch up even where a persistent one would have delivered it too."""
    with session(server) as client, session(server) as writer:
        writer.must(zk.create("/u"))
        client.must(zk.get_data("/u", True))
        client.must(zk.add_watch("/u", zk.PERSISTENT))
        writer.must(zk.set_data("/u", b"1"))
        equal(events(client), [(CHANGED, "/u")])
        equal(client.call(zk.check_watches("/u", DATA_TYPE)).err, -121)
        client.must(zk.check_watches("/u", PERSISTENT_TYPE))


def watcher_types(server):
    """client 7.9: types 1 and 2 see one-shot watches only, 4 and 5 their own mode, 3 everything."""
    with session(server) as client:
        client.must(zk.create("/t"))
        registrations = {CHILDREN_TYPE: zk.get_children("/t", True), DATA_TYPE: zk.get_data("/t", True),
                         PERSISTENT_TYPE: zk.add_watch("/t", 0), RECURSIVE_TYPE: zk.add_watch("/t", 1)}
        for kind, registration in registrations.items():
            client.must(registration)
            found = [other for other in registrations if client.call(zk.check_watches("/t", other)).err == 0]
            equal(found, [kind], "found")
            client.must(zk.check_watches("/t", ANY_TYPE))
            for other in registrations:
                equal(client.call(zk.remove_watches("/t", other)).err, 0 if other == kind else -121, f"remove {other} of {kind}")
            equal(client.call(zk.check_watches("/t", ANY_TYPE)).err, -121)
        for registration in registrations.values():
            client.must(registration)
        client.must(zk.remove_watches("/t", ANY_TYPE))
        client.must(zk.set_data("/t", b"silence"))
        equal(events(client), [])


def exists_asks_for_read(server):
    """client 4.7: no Stat without READ, and no watch either."""
    with session(server) as client, rawzk.open_super(server.address, SUPER_AUTH) as keeper:
        keeper.must(zk.create("/r", b"", [zk.Acl(zk.WRITE, "world", "anyone")]))
        equal(client.call(zk.exists("/r", True)).err, -102)
        equal(client.call(zk.check_watches("/r", ANY_TYPE)).err, -121)
        equal(client.call(zk.exists("/r/none", True)).err, -101)


def recursive_watch_respects_acl(server):
    """client 7.4: a recursive watcher hears nothing of nodes it may not read."""
    with session(server) as client, rawzk.open_super(server.address, SUPER_AUTH) as keeper:
        keeper.must(zk.create("/f"))
        client.must(zk.add_watch("/f", 1))
        hidden = [zk.Acl(zk.ALL, "digest", "a:b")]
        for op in (zk.create("/f/open"), zk.create("/f/hidden", b"", hidden), zk.set_data("/f/hidden", b"1"), zk.delete("/f/hidden"),
                   zk.set_data("/f/open", b"1")):
            keeper.must(op)
        equal(events(client), [(CREATED, "/f/open"), (CHANGED, "/f/open")])


def create2_in_multi(server):
    """client 6.2: results of create2, createContainer and createTTL have type 15 and a Stat."""
    with session(server) as client:
        results = client.must(zk.multi([zk.create("/m"), zk.create2("/m/2", b"xy"), zk.create_container("/m/c"), zk.create_ttl("/m/t", 5000)]))
        equal([result[0] for result in results], [1, 15, 15, 15])
        path, stat = results[1][2]
        equal((path, stat.data_length, stat.czxid == stat.mzxid), ("/m/2", 2, True))


def flags_inside_multi(server):
    """client 6.4: looked at while decoding; 4 makes a container, TTL creation without TTL flags a plain node."""
    with session(server) as client:
        for op in (zk.create("/x", flags=7), zk.create2("/x", flags=-1), zk.create("/x", flags=5), zk.create_container("/x", flags=6),
                   zk.create("/x", acl=None)):
            equal(client.call(zk.multi([zk.check("/", -1), op])).err, -5, str(op))
        results = client.must(zk.multi([zk.create("/contained", flags=4), zk.create_ttl("/plain", -1, flags=0)]))
        equal([result[:2] for result in results], [(15, 0), (1, 0)])
        equal(results[0][2][0], "/contained")


def ipv6_in_acls(server):
    """client 10.4: IPv6 addresses and prefixes are valid ids; they never match an IPv4 client."""
    good = ("::1", "::", "fe80::/10", "1:2:3:4:5:6:7:8", "::/0", "1::8/128", "ABCD::ef")
    bad = ("1::2::3", "::1/129", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::g", "fe80::1%eth0", "::127.0.0.1", "::1/-1", "::1/")
    with session(server) as client:
        client.must(zk.create("/six"))
        for number, address in enumerate(good):
            client.must(zk.create(f"/six/{number}", b"", [zk.Acl(zk.ALL, "ip", address)]))
            equal(client.call(zk.get_data(f"/six/{number}")).err, -102, address)
        for address in bad:
            equal(client.call(zk.create("/six/bad", b"", [zk.Acl(zk.ALL, "ip", address)])).err, -114, address)


def null_path_in_multi(server):
    """client 3.5, 4.1: refused as a whole, with a zxid of its own, and no zxid is lost (3.8 skips one)."""
    with session(server) as client:
        last = client.call(zk.create("/nulls")).zxid
        for op in (zk.set_data(None, b""), zk.create(None), zk.delete(None), zk.check(None, 0)):
            refused = client.call(zk.multi([zk.check("/nulls", -1), op]))
            assert refused.err in (0, -5) and refused.zxid == last + 1, refused
            last = client.call(zk.set_data("/nulls", b"")).zxid
            equal(last, refused.zxid + 1, "the next zxid")


def reads_of_odd_paths(server):
    """client 4.1: reads do not validate paths."""
    with session(server) as client:
        for path in ("", "a", "//", "/a/", "/\0", "/\ufffd"):
            for make in (zk.get_data, zk.get_children, zk.get_acl, zk.get_all_children_number):
                expected = (0, -101) if path == "" else (-101,)  # "" is an alias of the root
                assert client.call(make(path)).err in expected, (make.__name__, path)
            client.must(zk.sync(path))
            client.must(zk.add_watch(path, 0))
        equal(client.call(zk.exists("/\0")).err, -8)


if __name__ == "__main__":
    run(__doc__, [notification_carries_the_zxid, modes_accumulate, one_shot_under_persistent, watcher_types, exists_asks_for_read,
                  recursive_watch_respects_acl, create2_in_multi, flags_inside_multi, ipv6_in_acls, null_path_in_multi,
                  reads_of_odd_paths])
