"""The steps of a comparison: each does one thing to both servers and compares all consequences.

A step is a function of the world and the source of random operations. Its docstring says what it is about.
"""

import records as zk
from allowed import load_rows
from random_ops import STANDARD, USERS, watch_mode
from servers import SUPER_AUTH
from twins import B, NULL_PASSWORD
from world import SUPER

UNKNOWN_TYPES = (10, 23, 99, 108, 999, 0, -1, -2, -12, 2147483647, -2147483648)
MAX_FRAME = 1048575
EXPIRING_MS = 1000


def _client(world, ops):
    twin = ops.rng.choice(world.twins)
    world.revive(twin)
    return twin


def _throwaway(world):
    """A client for one step: the step may break its connection."""
    twin = world.twin(90)
    world.left_open.append(twin.sessions)
    return twin


def _learn_names(ops, items):
    """Let later operations use the names that the servers gave."""
    for item in items:
        body = getattr(item, "body", None)
        name = body[0] if isinstance(body, tuple) else body
        if isinstance(name, str) and name.startswith(ops.root) and len(ops.made) < 40:
            ops.made.append(name)


def single(world, ops):
    """One operation of the mixture."""
    twin = _client(world, ops)
    _learn_names(ops, world.do(twin, [ops.any(twin.number)]))


def burst(world, ops):
    """Pipelined operations on one connection."""
    twin = _client(world, ops)
    _learn_names(ops, world.do(twin, _several(ops, twin)))


def certain(world, ops):
    """Refusals that chance may miss, each met for sure."""
    twin, root = world.twins[3], f"{ops.root}/certain"
    world.revive(twin)
    locked = [zk.Acl(zk.READ, "digest", "x:y")]
    for op in (zk.create(root), zk.create(f"{root}/e", b"", zk.OPEN_ACL, zk.EPHEMERAL), zk.create(f"{root}/e/child"),
               zk.create(f"{root}/locked", b"", locked), zk.get_data(f"{root}/locked"), zk.create(f"{root}/locked/x"),
               zk.create_container(f"{root}/c1", flags=1), zk.create_container(f"{root}/c3-", flags=3), zk.create(f"{root}/c1/x"),
               zk.create(root), zk.delete(root), zk.delete(f"{root}/e", 5), zk.set_acl(root, zk.OPEN_ACL, 7), zk.set_acl(root, []),
               zk.set_acl(root, [zk.Acl(zk.ALL, None, "x")]),
               zk.get_acl(f"{root}/locked"), zk.remove_watches(root, 3), zk.delete("/zookeeper"), zk.delete("/"), zk.reconfig(None, None, ""),
               zk.multi([zk.create(f"{root}/m"), zk.create(f"{root}/e/m"), zk.check(root, 0)])):
        world.do(twin, [op])


def _several(ops, twin):
    """What may be pipelined: no sasl, which is answered out of order by design, and setACL only as the last, because Apache
    checks what follows it against the old or the new ACL, as a race decides."""
    several = [ops.any(twin.number) for _ in range(ops.rng.randint(3, 9))]
    last = [op for op in several if op.name == "setACL"][:1]
    return [op for op in several if op.name not in ("sasl", "setACL")] + last


def close_behind_burst(world, ops):
    """Pipelined operations with closeSession as the last. (What follows it is a race in Apache: dropped, or -112.)"""
    twin = _client(world, ops)
    world.finish(twin, [*_several(ops, twin), zk.simple("closeSession")])
    twin.sessions = [None, None]
    world.revive(twin)


def close_session(world, ops):
    """closeSession with ephemerals; the dead session cannot be renewed."""
    twin = _client(world, ops)
    world.do(twin, [zk.create(f"{ops.root}/c/e-", b"", zk.OPEN_ACL, zk.EPHEMERAL_SEQUENTIAL)])
    world.finish(twin, [zk.simple("closeSession")])
    world.note(f"{twin}: renew the closed session")
    greeting = world.greet(twin, renew=True)
    assert greeting.timeout == 0, "a closed session was renewed"
    twin.sessions = [None, None]
    world.revive(twin)


