"""Ensembles under faults: clients work while servers are killed, stopped and cut off from each other; then all is checked.

    faults_test.py build/release/bin/quorate                       three servers for a minute
    faults_test.py build/release/bin/quorate --sizes 3,5 --networks namespaces,relays --seconds 300

What fails is in fault_menu.py: processes are killed, stopped and ended, disks are full, and the servers are cut off from
each other, in network namespaces where these can be made (packets vanish), else through relays (they wait). What is
checked is in fault_checks.py, besides: a write within 40 s of the end of every fault, no server that ends by itself, one
and the same tree through every server at last, and that same tree on every server's disk when all have ended. The order
of faults follows from --seed; the rest of the timing does not.
"""

import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import time

import fault_checks
import namespaces
import rawzk
import records as zk
from dumping import differences, dump_directory, without_config
from ensemble_test import same_trees, writes_through
from ensembles import Ensemble
from fault_clients import EPHEMERAL, PARENTS, SESSION_MS, FaultClient
from fault_menu import ENDED, Faults
from namespaces import Namespaces
from relays import Relays
from servers import Home
from small_disk import SmallDiskHome
from waiting import wait_until

RECOVERY_SECONDS = 40.0


class Run:
    """One ensemble from its first start to the check of its history."""

    def __init__(self, arguments, size, network, small_disks):
        self.arguments = arguments
        self.size = size
        self.network = network
        self.small_disks = small_disks
        self.complaints = []
        self._start = time.monotonic()

    def say(self, text):
        print(f"  {time.monotonic() - self._start:6.1f} s  {text}", flush=True)

    def run(self):
        settings = {"snapshot.floorInKb": "64", "commitLogCount": "100", "preAllocSize": "64"}
        apaches = self.arguments.apaches
        which = ["apache"] * apaches + [self.arguments.server] * (self.size - apaches)
        home = SmallDiskHome if self.small_disks else Home
        with Ensemble(which, settings=settings, network=self.network, make_home=home) as ensemble:
            self._clients = []
            try:
                self._under_faults(ensemble)
            except (AssertionError, OSError, subprocess.SubprocessError) as fault:
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
        faults = Faults(ensemble, self.arguments.seed * 10 + self.size, self.small_disks)
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
        tree = same_trees(ensemble, RECOVERY_SECONDS)
        history = self.history()
        self.complaints += fault_checks.check(history, tree)
        self._tell(history)
        self._look_at_disks(ensemble, tree)

    def _look_at_disks(self, ensemble, tree):
        """What the servers leave on their disks is what they showed."""
        for number in ensemble:
            ensemble[number].process.terminate()
        for number in ensemble:
            status = ensemble[number].wait_exit()
            if status not in ENDED:
                self.complaints.append(f"server {number} ended with {status} after SIGTERM")
        for number in ensemble:
            data = ensemble[number].home.data
            lines = differences(tree, without_config(dump_directory(self.arguments.reader, data)))
            if lines:
                self.complaints.append(f"the disk of server {number} holds another tree:\n" + "\n".join(lines[:20]))
        self.say(f"{len(tree)} nodes, the same through every server and on every disk")

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


def may_isolate():
    """Whether this process has namespaces of its own from now on."""
    try:
        namespaces.enter()
    except namespaces.Unavailable as why:
        print(f"namespaces cannot be made here ({why}): relays in their place, and no disk gets full", flush=True)
        return False
    print("this test has network and mount namespaces of its own", flush=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", help="path of the Quorate binary, or the word apache")
    parser.add_argument("--reader", help="path of the Quorate binary that looks at the disks at the end, if the servers are Apache's")
    parser.add_argument("--networks", default="namespaces", help="namespaces or relays, for each size; the last goes on (%(default)s)")
    parser.add_argument("--sizes", default="3", help="of ensembles, one after the other (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of faults for each ensemble (%(default)s)")
    parser.add_argument("--apaches", type=int, default=0, help="so many of the servers are Apache's (%(default)s)")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", default="/tmp", help="where the files of a failed run are put (%(default)s)")
    arguments = parser.parse_args()
    arguments.reader = arguments.reader or arguments.server
    small_disks = may_isolate()
    wanted = arguments.networks.split(",")
    failed = False
    for at, size in enumerate(map(int, arguments.sizes.split(","))):
        network = Namespaces if small_disks and wanted[min(at, len(wanted) - 1)] == "namespaces" else Relays
        print(f"{size} servers, {network.__name__.lower()}, seed {arguments.seed}", flush=True)
        complaints = Run(arguments, size, network, small_disks).run()
        for complaint in complaints[:20]:
            print(f"  FAIL  {complaint}", flush=True)
        print(f"  {'FAIL' if complaints else 'ok'}    {size} servers: {len(complaints)} complaints", flush=True)
        failed |= bool(complaints)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
