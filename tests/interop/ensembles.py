"""Ensembles of servers as real processes on loopback: Quorate from the path of its binary, Apache, or both together."""

import contextlib
import re

import rawzk
from servers import Home, lasting_port, make_server
from waiting import wait_until

# Ticks are short so that a silent server is noticed within seconds.
SETTINGS = {"initLimit": "20", "syncLimit": "8", "standaloneEnabled": "false"}


class Ensemble:
    """Servers numbered from 1. `which` is as in make_server(), or a list with one for each server.

    `make` takes what make_server() takes; `make_home` makes their directories. The servers meet on `host`, or over the
    `network`, which is Relays or Namespaces; `observers` are the numbers of those that do not vote.
    """

    def __init__(self, which, size=3, settings=None, properties=None, network=None, host="127.0.0.1", observers=(),
                 make=make_server, make_home=Home):
        kinds = which if isinstance(which, (list, tuple)) else [which] * size
        numbers = range(1, len(kinds) + 1)
        ports = {number: (lasting_port(), lasting_port()) for number in numbers}
        self.network = network(ports, lasting_port) if network else None
        role = {number: ":observer" if number in observers else "" for number in numbers}
        plain = {f"server.{number}": "%s:%d:%d%s" % (host, *pair, role[number]) for number, pair in ports.items()}
        self.members = {}
        for number, kind in zip(numbers, kinds):
            lines = self.network.server_lines(number) if network else plain
            home = make_home()
            if self.network:
                self.network.place(number, home)
            (home.data / "myid").write_text(f"{number}\n")
            self.members[number] = make(kind, {**SETTINGS, **(settings or {}), **lines}, properties, home)

    def __enter__(self):
        try:
            if self.network:
                self.network.__enter__()
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *exception):
        with contextlib.ExitStack() as ends:  # each, whatever goes wrong with another
            if self.network:
                ends.callback(self.network.__exit__)
            for member in self.members.values():
                ends.callback(member.__exit__)

    def __getitem__(self, number):
        return self.members[number]

    def __iter__(self):
        return iter(self.members)

    @property
    def hosts(self):
        """What a client is told to connect to."""
        return ",".join("%s:%d" % member.address for member in self.members.values())

    def alive(self):
        """Numbers of the members that have a process."""
        return [number for number, member in self.members.items() if member.alive()]

    def start(self, seconds=60.0):
        """Start every member that does not run, and wait until all serve."""
        for number in self:
            if not self[number].alive():
                self[number].launch()
        self.wait_serving(seconds)
        return self

    def wait_serving(self, seconds=60.0):
        wait_until("every member serves", lambda: all(map(self._serves, self)), seconds)

    def _serves(self, number):
        member = self[number]
        assert member.alive(), f"server {number} ended with {member.process.returncode}:\n{member.log_tail()}"
        return mode(member) in ("leader", "follower", "observer")

    def leader(self):
        """The number of the server that says it leads, or None."""
        return next((number for number in self.alive() if mode(self[number]) == "leader"), None)

    def wait_leader(self, seconds=30.0):
        return wait_until("one of the servers leads", self.leader, seconds)

    def wait_mode(self, number, *wanted, seconds=30.0):
        """What a server calls its part, once that is one of these."""
        def look():
            found = mode(self[number])
            return found if found in wanted else None
        return wait_until(f"server {number} calls itself {' or '.join(wanted)}", look, seconds)

    def followers(self):
        leader = self.wait_leader()
        return [number for number in self.alive() if number != leader]


def mode(server, seconds=1.0):
    """What a server calls its part: leader, follower, observer, standalone; None when it does not serve."""
    try:
        text = rawzk.four_letter_word(server.address, b"srvr", seconds).decode(errors="replace")
    except OSError:
        return None
    found = re.search(r"^Mode: (\S+)$", text, re.M)
    return found[1] if found else None