def auth(world, ops):
    """Authentication, right and wrong."""
    twin = _client(world, ops)
    scheme, secret = ops.rng.choice((("digest", USERS[0]), ("digest", USERS[1]), ("digest", b"nobody"), ("digest", b":"),
                                     ("digest", b"a:b:c"), ("digest", b""), ("ip", b""), ("ip", b"1.2.3.4"), ("world", b"anyone"),
                                     ("sasl", b""), ("auth", b""), ("super", b"super"), ("", b""), (None, b""),
                                     ("digest", SUPER_AUTH + b"x")))
    world.do(twin, [zk.auth(scheme, secret)], xid=ops.rng.choice((zk.AUTH_XID, 77)))
    world.revive(twin)
    world.do(twin, [zk.simple("whoAmI")])


def renew(world, ops):
    """A client that lost its connection comes back: same session, authentication, watches, in that order."""
    twin = _client(world, ops)
    seen = world.next_floor
    world.note(f"{twin}: dropped")
    twin.drop()
    single(world, ops)
    if twin.alive:  # the step above chose the same client and gave it a new session
        return
    world.note(f"{twin}: renewed")
    world.greet(twin, renew=True)
    world.log_in(twin)
    lists = ops.watch_lists(twin.number)
    behind = max(0, seen - ops.rng.randint(0, 20))
    world.do(twin, [lambda side: _set_watches(world, side, behind, lists)], xid=zk.SET_WATCHES_XID)


def _set_watches(world, side, canonical_zxid, lists):
    zxid = world.zxids.of_side(side, canonical_zxid)
    if lists[3] or lists[4]:
        return zk.set_watches2(zxid, *lists)
    return zk.set_watches(zxid, *lists[:3])


def set_watches_null(world, ops):
    """A null list in setWatches and setWatches2 is refused and registers nothing."""
    twin = _client(world, ops)
    world.do(twin, [zk.set_watches(0, None, (), ())], xid=zk.SET_WATCHES_XID)
    world.do(twin, [zk.set_watches2(0, (), (), (), None, ())], xid=zk.SET_WATCHES_XID)


def wrong_password(world, ops):
    """Renewal with a wrong password is refused and harms nothing."""
    twin = _client(world, ops)
    wrong = ops.rng.choice((b"\0" * 16, b"x" * 16, b"", b"short", NULL_PASSWORD, b"y" * 40))
    world.note(f"{twin}: renewal with password {wrong!r}")
    greeting = world.greet(twin, renew=True, password=wrong)
    assert greeting.timeout == 0, "a wrong password was accepted"
    world.greet(twin, renew=True)
    assert twin.alive
    world.log_in(twin)


def zxid_ahead(world, ops):
    """A client that has seen more than the server is sent away; one that has seen the same is not."""
    twin = _client(world, ops)
    world.note(f"{twin}: last zxid ahead")
    gap = ops.rng.choice((1, 1000, 1 << 40))
    world.greet(twin, renew=True, ahead=lambda side: world.zxids.of_side(side, world.next_floor) + gap)
    assert not twin.alive, "a client from the future was accepted"
    world.greet(twin, renew=True, ahead=lambda side: world.zxids.of_side(side, world.next_floor))
    assert twin.alive
    world.log_in(twin)


def take_over(world, ops):
    """A second connection takes a session over; the first one is closed."""
    twin = _client(world, ops)
    world.note(f"{twin}: taken over")
    second = type(twin)(world.addresses, world.normaliser, 91)
    second.sessions = twin.sessions
    world.greet(second, renew=True)
    world.expect_end(twin)
    world.left_open.append(second.sessions)
    twin.sessions = [None, None]
    second.drop()
    world.revive(twin)


def greetings(world, ops):
    """Odd but legal ConnectRequests: old clients, strange passwords and timeouts."""
    fields = ops.rng.choice((
        {"read_only": None}, {"read_only": True}, {"timeout": 0}, {"timeout": -5}, {"timeout": 1}, {"timeout": 999},
        {"timeout": 2147483647}, {"timeout": -2147483648}, {"timeout": 5001}, {"password": b""}, {"password": b"z" * 100},
        {"password": NULL_PASSWORD}))
    world.note(f"a new session with {fields}")
    twin = type(world.twins[0])(world.addresses, world.normaliser, 92)
    greeting = world.greet(twin, **fields)
    assert greeting.timeout > 0
    world.finish(twin, [zk.simple("closeSession")])


