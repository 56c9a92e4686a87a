"""The measurements themselves: each starts a server on an empty directory, loads it, and adds samples."""

import json
import pathlib
import statistics
import subprocess
import tempfile
import threading

import catch_up
import contenders
import failover
from rows import LARGE_TRIO, LOADS, TREE, TRIO_LOADS

# No snapshot while this is set: Apache counts txns, Quorate wants the log to have grown.
NO_SNAPSHOTS = {"snapCount": "1000000000", "snapshot.floorInKb": "1000000000"}

LOAD_ARGUMENTS = {
    "get": ["get"],
    "set": ["set"],
    "mix": ["mix", "--read-percent", "90"],
    "create": ["create", "--value-size", "100"],
    "single-get": ["get", "--connections", "1", "--in-flight", "1"],
    "single-set": ["set", "--connections", "1", "--in-flight", "1"],
}

# A DIFF however small the tree is against the log; Apache takes no factor above 1.
ALWAYS_DIFF = {"snapshotSizeFactor": "1000000"}
SMALL_TREE = 1000

TRIO_CONNECTIONS = ["--connections", "30", "--in-flight", "8"]


class Generator:
    """`quorate bench`; every call returns the JSON of one run."""

    def __init__(self, binary):
        self._command = [str(pathlib.Path(binary).resolve()), "bench"]

    def run(self, server, *arguments):
        return self.call(*arguments, "--servers", f"127.0.0.1:{server.home.port}", "--pid", str(server.process.pid))

    def run_on_three(self, trio, numbers, *arguments):
        """A load on some of the servers; the CPU of all three is counted."""
        addresses = ",".join(trio[number].hosts for number in numbers)
        pids = ",".join(str(trio[number].process.pid) for number in trio)
        return self.call(*arguments, "--servers", addresses, "--pid", pids)

    def call(self, *arguments):
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            command = [*self._command, *map(str, arguments), "--json", out.name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"{' '.join(map(str, arguments))}: status {done.returncode}: "
                                   f"{(done.stdout + done.stderr).strip()[-500:]}")
            return json.loads(pathlib.Path(out.name).read_text())


