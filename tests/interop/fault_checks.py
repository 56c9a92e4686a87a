"""What has to hold of a history of calls (fault_clients.Call), whatever failed meanwhile. Each check yields complaints."""

import heapq
from collections import defaultdict

from fault_clients import EPHEMERAL, LIST, OPEN, PAIR, REGISTERS

WRITES = ("set", "pair", "sequence", "unique", "ephemeral")
READS = ("get", "fenced", "synced")
EXPECTED = {"gone": -101}  # the answers of these operations; all others have to be 0


def check(history, tree):
    """All complaints about a history and the tree at the end (dumping.dump)."""
    return [complaint for each in (_answers, _one_value_a_version, _clients_go_forward, _writes_in_order, _fenced_reads,
                                   _sequential_names, _kept) for complaint in each(history, tree)]


def stale_synced_reads(history):
    """Reads behind a sync that missed an acknowledged write: a deposed leader may answer a sync, so they are only counted."""
    return len(list(_missing(history, "synced")))


def longest_silence(history):
    """The longest time without an acknowledged write, in seconds."""
    ends = sorted(call.end for call in history if call.op in WRITES and call.err == 0)
    return max((later - earlier for earlier, later in zip(ends, ends[1:])), default=0.0)


def _answers(history, _tree):
    for call in history:
        if call.err is not None and call.err != EXPECTED.get(call.op, 0):
            yield f"an answer that cannot be: {call}"


def _states(history):
    """(path, version, value, mzxid, call) of everything that was shown of a node, in writes and reads."""
    for call in history:
        if call.err != 0 or call.op not in ("set", "pair", *READS):
            continue
        for path in (PAIR if call.op == "pair" else (call.path,)):
            if call.version > 0:  # 0 is the node as it was made
                yield path, call.version, call.value, call.mzxid, call


def _one_value_a_version(history, tree):
    """A version of a node has one value and one zxid, seen by anybody at any time; and the value is one that was sent."""
    sent = {call.value for call in history if call.op in ("set", "pair")}
    seen = {}
    for path, version, value, mzxid, call in _states(history):
        first = seen.setdefault((path, version), (value, mzxid, call))
        if first[:2] != (value, mzxid):
            yield f"{path} has had two contents at version {version}:\n    {first[2]}\n    {call}"
        if value not in sent:
            yield f"{path} shows what nobody wrote: {call}"
    for path in (*REGISTERS, *PAIR):
        value, stat, _acl = tree[path]
        first = seen.get((path, stat.version))
        if first and first[:2] != (value, stat.mzxid):
            yield f"{path} ends with {value} at version {stat.version}, which was {first[0]} before: {first[2]}"


def _clients_go_forward(history, _tree):
    newest = defaultdict(int)  # (client, path) -> version
    for call in history:  # in the order of each client
        if call.err != 0 or call.version < 0:
            continue
        for path in (PAIR if call.op == "pair" else (call.path,)):
            if call.version < newest[call.client, path]:
                yield f"{path} went back from version {newest[call.client, path]} for a client: {call}"
            newest[call.client, path] = max(newest[call.client, path], call.version)


def _writes_in_order(history, _tree):
    """A write that began after another one was acknowledged has the larger zxid."""
    writes = [call for call in history if call.op in WRITES and call.err == 0]
    yield from _in_real_time(writes, lambda call: call.zxid, "zxid")
    zxids = [call.zxid for call in writes]
    if len(zxids) != len(set(zxids)):
        yield "two acknowledged writes have one zxid"


def _in_real_time(calls, key, name):
    newest = None
    running = []  # those that have begun, by their end
    for at, call in enumerate(sorted(calls, key=lambda call: call.begin)):
        while running and running[0][0] < call.begin:
            ended = heapq.heappop(running)[2]
            newest = ended if newest is None or key(ended) > key(newest) else newest
        if newest is not None and key(call) <= key(newest):
            yield f"the {name} went back:\n    {newest}\n    {call}"
        heapq.heappush(running, (call.end, at, call))


def _missing(history, op):
    acknowledged = defaultdict(list)
    for call in history:
        if call.op == "set" and call.err == 0:
            acknowledged[call.path].append((call.end, call.version))
    newest = {}
    for path, pairs in acknowledged.items():
        pairs.sort()
        running = 0
        newest[path] = [(end, running := max(running, version)) for end, version in pairs]
    for call in history:
        if call.op != op or call.err != 0:
            continue
        before = [version for end, version in _until(newest.get(call.path, []), call.begin)]
        if before and call.version < before[-1]:
            yield f"version {before[-1]} was acknowledged before this read began: {call}"


def _until(pairs, moment):
    """The last of the pairs that end before the moment, as a list of at most one."""
    low, high = 0, len(pairs)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if pairs[middle][0] < moment else (low, middle)
    return pairs[low - 1:low] if low else []


def _fenced_reads(history, _tree):
    yield from _missing(history, "fenced")


def _sequential_names(history, _tree):
    made = [call for call in history if call.op == "sequence" and call.err == 0]
    names = [call.path for call in made]
    if len(names) != len(set(names)):
        yield f"sequential names were given twice: {sorted(name for name in set(names) if names.count(name) > 1)}"
    yield from _in_real_time(made, lambda call: call.path, "sequential name")
    by_zxid = [call.path for call in sorted(made, key=lambda call: call.zxid)]
    if by_zxid != sorted(by_zxid):
        yield "sequential names are in another order than their zxids"


def _kept(history, tree):
    """What was acknowledged is there at the end, once; what nobody asked for is not."""
    for call in history:
        if call.op in ("unique", "sequence") and call.err == 0:
            node = tree.get(call.path)
            if node is None or node[0] != call.value or node[1].czxid != call.zxid:
                yield f"an acknowledged node is {'lost' if node is None else node}: {call}"
    for path in REGISTERS:
        answered = sum(call.op == "set" and call.path == path and call.err == 0 for call in history)
        unclear = sum(call.op == "set" and call.path == path and call.end == OPEN for call in history)
        version = tree[path][1].version
        if not answered <= version <= answered + unclear:
            yield f"{path} was changed {version} times: {answered} were acknowledged, {unclear} had no answer"
    a, b = (tree[path] for path in PAIR)
    if (a[0], a[1].version, a[1].mzxid) != (b[0], b[1].version, b[1].mzxid):
        yield f"two nodes that are only changed together differ: {a} and {b}"
    values = [node[0] for path, node in tree.items() if path.startswith(("/fault/sequence/", LIST + "/"))]
    if len(values) != len(set(values)):
        yield "one request made two nodes"
    left = [path for path in tree if path.startswith(EPHEMERAL + "/")]
    if left:
        yield f"ephemeral nodes are left of sessions that are over: {left[:10]}"
