"""Ensembles under faults: clients work while servers are killed, stopped and cut off from each other; then all is checked.

    faults_test.py build/release/bin/quorate                       three servers for a minute
    faults_test.py build/release/bin/quorate --sizes 3,5 --seconds 300

What fails: kill -9 of the leader, of others, of all; SIGSTOP and SIGCONT; SIGTERM and a new start; and between the
servers, through relays: links cut in both ways or in one, slow links, torn connections. What is checked is in
fault_checks.py, besides: a write within 40 s of the end of every fault, no server that ends by itself, and at last one
and the same tree through every server. The order of faults follows from --seed; the rest of the timing does not.
"""

import argparse
import json
import pathlib
import random
import shutil
import signal
import sys
import time

import fault_checks
import rawzk
import records as zk
from dumping import dump
from ensemble_test import same_trees, writes_through
from ensembles import Ensemble
from fault_clients import EPHEMERAL, PARENTS, SESSION_MS, FaultClient
from relays import Link
from waiting import wait_until

RECOVERY_SECONDS = 40.0
ENDED = (0, 143)  # after SIGTERM: Quorate, a Java machine


class Faults:
    """Breaks things and puts them back. Every fault is a method that breaks and returns what it did."""

    def __init__(self, ensemble, seed):
        self._ensemble = ensemble
        self._random = random.Random(seed)
        self._stopped = []
        self._menu = [(self.kill_leader, 4), (self.kill_some, 4), (self.kill_all, 1.5), (self.kill_two_leaders, 2), (self.stop_leader, 3),
                      (self.stop_some, 2), (self.end_some, 2), (self.cut_leader, 4), (self.cut_some, 2), (self.split, 3),
                      (self.deaf_leader, 2), (self.mute_leader, 2), (self.partial_cut, 3), (self.slow, 2), (self.torn, 2), (self.reset, 2)]

    def break_something(self):
        faults, weights = zip(*self._menu)
        return self._random.choices(faults, weights)[0]()

    def now_and_then(self, share):
        return self._random.random() < share

    def pause(self, least, most):
        time.sleep(self._random.uniform(least, most))

    def mend(self):
        """Links are whole, stopped processes go on, dead ones are started."""
        self._ensemble.relays.heal()
        for number in self._stopped:
            self._ensemble[number].process.send_signal(signal.SIGCONT)
        self._stopped = []
        for number in self._ensemble:
            if not self._ensemble[number].alive():
                self._ensemble[number].launch()

    def look_for_deaths(self):
        """Numbers of the servers that have ended although nobody ended them."""
        ours = (None, -signal.SIGKILL, *ENDED)
        return [number for number, member in self._ensemble.members.items() if member.process.poll() not in ours]

    def _leader(self):
        return self._ensemble.leader() or self._random.choice(list(self._ensemble))

    def _minority(self):
        size = len(self._ensemble.members)
        return self._random.sample(list(self._ensemble), self._random.randint(1, (size - 1) // 2))

    def _kill(self, numbers):
        for number in numbers:
            self._ensemble[number].kill()
        return f"kill -9 of {numbers}"

    def kill_leader(self):
        return self._kill([self._leader()]) + ", the leader"

    def kill_some(self):
        return self._kill(self._minority())

    def kill_all(self):
        return self._kill(list(self._ensemble))

    def kill_two_leaders(self):
        first = self._leader()
        self._ensemble[first].kill()
        self.pause(0.1, 1.5)
        second = self._leader()
        self._ensemble[second].kill()
        return f"kill -9 of {first}, the leader, and then of {second}"

    def end_some(self):
        numbers = self._minority()
        for number in numbers:
            if self._ensemble[number].alive() and number not in self._stopped:
                status = self._ensemble[number].stop()
                assert status in ENDED, f"server {number} ended with {status} after SIGTERM"
        return f"SIGTERM to {numbers}"

    def _stop(self, numbers):
        for number in numbers:
            if self._ensemble[number].alive():
                self._ensemble[number].process.send_signal(signal.SIGSTOP)
                self._stopped.append(number)
        return f"SIGSTOP to {numbers}"

    def stop_leader(self):
        return self._stop([self._leader()]) + ", the leader"

    def stop_some(self):
        return self._stop(self._minority())

    def _links(self, pairs, link, what):
        self._ensemble.relays.set(pairs, link)
        return what

    def cut_leader(self):
        number = self._leader()
        self._ensemble.relays.cut_off(number)
        return f"{number}, the leader, cut off"

    def cut_some(self):
        side = self._minority()
        for number in side:
            self._ensemble.relays.cut_off(number)
        return f"each of {side} cut off"

    def split(self):
        side = self._minority()
        self._ensemble.relays.split(side)
        return f"{side} cut off from the others"

    def deaf_leader(self):
        number = self._leader()
        pairs = [pair for pair in self._ensemble.relays.pairs() if pair[1] == number]
        return self._links(pairs, Link(open=False), f"nothing reaches {number}, the leader")

    def mute_leader(self):
        number = self._leader()
        pairs = [pair for pair in self._ensemble.relays.pairs() if pair[0] == number]
        return self._links(pairs, Link(open=False), f"nothing comes from {number}, the leader")

    def partial_cut(self):
        a, b = self._random.choice(self._ensemble.relays.pairs())
        return self._links([(a, b), (b, a)], Link(open=False), f"{a} and {b} cannot talk to each other")

    def slow(self):
        delay = self._random.choice((0.01, 0.05, 0.2))
        return self._links(self._ensemble.relays.pairs(), Link(delay=delay), f"every piece takes {delay} s")

    def torn(self):
        return self._links(self._ensemble.relays.pairs(), Link(tear=0.01), "every hundredth piece ends its connection")

    def reset(self):
        self._ensemble.relays.reset(self._ensemble.relays.pairs())
        return "every connection reset"


class Run:
    """One ensemble from its first start to the check of its history."""

    def __init__(self, arguments, size):
        self.arguments = arguments
        self.size = size
        self.complaints = []
        self._start = time.monotonic()

    def say(self, text):
        print(f"  {time.monotonic() - self._start:6.1f} s  {text}", flush=True)

    def run(self):
        settings = {"snapshot.floorInKb": "64", "commitLogCount": "100", "preAllocSize": "64"}
        apaches = self.arguments.apaches
        which = ["apache"] * apaches + [self.arguments.server] * (self.size - apaches)
        with Ensemble(which, settings=settings, relayed=True) as ensemble:
            self._clients = []
            try:
                self._under_faults(ensemble)
            except (AssertionError, OSError) as fault:
                self.complaints.append(f"{type(fault).__name__}: {fault}")
            if self.complaints:
                self._keep(ensemble)
        return self.complaints

    def _under_faults(self, ensemble):
        with rawzk.open_session(ensemble[ensemble.wait_leader()].address) as client:
            for path in PARENTS:
                client.must(zk.create(path))
            client.close_session()
        self._clients = [FaultClient(number, [ensemble[each].address for each in ensemble], self.arguments.seed)
                         for number in range(self.arguments.clients)]
        for client in self._clients:
            client.start()
        faults = Faults(ensemble, self.arguments.seed * 10 + self.size)
        end = time.monotonic() + self.arguments.seconds
        while time.monotonic() < end and not self.complaints:
            self._one_fault(ensemble, faults)
        faults.mend()
        self._finish(ensemble)

    def _one_fault(self, ensemble, faults):
        faults.pause(0.5, 3)
        self.say(faults.break_something())
        faults.pause(0.5, 7)
        if faults.now_and_then(0.4):
            self.say("and " + faults.break_something())
            faults.pause(0.5, 4)
        self.complaints += [f"server {number} ended with {ensemble[number].process.returncode}:\n{ensemble[number].log_tail()}"
                            for number in faults.look_for_deaths()]
        faults.mend()
        seconds = writes_through(ensemble, list(ensemble), f"/mended-{time.monotonic_ns()}", RECOVERY_SECONDS)
        self.say(f"mended, a write after {seconds:.2f} s")

    def _finish(self, ensemble):
        ensemble.wait_serving(RECOVERY_SECONDS)
        self.say("every server serves again")
        for client in self._clients:
            client.leave()
        for client in self._clients:
            client.join(RECOVERY_SECONDS)
            if client.is_alive():
                self.complaints.append(f"{client.name} finds no end")
        self.complaints += [oddity for client in self._clients for oddity in client.oddities]
        address = ensemble[1].address
        wait_until("the nodes of all sessions are gone", lambda: not _ephemerals(address), SESSION_MS / 1000 * 4 + 10)
        same_trees(ensemble, RECOVERY_SECONDS)
        history = self.history()
        self.complaints += fault_checks.check(history, dump(address))
        self._tell(history)

    def history(self):
        """The calls of all clients, those of each in order."""
        return [call for client in self._clients for call in client.history]

    def _tell(self, history):
        answered = [call for call in history if call.err == 0]
        unclear = sum(call.end == fault_checks.OPEN for call in history)
        self.say(f"{len(answered)} calls answered, {unclear} writes without an answer, {len({call.session for call in history})} sessions; "
                 f"longest time without a write {fault_checks.longest_silence(history):.1f} s; "
                 f"{fault_checks.stale_synced_reads(history)} stale reads behind a sync")

    def _keep(self, ensemble):
        folder = pathlib.Path(self.arguments.keep) / f"faults-{self.size}-{self.arguments.seed}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for number in ensemble:
            shutil.copytree(ensemble[number].home.path, folder / f"server-{number}")
        with open(folder / "history.jsonl", "w", encoding="utf-8") as file:
            for call in self.history():
                file.write(json.dumps({key: value.decode() if isinstance(value, bytes) else str(value) if value == fault_checks.OPEN else value
                                       for key, value in call._asdict().items()}) + "\n")
        self.say(f"directories, logs and history are in {folder}")


def _ephemerals(address):
    with rawzk.open_session(address) as client:
        client.must(zk.sync("/"))
        names = client.must(zk.get_children(EPHEMERAL))
        client.close_session()
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", help="path of the Quorate binary, or the word apache")
    parser.add_argument("--sizes", default="3", help="of ensembles, one after the other (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of faults for each ensemble (%(default)s)")
    parser.add_argument("--apaches", type=int, default=0, help="so many of the servers are Apache's (%(default)s)")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", default="/tmp", help="where the files of a failed run are put (%(default)s)")
    arguments = parser.parse_args()
    failed = False
    for size in map(int, arguments.sizes.split(",")):
        print(f"{size} servers, seed {arguments.seed}", flush=True)
        complaints = Run(arguments, size).run()
        for complaint in complaints[:20]:
            print(f"  FAIL  {complaint}", flush=True)
        print(f"  {'FAIL' if complaints else 'ok'}    {size} servers: {len(complaints)} complaints", flush=True)
        failed |= bool(complaints)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