class Bench:
    """All measurements of one run of the comparison; the samples carry the contender's label."""

    def __init__(self, generator, samples, options, say):
        self._generator = generator
        self._samples = samples
        self._options = options
        self._say = say

    def floor(self, directory):
        """What no server can beat here."""
        report = self._generator.call("--loopback-rtt", "--sync-dir", directory, "--rounds", 5000, "--echo-bytes", 1100)
        self._samples.add_floor(round_trip=report["round_trip_us"]["p50"],
                                blocked_round_trip=report["blocked_round_trip_us"]["p50"],
                                fdatasync=report["fdatasync_us"]["p50"])

    def all(self, make):
        """Every wanted group for one contender; `make(settings)` makes a stopped server on a new directory."""
        wanted = self._options.groups
        if any(group in LOADS for group in wanted):
            self._on_server(make({}), self._loads)
        if "idle" in wanted or "sessions" in wanted:
            self._on_server(make({}), self._idle)
        if any(group in TREE for group in wanted):
            self._on_server(make({}), self._tree)
        if any(group in TRIO_LOADS for group in wanted):
            self._on_server(make.trio(), self._trio_loads)
        if "failover" in wanted:
            self._on_server(make.trio(), self._failover)
        if "diff" in wanted:
            self._on_server(make.trio(ALWAYS_DIFF), self._diff)
        if any(group in LARGE_TRIO for group in wanted) and make.large:
            self._on_server(make.trio(), self._large_trio)

    def _on_server(self, server, work):
        try:
            with server:
                work(server)
        except (RuntimeError, OSError, AssertionError, subprocess.SubprocessError) as error:
            self._samples.failures.append(f"{server.label}: {error}")
            self._say(f"  FAILED: {error}")

    def _loads(self, server):
        for group in (group for group in LOADS if group in self._options.groups):
            report = self._generator.run(server, *LOAD_ARGUMENTS[group], "--warmup", self._options.warmup,
                                         "--seconds", self._options.seconds)
            self._say(f"  {group}: {report['per_second']:.0f}/s")
            self._add_load(server, group, report)

    def _trio_loads(self, trio):
        for group in (group for group in TRIO_LOADS if group in self._options.groups):
            load = LOAD_ARGUMENTS[group.removesuffix("-3")]
            single = group.startswith("single")
            numbers = [trio.wait_leader()] if single else list(trio)
            report = self._generator.run_on_three(trio, numbers, *load, *([] if single else TRIO_CONNECTIONS),
                                                  "--warmup", self._options.warmup, "--seconds", self._options.seconds)
            self._say(f"  {group}: {report['per_second']:.0f}/s")
            self._add_load(trio, group, report)
            if group == "set-3":
                self._samples.add(trio.label, group, p99_bound=report["latency_us"]["all"]["p99"] / 1000)

    def _failover(self, trio):
        self._fill(trio, SMALL_TREE)
        self._kill_leaders(trio, "failover")
        for _ in range(max(1, self._options.kills // 2)):
            refused = failover.measure_stop(trio)
            self._say(f"  no write for {refused:.1f} s after SIGSTOP of the leader")
            self._samples.add(trio.label, "failover", stopped=refused)

    def _kill_leaders(self, trio, group):
        for _ in range(self._options.kills):
            refused = failover.measure_kill(trio)
            self._say(f"  no write for {refused * 1000:.0f} ms after kill -9 of the leader")
            self._samples.add(trio.label, group, refused=refused * 1000)

    def _fill(self, trio, count):
        report = self._generator.call("--fill", count, "--in-flight", 64, "--servers", trio[trio.wait_leader()].hosts)
        self._say(f"  filled {count} znodes at {report['per_second']:.0f}/s")

    def _diff(self, trio, group="diff"):
        away = catch_up.take_away(trio)
        catch_up.miss_writes(self._generator, trio, self._options.missed)
        back = catch_up.come_back(trio, away)
        # Apache sends a small tree whatever it is told of the log.
        if trio.label == "Quorate":
            back.must_be("DIFF")
        self._say(f"  back by {back.kind} of {self._options.missed} writes after {back.seconds:.2f} s")
        self._samples.add(trio.label, group, back=back.seconds)

    def _large_trio(self, trio):
        self._fill(trio, self._options.znodes)
        for number in trio:
            contenders.settle(trio[number])
        if "diff-large" in self._options.groups:
            self._diff(trio, "diff-large")
        if "snap-large" in self._options.groups:
            self._snap(trio)
        if "failover-large" in self._options.groups:
            self._kill_leaders(trio, "failover-large")

    def _snap(self, trio):
        """An empty follower twice: alone, and beside writes in an open loop for as long as it took alone."""
        def from_nothing():
            sync = catch_up.come_back(trio, away)
            # A small tree's log may reach back to the first txn of all, and be sent instead.
            return sync if self._options.quick else sync.must_be("SNAP")

        away = self._empty_follower(trio)
        alone = from_nothing()
        self._say(f"  an empty follower serves after {alone.seconds:.2f} s, by {alone.kind}")
        leader = trio[trio.wait_leader()]
        catch_up.miss_writes(self._generator, trio, SMALL_TREE)  # makes the keys that are written below
        rate, seconds = self._options.beside, max(2.0, alone.seconds)
        away = self._empty_follower(trio)
        before, _ = catch_up.tail_of_writes(self._generator, leader, rate, seconds)
        meanwhile, busy = catch_up.tail_of_writes(self._generator, leader, rate, seconds, from_nothing)
        self._say(f"  after {busy.seconds:.2f} s beside writes; their p99.9: {before:.2f} ms before, "
                  f"{meanwhile:.2f} ms meanwhile")
        self._samples.add(trio.label, "snap-large", back=alone.seconds, busy=busy.seconds, p99_9=meanwhile / before)

    @staticmethod
    def _empty_follower(trio):
        number = catch_up.take_away(trio)
        catch_up.empty(trio[number])
        return number

    def _add_load(self, server, group, report):
        latency, generator = report["latency_us"]["all"], report["generator"]
        rate = report["per_second"] / 1000
        if group.startswith("single"):
            self._samples.add(server.label, group, p50=latency["p50"], p99=latency["p99"], rate=rate)
            return
        self._samples.add(server.label, group, cpu=report["server"]["cpu_us_per_op"], rate=rate,
                          p99=latency["p99"] / 1000, per_read=generator["replies"] / max(1, generator["receives"]))

    def _idle(self, server):
        contenders.settle(server)
        if "idle" in self._options.groups:
            self._samples.add(server.label, "idle", resident=contenders.resident_kb(server) / 1024)
        if "sessions" not in self._options.groups:
            return
        count = self._options.sessions
        report = self._generator.run(server, "idle", "--connections", count, "--seconds", 3)
        before, after = (report["server"][when]["anonymous_kb"] for when in ("memory_before", "memory_after"))
        self._samples.add(server.label, "sessions", bytes=(after - before) * 1024 / count)

    def _tree(self, server):
        contenders.settle(server)
        empty_kb = contenders.resident_kb(server)
        count = self._options.znodes
        report = self._generator.run(server, "--fill", count, "--in-flight", 64)
        self._say(f"  filled {count} znodes at {report['per_second']:.0f}/s")
        contenders.settle(server)
        filled_kb = contenders.resident_kb(server)
        server.kill()
        if "snapshot" in self._options.groups:
            server.settings.update(NO_SNAPSHOTS)
        seconds = contenders.start_until_first_read(server, "/zkfill/d00000/n0000000000")
        self._say(f"  first read after {seconds:.2f} s")
        contenders.settle(server)
        restarted_kb = contenders.resident_kb(server)
        if "memory" in self._options.groups:
            nodes = count + -(-count // report["options"]["fan_out"])
            self._samples.add(server.label, "memory", filled=(filled_kb - empty_kb) * 1024 / nodes,
                              restarted=(restarted_kb - empty_kb) * 1024 / nodes)
        if "restart" in self._options.groups:
            self._samples.add(server.label, "restart", first_read=seconds)
        if "snapshot" in self._options.groups:
            self._snapshot(server)

    def _snapshot(self, server):
        """Windows of load with a snapshot being written, and without, on one tree.

        First without snapshots, then with a snapCount of as many writes as one window at half rate has. A program may
        have reasons of its own for a snapshot: what counts is whether the files changed in the window.
        """
        first = self._window(server, "set")
        half = first["per_second"] / 2
        windows = {("rate", False): [], ("rate", True): [], ("p99_9", False): [], ("p99_9", True): []}
        self._windows(server, half, windows, during=False)
        server.kill()
        for key in NO_SNAPSHOTS:
            del server.settings[key]
        server.settings["snapCount"] = str(max(1000, round(half * self._options.window_seconds)))
        server.start(seconds=600.0)
        self._windows(server, half, windows, during=True)
        self._say("  windows: " + ", ".join(f"{name} {'with' if busy else 'without'} {len(values)}"
                                            for (name, busy), values in windows.items()))
        if not all(windows.values()):
            raise RuntimeError("snapshot: no window with, or none without, a snapshot being written")
        medians = {key: statistics.median(values) for key, values in windows.items()}
        self._samples.add(server.label, "snapshot",
                          p99_9=medians["p99_9", True] / medians["p99_9", False],
                          share=100 * medians["rate", True] / medians["rate", False])

    def _windows(self, server, half, windows, during):
        """Closed and open loop in turn, until there are enough windows of the wanted kind or patience ends."""
        for _ in range(self._options.window_limit):
            missing = [name for name in ("rate", "p99_9") if len(windows[name, during]) < self._options.windows]
            if not missing:
                return
            for name in missing:
                arguments = ["set"] if name == "rate" else ["set", "--rate", half]
                report = self._window(server, *arguments)
                value = report["per_second"] if name == "rate" else report["latency_us"]["write"]["p99_9"]
                windows[name, report["snapshot_seen"]].append(value)

    def _window(self, server, *arguments):
        activity = contenders.SnapshotActivity(server)
        ended = threading.Event()
        seen = []

        def look():
            while not ended.wait(0.05):
                seen.append(activity.changed())

        looker = threading.Thread(target=look)
        looker.start()
        try:
            report = self._generator.run(server, *arguments, "--value-size", 100, "--warmup", 1,
                                         "--seconds", self._options.window_seconds)
        finally:
            ended.set()
            looker.join()
        measured = seen[-round(self._options.window_seconds / 0.05):]
        report["snapshot_seen"] = any(measured)
        return report
