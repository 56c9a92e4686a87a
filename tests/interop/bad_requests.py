"""Requests that no good client sends, and those that damage Apache (HARDEN): each has one right answer."""

import itertools

import rawzk
import records as zk
from harness import equal
from jute import Writer
from rawzk import Closed, Reply
from servers import SUPER_AUTH

BIG = 0x7FFFFFFF
WRITES = ("create", "delete", "setData", "setACL", "multi", "create2", "createContainer", "createTTL")


def session(server):
    return rawzk.open_session(server.address)


def refused_and_closed(server, make_bytes):
    """The type is unknown to the server: -6 with zxid -1, then the end."""
    with session(server) as client:
        client.send_bytes(make_bytes(client))
        items = client.until_closed()
        equal([(item.zxid, item.err) for item in items[:-1]], [(-1, -6)], "refusal")


def create_ttl_without_ttl_flags(server):
    """HARDEN-1: kills Apache while applying, and again at every start."""
    with session(server) as client:
        for flags, ttl in itertools.product(range(5), (-1, -2, -(1 << 63), 0, 5)):
            equal(client.call(zk.create_ttl("/harden1", ttl, flags=flags)).err, -8, f"flags {flags} ttl {ttl}")
        equal(client.call(zk.exists("/harden1")).err, -101)


def garbage_in_quota_nodes(server):
    """HARDEN-2: anybody may write there; text that is no quota means no quota."""
    texts = (b"garbage", b"", None, b"=", b"count", b"count=", b"count=x,bytes=y", b"count=99999999999999999999,bytes=1",
             b"\xff\xfe\x00", b",;,;", b"=;=;=", b"count=1,bytes=2,", b"countHardLimit=z", b"c" * 100000, b"count=-5,bytes=-7")
    with session(server) as client:
        client.must(zk.create("/zookeeper/quota/g"))
        client.must(zk.create("/g"))
        for number, (limits, stats) in enumerate(itertools.product(texts, texts)):
            client.call(zk.create("/zookeeper/quota/g/zookeeper_limits", limits))
            client.call(zk.create("/zookeeper/quota/g/zookeeper_stats", b"count=0,bytes=0"))
            client.must(zk.set_data("/zookeeper/quota/g/zookeeper_stats", stats))
            client.must(zk.create(f"/g/{number}", b"data"))
            client.must(zk.set_data(f"/g/{number}", b"more data"))
            client.must(zk.delete(f"/g/{number}"))
            client.must(zk.delete("/zookeeper/quota/g/zookeeper_limits"))
            client.must(zk.delete("/zookeeper/quota/g/zookeeper_stats"))


def garbage_created_as_stats(server):
    """HARDEN-2: creating a stats node overwrites its data with the real counts, whatever was sent."""
    with session(server) as client:
        client.must(zk.create("/counted", b"12345"))
        client.must(zk.create("/zookeeper/quota/counted"))
        client.must(zk.create("/zookeeper/quota/counted/zookeeper_limits", b"no quota at all"))
        client.must(zk.create("/zookeeper/quota/counted/zookeeper_stats", b"nonsense"))
        client.must(zk.create("/counted/x", b"678"))


def delete_container_from_a_client(server):
    """HARDEN-3: would delete any childless node without asking for permission."""
    with session(server) as client:
        client.must(zk.create("/harden3", b"", [zk.Acl(zk.READ, "world", "anyone")]))
        for body in (Writer().string("/harden3").bytes(), Writer().buffer(Writer().string("/harden3").bytes()).bytes(), b""):
            refused_and_closed(server, lambda other, body=body: other.code_bytes(20, body))
        client.must(zk.exists("/harden3"))


def create_session_from_a_client(server):
    """HARDEN-4."""
    refused_and_closed(server, lambda client: client.request_bytes(zk.create_session(4000)))


def check_at_top_level(server):
    """HARDEN-5: 3.8 logs it in a way that its own reader refuses."""
    refused_and_closed(server, lambda client: client.request_bytes(zk.check("/", 0)))


def wrong_password_cuts_nobody(server):
    """HARDEN-6: who knows only the session id cannot disturb the session."""
    with session(server) as victim:
        for password in (b"x" * 16, b"", None, victim.session.password[:15]):
            with rawzk.Connection(server.address) as thief:
                answer = thief.handshake(session_id=victim.session.id, password=password)
                equal((answer.timeout, answer.id, answer.password), (0, 0, b"\0" * 16))
                equal(thief.until_closed(), [Closed()])
            victim.must(zk.exists("/"))


