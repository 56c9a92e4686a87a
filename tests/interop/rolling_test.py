"""Ordinary clients on an ensemble of three while one server after the other is killed and started again.

kazoo, Apache's Java client with Curator, and cli_mt run the tests that they have for one server, as far as those make
sense: a test that lost a connection may not know whether its request was carried out, so it is run again below a new
root; anything else that goes wrong is a failure. kazoo's clients put a sync before each read, because the tests expect
one client to see what another one has done.
"""

import argparse
import contextlib
import itertools
import logging
import subprocess
import sys
import tempfile
import threading
import time

import kazoo_test
from cli_mt_test import Shell
from ensemble_test import same_trees
from ensembles import Ensemble
from harness import place
from java_test import CLASSPATH, compile_to
from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionClosedError, ConnectionLoss, OperationTimeoutError, SessionExpiredError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.protocol.serialization import GetACL, GetChildren, GetChildren2, GetData, Exists, Sync

ATTEMPTS = 8
LOST = (ConnectionLoss, ConnectionClosedError, OperationTimeoutError, SessionExpiredError, KazooTimeoutError)
READS = (GetACL, GetChildren, GetChildren2, GetData, Exists)
_roots = itertools.count()

KAZOO = [kazoo_test.nodes, kazoo_test.transactions, kazoo_test.acl_and_auth, kazoo_test.data_watch, kazoo_test.children_watch,
         kazoo_test.lock, kazoo_test.read_write_locks, kazoo_test.lock_of_a_dead_client, kazoo_test.semaphore, kazoo_test.election,
         kazoo_test.barrier, kazoo_test.double_barrier, kazoo_test.queues, kazoo_test.counter, kazoo_test.party]


class SyncedClient(KazooClient):
    """Each of its reads sees all that was acknowledged before, to whomever."""

    def _call(self, request, async_object):
        if isinstance(request, READS):
            super()._call(Sync(self.chroot or "/"), self.handler.async_result())
        return super()._call(request, async_object)


class Rooted:
    """An ensemble as a test of one server knows it, with a new root for its clients."""

    kazoo_client = SyncedClient

    def __init__(self, ensemble):
        root = f"/root-{next(_roots)}"
        admin = KazooClient(ensemble.hosts, timeout=10.0)
        try:
            admin.start(30.0)
            admin.retry(admin.ensure_path, root)
            admin.retry(admin.sync, root)
        finally:
            admin.stop()
            admin.close()
        self.hosts = ensemble.hosts + root


class Roller(threading.Thread):
    """Kills one server after the other, the leader in every other turn, and starts it again half a period later."""

    def __init__(self, ensemble, period):
        super().__init__(daemon=True)
        self.kills = 0
        self.fault = None
        self._ensemble = ensemble
        self._period = period
        self._leave = threading.Event()

    def run(self):
        try:
            for turn in itertools.count():
                if self._leave.wait(self._period / 2):
                    return
                followers = self._ensemble.followers()
                number = self._ensemble.wait_leader() if turn % 2 else followers[turn // 2 % len(followers)]
                self._ensemble[number].kill()
                self.kills += 1
                self._leave.wait(self._period / 2)
                self._ensemble[number].start()
        except Exception as fault:  # told by the thread that waits for this one
            self.fault = fault

    def stop(self):
        self._leave.set()
        self.join(90)


def attempt(name, test, ensemble, lost):
    """Run a test until it passes or fails for another reason than a lost connection; whether it passed."""
    for number in range(1, ATTEMPTS + 1):
        try:
            test(Rooted(ensemble))
            print(f"  ok    {name}" + (f" at attempt {number}" if number > 1 else ""), flush=True)
            return True
        except Exception as fault:  # every fault of a test is the outcome of that test
            if not lost(fault) or number == ATTEMPTS:
                print(f"  FAIL  {name}: {type(fault).__name__}: {fault}\n{place(fault)}", flush=True)
                return False
    return False


def kazoo_lost(fault):
    # A watch of kazoo does not outlive its connection: it gets an event of no type.
    return isinstance(fault, LOST) or "type='NONE'" in str(fault)


def shell_lost(fault):
    return any(mark in str(fault) for mark in ("rc = -4", "rc = -112", "CONNECTING_STATE", "EXPIRED_SESSION_STATE"))


def shell_nodes(server):
    with Shell(server) as shell:
        shell.say("create /cli", r"\[/cli\]: rc = 0")
        shell.say("create /cli", r"\[/cli\]: rc = -110")
        shell.say("set /cli hello", r"/cli: rc = 0.*version=1\s")
        shell.say("get /cli", r"/cli: rc = 0\s+value_len = 5\s+hello.*version=1\s")
        shell.say("create +s /cli/n-", r"\[/cli/n-\]: rc = 0.*name = \S*/cli/n-\d{10}")
        shell.say("delete /cli", r"/cli: rc = -111")
        shell.say("sync /", r"\[/\]: rc = 0")


def run_java(ensemble, folder):
    """The number of tests that failed."""
    command = ["/usr/bin/java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{folder}:{CLASSPATH}",
               "InteropTest", ensemble.hosts, "restarts"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, timeout=600, check=False)
    print("".join(f"  {line}\n" for line in done.stdout.splitlines()), end="", flush=True)
    return sum(line.startswith("FAIL") for line in done.stdout.splitlines()) or int(done.returncode != 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server", help="path of the Quorate binary, or the word apache")
    parser.add_argument("--period", type=float, default=10.0, help="seconds from one kill to the next (%(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="kazoo and cli_mt repeat for so long (%(default)s)")
    parser.add_argument("--only", choices=("kazoo", "cli_mt", "java"))
    arguments = parser.parse_args()
    logging.getLogger("kazoo").setLevel(logging.CRITICAL)
    wanted = [arguments.only] if arguments.only else ["kazoo", "cli_mt", "java"]
    failed = 0
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="quorate-rolling-"))
        if "java" in wanted:
            compile_to(folder)
        ensemble = stack.enter_context(Ensemble(arguments.server, settings={"maxSessionTimeout": "60000"}))
        roller = Roller(ensemble, arguments.period)
        roller.start()
        end = time.monotonic() + arguments.seconds
        for turn in itertools.count():
            if "kazoo" in wanted:
                failed += sum(not attempt(test.__name__, test, ensemble, kazoo_lost) for test in KAZOO)
            if "cli_mt" in wanted:
                failed += not attempt("cli_mt", shell_nodes, ensemble, shell_lost)
            if "java" in wanted and turn == 0:
                failed += run_java(ensemble, folder)
            if time.monotonic() > end:
                break
        roller.stop()
        if roller.fault:
            failed += 1
            print(f"  FAIL  a server did not come back: {roller.fault}", flush=True)
        else:
            ensemble.wait_serving()
            same_trees(ensemble)
            print(f"  ok    the same trees after {roller.kills} kills, leader: {ensemble.wait_leader()}")
    print("all passed" if not failed else f"{failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
