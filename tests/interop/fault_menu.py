"""What can be broken in a running ensemble, and how it is mended. Every fault is a method that breaks and returns what it did.

A network of relays (relays.py) can delay and tear; one of namespaces (namespaces.py) loses packets.
"""

import random
import signal
import subprocess
import time

from namespaces import Namespaces
from relays import Link

FULL_DISK_STATUS = 10  # docs/operations/differences.md: a write of the log fails
ENDED = (0, 143)  # after SIGTERM: Quorate, a Java machine
UNTIL_FULL_SECONDS = 20.0


class Faults:
    """Breaks things and puts them back. `small_disks`: every home is a SmallDiskHome."""

    def __init__(self, ensemble, seed, small_disks):
        self._ensemble = ensemble
        self._network = ensemble.network
        self._random = random.Random(seed)
        self._stopped = []
        self._full = []
        self._mended = True
        self._menu = [(self.kill_leader, 4), (self.kill_some, 4), (self.kill_all, 1.5), (self.kill_two_leaders, 2), (self.stop_leader, 3),
                      (self.stop_some, 2), (self.end_some, 2), (self.cut_leader, 4), (self.cut_some, 2), (self.split, 3),
                      (self.deaf_leader, 2), (self.mute_leader, 2), (self.partial_cut, 3), (self.one_way_cut, 2)]
        if isinstance(self._network, Namespaces):
            self._menu += [(self.pull_leader, 2), (self.pull_some, 2), (self.unreachable, 2), (self.loose, 3), (self.narrow, 2)]
        else:
            self._menu += [(self.slow, 2), (self.torn, 2), (self.reset, 2)]
        if small_disks:
            self._menu.append((self.fill_disk, 3))
        self._left = [fault for fault, _ in self._menu]
        self._random.shuffle(self._left)

    def break_something(self):
        """Every fault once, then as their weights say."""
        if not self._left:
            faults, weights = zip(*self._menu)
            self._left = self._random.choices(faults, weights, k=len(faults))
        done = self._left.pop()()
        self._mended = False
        return done

    def now_and_then(self, share):
        return self._random.random() < share

    def pause(self, least, most):
        time.sleep(self._random.uniform(least, most))

    def mend(self):
        """Links are whole, stopped processes go on, disks have room, dead processes are started."""
        self._network.heal()
        for number in self._stopped:
            self._ensemble[number].process.send_signal(signal.SIGCONT)
        self._stopped = []
        for number in self._ensemble:
            if number in self._full:
                self._ensemble[number].home.empty()
            if not self._ensemble[number].alive():
                self._ensemble[number].launch()
        self._full = []
        self._mended = True

    def look_for_deaths(self):
        """Numbers of the servers that have ended although nobody ended them."""
        return [number for number, member in self._ensemble.members.items() if not self._may_be(number, member.process.poll())]

    def _may_be(self, number, status):
        return status in (None, -signal.SIGKILL, *ENDED) or (status == FULL_DISK_STATUS and number in self._full)

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
        self._network.set(pairs, link)
        return what

    def _lose(self, pairs, what):
        self._network.cut(pairs)
        return what

    def cut_leader(self):
        number = self._leader()
        self._network.cut_off(number)
        return f"{number}, the leader, cut off"

    def cut_some(self):
        side = self._minority()
        for number in side:
            self._network.cut_off(number)
        return f"each of {side} cut off"

    def split(self):
        side = self._minority()
        self._network.split(side)
        return f"{side} cut off from the others"

    def deaf_leader(self):
        number = self._leader()
        pairs = [pair for pair in self._network.pairs() if pair[1] == number]
        return self._lose(pairs, f"nothing reaches {number}, the leader")

    def mute_leader(self):
        number = self._leader()
        pairs = [pair for pair in self._network.pairs() if pair[0] == number]
        return self._lose(pairs, f"nothing comes from {number}, the leader")

    def partial_cut(self):
        a, b = self._random.choice(self._network.pairs())
        return self._lose([(a, b), (b, a)], f"{a} and {b} cannot talk to each other")

    def one_way_cut(self):
        a, b = self._random.choice(self._network.pairs())
        return self._lose([(a, b)], f"nothing gets from {a} to {b}")

    def fill_disk(self):
        """A server that cannot write its log ends, and says so by its status."""
        leader = self._leader()
        number = leader if self.now_and_then(0.5) else self._random.choice([each for each in self._ensemble if each != leader])
        member = self._ensemble[number]
        member.home.fill()
        self._full.append(number)
        what = f"the disk of {number}{', the leader,' if number == leader else ''} is full"
        if not self._mended or member.name != "quorate":
            return what
        begin = time.monotonic()
        try:
            status = member.process.wait(UNTIL_FULL_SECONDS)  # clients write all the time
        except subprocess.TimeoutExpired as fault:
            raise AssertionError(f"server {number} goes on for {UNTIL_FULL_SECONDS} s with a full disk") from fault
        assert status == FULL_DISK_STATUS, f"server {number} ended with {status} when its disk was full"
        return f"{what}: it ended with {status} after {time.monotonic() - begin:.2f} s"

    # Relays only.

    def slow(self):
        delay = self._random.choice((0.01, 0.05, 0.2))
        return self._links(self._network.pairs(), Link(delay=delay), f"every piece takes {delay} s")

    def torn(self):
        return self._links(self._network.pairs(), Link(tear=0.01), "every hundredth piece ends its connection")

    def reset(self):
        self._network.reset(self._network.pairs())
        return "every connection reset"

    # Namespaces only.

    def pull_leader(self):
        number = self._leader()
        self._network.pull(number)
        return f"the cable of {number}, the leader, is out"

    def pull_some(self):
        side = self._minority()
        for number in side:
            self._network.pull(number)
        return f"the cables of {side} are out"

    def unreachable(self):
        number = self._leader()
        pairs = [pair for pair in self._network.pairs() if pair[1] == number]
        self._network.make_unreachable(pairs)
        return f"{number}, the leader, is unreachable for the others"

    def loose(self):
        numbers = list(self._ensemble) if self.now_and_then(0.3) else [self._leader()]
        self._network.shake(numbers, self._random.random())
        return f"the cables of {numbers} are loose"

    def narrow(self):
        numbers = list(self._ensemble) if self.now_and_then(0.5) else [self._leader()]
        self._network.narrow(numbers)
        return f"the links of {numbers} are narrow"