def undecodable_writes_and_zxids(server):
    """HARDEN-7: an undecodable write never shares its zxid with another transaction."""
    with session(server) as client:
        last = client.call(zk.create("/harden7")).zxid
        for name in WRITES:
            refused = client.call(zk.malformed(name, b"\0"))
            assert refused.err == -5 and refused.zxid >= last, refused
            written = client.call(zk.set_data("/harden7", b""))
            assert written.zxid > refused.zxid and written.body.mzxid == written.zxid, (refused, written)
            last = written.zxid


def container_flag_on_plain_create(server):
    """HARDEN-8: create and create2 with flags 4 make an ordinary node."""
    with session(server) as client:
        for op in (zk.create("/harden8a", flags=4), zk.create2("/harden8b", flags=4)):
            client.must(op)
        equal(client.must(zk.exists("/harden8a")).ephemeral_owner, 0)


def filtered_event_uses_the_watch_up(server):
    """HARDEN-9: no event without READ; the one-shot watch is gone all the same."""
    with session(server) as watcher, rawzk.open_super(server.address, SUPER_AUTH) as keeper:
        keeper.must(zk.create("/harden9"))
        watcher.must(zk.get_data("/harden9", True))
        keeper.must(zk.set_acl("/harden9", [zk.Acl(zk.ALL, "digest", "a:b")]))
        keeper.must(zk.set_data("/harden9", b"hidden"))
        keeper.must(zk.set_acl("/harden9", zk.OPEN_ACL))
        keeper.must(zk.set_data("/harden9", b"shown"))
        watcher.send(zk.simple("ping"))
        equal([type(item) for item in watcher.items_until_answered()], [Reply])


def text_beyond_the_basic_plane(server):
    """Both encodings of such a character are understood, the standard one is sent (client 1.1 rule 4)."""
    face = "\U0001F600:x"
    for number, sent in enumerate((face.encode(), b"\xed\xa0\xbd\xed\xb8\x80:x")):
        with session(server) as client:
            client.must(zk.create(f"/face{number}", b"", [zk.Acl(zk.ALL, "digest", sent), *zk.OPEN_ACL]))
            acl, _stat = client.must(zk.get_acl(f"/face{number}"))
            equal(acl[0].id, face)


def every_record_cut_everywhere(server):
    """A record that ends early is refused as such; the connection goes on. Trailing bytes are ignored."""
    acl = [zk.Acl(zk.ALL, "world", "anyone")]
    ops = (zk.create("/cut", b"data", acl), zk.create2("/cut", b"data", acl), zk.create_container("/cut", b"data", acl),
           zk.create_ttl("/cut", 1000, b"data", acl), zk.delete("/cut"), zk.exists("/cut"), zk.get_data("/cut"), zk.set_data("/cut", b"x"),
           zk.get_acl("/cut"), zk.set_acl("/cut", acl), zk.get_children("/cut"), zk.get_children2("/cut"), zk.sync("/cut"),
           zk.multi([zk.create("/cut", b"", acl), zk.delete("/cut")]), zk.multi_read([zk.get_data("/cut")]), zk.check_watches("/cut", 3),
           zk.remove_watches("/cut", 3), zk.set_watches(0, ["/cut"], [], []), zk.set_watches2(0, ["/cut"], [], [], [], ["/x"]),
           zk.add_watch("/cut", 0), zk.get_ephemerals("/"), zk.get_all_children_number("/"))
    with session(server) as client:
        for op in ops:
            for cut in range(len(op.body)):
                equal(client.call(zk.malformed(op.name, op.body[:cut])).err, -5, f"{op} cut at {cut}")
        client.must(zk.malformed("exists", zk.exists("/").body + b"trailing"))