def expiry(world, ops):
    """A session whose client fell silent expires, and its ephemeral goes."""
    path = f"{ops.root}/expiring"
    world.note("a session of one second falls silent")
    watcher = world.twins[SUPER]
    world.revive(watcher)
    twin = type(watcher)(world.addresses, world.normaliser, 93)
    world.greet(twin, timeout=EXPIRING_MS)
    world.do(twin, [zk.create(path, b"", zk.OPEN_ACL, zk.EPHEMERAL)])
    world.do(watcher, [zk.exists(path, watch_mode(ops.root, SUPER, path) == STANDARD), zk.add_watch(path, zk.PERSISTENT)])
    twin.drop()
    world.await_event(watcher)
    greeting = world.greet(twin, renew=True)
    assert greeting.timeout == 0, "an expired session was renewed"
    world.do(watcher, [zk.remove_watches(path, 3)])


def unknown_type(world, ops):
    """Types that do not exist: UNIMPLEMENTED, then the end."""
    code = ops.rng.choice(UNKNOWN_TYPES)
    _raw(world, f"type {code}", lambda connection: connection.code_bytes(code, b"abc"))


def refused(world, _ops):
    """Types that only servers may use are unknown ones to Quorate; the reference is sent a really unknown one."""
    names = next(row["ops"] for row in load_rows() if row["rule"] == "refused_as_unknown")
    bodies = {"deleteContainer": zk.delete_container("/zookeeper"), "createSession": zk.create_session(5000),
              "check": zk.check("/", 0)}
    for name in names:
        def frames(connection, op=bodies[name]):
            foreign = connection.address == world.addresses[B] and not world.self_check
            return connection.code_bytes(op.code if foreign else 999, op.body, name=op.name)
        _raw(world, name, frames)


def _raw(world, what, make_bytes):
    """Bytes after which the server must close, on a connection of their own."""
    twin = _throwaway(world)
    world.note(f"raw: {what}")
    twin.send_raw(make_bytes)
    world.expect_end(twin)
    world.fence_all()


def bad_frame(world, ops):
    """Frames that end the connection: wrong lengths, too short for a header."""
    data = ops.rng.choice((b"\xff\xff\xff\xff", b"\x80\0\0\0", b"\x7f\xff\xff\xff", b"\0\x10\0\0", b"\0\0\0\0", b"\0\0\0\4abcd",
                           b"\0\0\0\7abcdefg", b"ruok", b"srvr"))
    _raw(world, repr(data), lambda _connection: data)


def large_frame(world, ops):
    """The largest frame passes, one byte more ends the connection."""
    twin = _throwaway(world)
    path = f"{ops.root}/large"
    world.do(twin, [zk.create(path)])
    fixed = 8 + len(zk.set_data(path, b"").body)
    world.do(twin, [zk.set_data(path, b"L" * (MAX_FRAME - fixed)), zk.set_data(path, b"small")])
    world.note("one byte too many")
    twin.send_raw(lambda connection: connection.request_bytes(zk.set_data(path, b"L" * (MAX_FRAME + 1 - fixed))))
    world.expect_end(twin)


def malformed(world, ops):
    """A record that ends too early: MARSHALLINGERROR, and the connection lives on."""
    twin = _client(world, ops)
    op = ops.any(twin.number)
    while len(op.body) < 2 or op.name in ("sasl", "deleteContainer"):
        op = ops.any(twin.number)
    cut = ops.rng.randrange(len(op.body))
    world.do(twin, [zk.malformed(op.name, op.body[:cut])])
    world.do(twin, [zk.malformed(op.name, op.body + b"trailing bytes")])


def negative_length(world, ops):
    """A string with an impossible length inside a good frame."""
    twin = _client(world, ops)
    name = ops.rng.choice(("create", "delete", "exists", "getData", "setData", "getChildren", "getACL", "sync", "addWatch"))
    length = ops.rng.choice((b"\xff\xff\xff\xfe", b"\x80\0\0\0", b"\x7f\xff\xff\xff", b"\0\x30\0\0"))
    world.do(twin, [zk.malformed(name, length + b"/a\0\0\0\0\0\0\0\0")])


STEPS = {
    single: 60, certain: 0.2, burst: 14, close_behind_burst: 1.5, close_session: 2, auth: 2, renew: 6, set_watches_null: 0.5, wrong_password: 1,
    zxid_ahead: 1, take_over: 1, greetings: 1, expiry: 0.05, unknown_type: 1, refused: 0.3, bad_frame: 1, large_frame: 0.2,
    malformed: 4, negative_length: 1,
}
