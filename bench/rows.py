"""The rows of the comparison: what is measured, in which unit, and when its target is reached.

A figure is judged by medians. `floor` holds what no server can beat on this machine: a bare loopback round trip and a
bare fdatasync, in microseconds.
"""

from typing import Any, Callable, NamedTuple

# Names for --rows. memory, restart and snapshot share one filled tree; so do those of LARGE_TRIO.
GROUPS = ("get", "set", "mix", "create", "single-get", "single-set", "idle", "sessions", "memory", "restart", "snapshot",
          "get-3", "set-3", "mix-3", "create-3", "single-set-3", "failover",
          "diff", "diff-large", "snap-large", "failover-large")
LOADS = ("get", "set", "mix", "create", "single-get", "single-set")
TRIO_LOADS = ("get-3", "set-3", "mix-3", "create-3", "single-set-3")   # on three servers
TREE = ("memory", "restart", "snapshot")
LARGE_TRIO = ("diff-large", "snap-large", "failover-large")   # on three servers with the filled tree


class Medians(NamedTuple):
    apache: Any   # None: not measured
    quorate: Any
    floor: dict


class Figure(NamedTuple):
    group: str
    name: str                                # within the group; names the samples
    work: str
    unit: str
    digits: int = 1
    target: str = "–"
    reached: Callable[[Medians], Any] = lambda medians: None   # None: nothing to reach, or not to be told


def needs_both(test):
    return lambda m: None if m.apache is None or m.quorate is None else test(m)


def needs_quorate(test):
    return lambda m: None if m.quorate is None else test(m)


def at_most(limit):
    return needs_quorate(lambda m: m.quorate <= limit)


LOWER = needs_both(lambda m: m.quorate < m.apache)
HIGHER = needs_both(lambda m: m.quorate > m.apache)


def above_floor(factor, *parts):
    def test(medians):
        if any(part not in medians.floor for part in parts):
            return None
        return medians.quorate <= factor * sum(medians.floor[part] for part in parts)
    return needs_quorate(test)


def _load_figures(group, work, reach, apache_reference):
    """A loaded server: the CPU target is the ratio of two figures that were measured on one machine."""
    share = reach / apache_reference
    target = f"≤ {share:.3f} × Apache ({reach} of {apache_reference})"
    return [
        Figure(group, "cpu", f"{work}: server CPU an op", "µs", 2, target,
               needs_both(lambda m: m.quorate <= share * m.apache)),
        Figure(group, "rate", f"{work}: throughput", "k/s", 1, "> Apache", HIGHER),
        Figure(group, "p99", f"{work}: p99", "ms", 2, "< Apache", LOWER),
        Figure(group, "per_read", f"{work}: requests a read of the generator", "", 1),
    ]


def _single_figures(group, work, factor, *floor):
    return [
        Figure(group, "p50", f"{work}: p50", "µs", 1, f"≤ {factor} × ({' + '.join(floor)})", above_floor(factor, *floor)),
        Figure(group, "p99", f"{work}: p99", "µs", 1, "< Apache", LOWER),
        Figure(group, "rate", f"{work}: throughput", "k/s", 2, "> Apache", HIGHER),
    ]


FIGURES = [
    *_load_figures("get", "get 1 KiB, 32 × 8", 2.0, 12.1),
    *_load_figures("set", "set 1 KiB, 32 × 8", 3.5, 20.9),
    *_load_figures("mix", "90 % reads 1 KiB, 32 × 8", 3.0, 15.7),
    *_load_figures("create", "create 100 B, 32 × 8", 4.2, 33.6),
    *_single_figures("single-set", "one client, set 1 KiB", 1.25, "round trip", "fdatasync"),
    *_single_figures("single-get", "one client, get 1 KiB", 1.15, "round trip"),
    *_load_figures("get-3", "3 servers, get 1 KiB, 30 × 8", 2.2, 14.2),
    *_load_figures("set-3", "3 servers, set 1 KiB, 30 × 8", 9.0, 68.0),
    *_load_figures("mix-3", "3 servers, 90 % reads 1 KiB, 30 × 8", 6.0, 32.7),
    *_load_figures("create-3", "3 servers, create 100 B, 30 × 8", 12.0, 97.0),
    *_single_figures("single-set-3", "3 servers, one client on the leader, set 1 KiB", 1.4, "round trip", "round trip",
                     "fdatasync"),
    Figure("set-3", "p99_bound", "3 servers, set 1 KiB, 30 × 8: p99", "ms", 2, "≤ 8", at_most(8)),
    Figure("failover", "refused", "3 servers, 1,000 znodes, no acknowledged write after kill -9 of the leader", "ms", 0,
           "≤ 200", at_most(200)),
    Figure("failover", "stopped", "3 servers, the same after SIGSTOP of the leader", "s", 1, "≤ Apache",
           needs_both(lambda m: m.quorate <= m.apache)),
    Figure("failover-large", "refused", "filled tree, no acknowledged write after kill -9 of the leader", "ms", 0, "≤ 200",
           at_most(200)),
    Figure("diff", "back", "small tree, a follower misses writes: exec to serving them (Quorate: by DIFF)", "s", 2, "≤ 2",
           at_most(2)),
    Figure("diff-large", "back", "filled tree, the same", "s", 2, "≤ 2", at_most(2)),
    Figure("snap-large", "back", "filled tree, an empty follower: exec to serving, by SNAP", "s", 2, "≤ 5", at_most(5)),
    Figure("snap-large", "busy", "filled tree, the same beside writes on the leader", "s", 2),
    Figure("snap-large", "p99_9", "p99.9 of those writes: times that without", "×", 2, "≤ 2", at_most(2.0)),
    Figure("memory", "filled", "resident memory a znode, after the fill", "B", 0, "≤ 240", at_most(240)),
    Figure("memory", "restarted", "resident memory a znode, after a restart", "B", 0, "≤ 240", at_most(240)),
    Figure("restart", "first_read", "exec to first read, after kill -9", "s", 2, "≤ 1.5", at_most(1.5)),
    Figure("snapshot", "p99_9", "p99.9 of writes under a snapshot, half rate: times that without", "×", 2, "≤ 2",
           at_most(2.0)),
    Figure("snapshot", "share", "throughput under a snapshot: share of that without", "%", 0, "≥ 90",
           needs_quorate(lambda m: m.quorate >= 90)),
    Figure("sessions", "bytes", "anonymous memory an idle session", "B", 0, "≤ 2048", at_most(2048)),
    Figure("idle", "resident", "resident memory, idle server", "MB", 1, "≤ 15", at_most(15)),
]


def selected(text):
    """The groups of --rows, in their own order. Raises ValueError for an unknown one."""
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in wanted if word not in GROUPS]
    if unknown or not wanted:
        raise ValueError(f"unknown rows {', '.join(unknown) or '(none)'}; there are {', '.join(GROUPS)}")
    return [group for group in GROUPS if group in wanted]