def impossible_lengths(server):
    """Strings, buffers and vectors with lengths that cannot be."""
    with session(server) as client:
        for length in (-2, -BIG, BIG, 2097151, 3000000):
            equal(client.call(zk.malformed("getData", Writer().int(length).raw(b"/a\0").bytes())).err, -5, f"string {length}")
            body = Writer().string("/lengths").int(length).raw(b"x" * 20).bytes()
            equal(client.call(zk.malformed("setData", body)).err, -5, f"buffer {length}")
        for count in (BIG, 1 << 24, 1000):
            body = Writer().string("/lengths").buffer(b"").int(count).bytes()
            equal(client.call(zk.malformed("create", body)).err, -5, f"acl count {count}")
            equal(client.call(zk.malformed("setWatches", Writer().long(0).int(count).bytes())).err, -5, f"watches {count}")
        for count in (0, -2, -BIG):
            body = Writer().string("/lengths").buffer(b"").int(count).int(0).bytes()
            equal(client.call(zk.malformed("create", body)).err, -114, f"acl count {count}")


def nulls(server):
    """Null strings and records where none may be."""
    with session(server) as client:
        for op in (zk.create(None), zk.get_data(None), zk.delete(None), zk.get_children(None), zk.exists(None), zk.get_acl(None),
                   zk.set_watches(0, None, [], []), zk.create("/null", acl=[zk.Acl(31, "world", None)])):
            equal(client.call(op).err, -5, str(op))
        for op in (zk.create("/null", acl=None), zk.create("/null", acl=[zk.Acl(31, None, "x")])):
            equal(client.call(op).err, -114, str(op))
        for op in (zk.set_data(None, b""), zk.set_acl(None, zk.OPEN_ACL)):
            assert client.call(op).err in (-5, -8), str(op)


def long_paths(server):
    """Very long names and very deep paths are paths like others."""
    with session(server) as client:
        name = "/" + "n" * 400000
        equal(client.must(zk.create(name)), name)
        equal(client.must(zk.get_data(name))[0], b"")
        client.must(zk.delete(name))
        equal(client.call(zk.create("/deep" * 20000)).err, -101)
        path = ""
        for _ in range(300):
            path += "/d"
            client.must(zk.create(path))
        while path:
            client.must(zk.delete(path))
            path = path[:-2]


def multis_of_many_kinds(server):
    """Wrong parts, no parts, thousands of parts, a multi that never ends, a multi in a multi."""
    with session(server) as client:
        for parts in ([zk.get_data("/")], [zk.create("/m"), zk.get_data("/")], [zk.sync("/")], [zk.multi([])], [zk.simple("closeSession")],
                      [zk.delete_container("/")], [zk.auth("digest", b"a:b")], [zk.create_session(1)]):
            equal(client.call(zk.multi(parts)).err, -5, str(parts))
        equal(client.must(zk.multi([])), [])
        many = [zk.create(f"/many{number}") for number in range(3000)]
        equal(len(client.must(zk.multi(many))), 3000)
        equal(len(client.must(zk.multi([zk.delete(f"/many{number}") for number in range(3000)]))), 3000)
        endless = zk.multi([zk.check("/", -1)] * 20000).body[:-9]
        equal(client.call(zk.malformed("multi", endless)).err, -5)


def random_records(server, rng):
    """Any type with any bytes: an answer or the end, never silence, and others are not disturbed."""
    codes = [code for code in zk.OP.values() if code not in (zk.OP["ping"], zk.OP["closeSession"])]
    with session(server) as witness:
        client = session(server)
        for _ in range(600):
            client.send_bytes(client.code_bytes(rng.choice(codes), rng.randbytes(rng.choice((0, 1, 4, 9, 30, 200)))))
            if Closed() in client.items_until_answered():
                client.drop()
                client = session(server)
        client.drop()
        witness.must(zk.exists("/"))


def mutated_records(server, rng):
    """Good requests with some bytes changed."""
    ops = [zk.create("/mutated", b"data"), zk.create_ttl("/mutated", 1000), zk.set_acl("/mutated", zk.OPEN_ACL),
           zk.multi([zk.create2("/mutated"), zk.set_data("/mutated", b"x"), zk.create_ttl("/t", 5), zk.delete("/mutated")]),
           zk.set_watches2(1, ["/a"], ["/b"], ["/c"], ["/d"], ["/e"]), zk.reconfig("server.1=a:1:2", "3", None)]
    client = session(server)
    for _ in range(600):
        op = rng.choice(ops)
        body = bytearray(op.body)
        for _ in range(rng.randint(1, 4)):
            body[rng.randrange(len(body))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
        client.send(zk.malformed(op.name, bytes(body)))
        if Closed() in client.items_until_answered():
            client.drop()
            client = session(server)
    client.drop()
