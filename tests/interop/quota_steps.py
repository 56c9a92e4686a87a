"""Steps about quotas, in a corner of the tree of their own, and the closing comparison of a seed."""

import re

import records as zk
from rawzk import four_letter_word
from servers import SUPER_AUTH
from twins import A, B
from waiting import DeadlinePassed, wait_until
from world import SUPER, Difference

LIMITS = (b"count=3,bytes=-1", b"count=-1,bytes=60", b"count=-1,bytes=-1=;byteHardLimit=60;countHardLimit=-1",
          b"count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=4", b"count=2,bytes=10=;byteHardLimit=50;countHardLimit=3")


def quota(world, ops):
    """A limit is set, met, changed and removed; the counts are kept."""
    quota_root = f"/zookeeper/quota{ops.root}"
    rng, keeper = ops.rng, world.twins[SUPER]
    world.revive(keeper)
    world.do(keeper, [zk.create(f"{ops.root}/q"), zk.create(quota_root), zk.create(f"{quota_root}/q")])
    world.do(keeper, [zk.create(f"{quota_root}/q/zookeeper_limits", rng.choice(LIMITS))])
    world.do(keeper, [zk.create(f"{quota_root}/q/zookeeper_stats", b"count=0,bytes=0")])
    _fill(world, ops, f"{quota_root}/q/zookeeper_stats")
    world.do(keeper, [zk.set_data(f"{quota_root}/q/zookeeper_limits", b"count=-1,bytes=-1=;byteHardLimit=1;countHardLimit=1")])
    world.do(keeper, [zk.create(f"{ops.root}/q/e", b"too much")])
    world.do(keeper, [zk.set_data(f"{quota_root}/q/zookeeper_limits", rng.choice(LIMITS))])
    _fill(world, ops, f"{quota_root}/q/zookeeper_stats")
    if rng.random() < 0.7:
        world.do(keeper, [zk.delete(f"{quota_root}/q/zookeeper_limits"), zk.delete(f"{quota_root}/q/zookeeper_stats")])
        _fill(world, ops, f"{quota_root}/q")


def _fill(world, ops, stats_path):
    """Writes under the quota, one at a time: the check looks at what is applied, not at what is in flight."""
    rng, root = ops.rng, f"{ops.root}/q"
    writer = world.twins[1]
    for _ in range(6):
        world.revive(writer)
        path = f"{root}/{rng.choice('abcd')}"
        data = rng.randbytes(rng.choice((0, 5, 30)))
        world.do(writer, [rng.choice((zk.create(path, data), zk.create2(path, data), zk.set_data(path, data), zk.delete(path),
                                      zk.multi([zk.create(path, data), zk.set_data(path, b"1")])))])
        world.do(writer, [zk.get_data(stats_path)])


def dump(world, ops):
    """Every node of this seed, with data, stat and ACL, is the same on both sides."""
    keeper = world.twins[SUPER]
    world.revive(keeper)
    pending = [ops.root, f"/zookeeper/quota{ops.root}"]
    while pending:
        path = pending.pop()
        answers = [item for item in world.do(keeper, [zk.get_children2(path), zk.get_data(path), zk.get_acl(path)])
                   if getattr(item, "op", None) == "getChildren2"]
        if answers and answers[0].err == 0:
            pending += [f"{path}/{child}" for child in answers[0].body[0]]
    world.do(keeper, [zk.get_all_children_number("/"), zk.get_children2("/"), zk.get_children2("/zookeeper")])


def words(world, _ops):
    """The four-letter words that show the state of the tree, the watches and the sessions."""
    world.note("four-letter words")
    for word, view in ((b"ruok", _text), (b"isro", _text), (b"srvr", _tree_lines), (b"wchs", _watch_counts), (b"wchp", _watches),
                       (b"dump", _ephemerals), (b"none", _text)):
        try:
            wait_until("the same answer", lambda: view(world, A, word) == view(world, B, word), 5.0)
        except DeadlinePassed:
            raise Difference(f"{word.decode()}\n  A: {view(world, A, word)}\n  B: {view(world, B, word)}") from None


def _text(world, side, word):
    return four_letter_word(world.addresses[side], word).decode("utf-8", "backslashreplace")


def _watch_counts(world, side, word):
    """Paths and watches. Not the connections: Apache goes on counting those whose watches have all been used up."""
    return re.search(r"watching (\d+) paths\nTotal watches:(\d+)\n", _text(world, side, word)).groups()


def _tree_lines(world, side, word):
    text = _text(world, side, word)
    zxid = int(re.search(r"^Zxid: (0x[0-9a-f]+)$", text, re.M).group(1), 16)
    return re.findall(r"^(?:Mode|Node count): .*$", text, re.M), world.zxids.canonical(side, zxid)


def _watches(world, side, word):
    """Watched paths, each with the sessions that watch it."""
    watches, path = {}, None
    for line in _text(world, side, word).split("\n"):
        if line.startswith("\t0x"):
            watches[path].append(world.session_of(side, line.strip()))
        elif line:
            path = line
            watches[path] = []
    return {path: sorted(sessions) for path, sessions in watches.items()}


def _ephemerals(world, side, word):
    """Ephemerals of each session, from the middle part of `dump`. Sessions without any are left out."""
    part = _text(world, side, word).split("ephemeral nodes dump:\n")[1].split("Connections dump:")[0]
    found, session = {}, None
    for line in part.splitlines()[1:]:
        if line.startswith("\t"):
            found.setdefault(session, []).append(line.strip())
        else:
            session = world.session_of(side, line.rstrip(":"))
    return {session: sorted(paths) for session, paths in found.items()}
