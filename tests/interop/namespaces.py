"""Servers of an ensemble as machines on a network: a network namespace for each, joined to a bridge in the test's own.

The test itself moves into fresh network and mount namespaces (enter()), so the host's interfaces, routes and mounts are
never touched, and all of it is gone with the last process. A server's namespace is held open by a process that ends
when its input does, that is when the test has ended, however.

Here packets really vanish, and the kernels' TCP does what it does then. A cut of one direction is a neighbour entry with
an address that no card has: the bridge floods the frame and everybody drops it. A cable that is pulled is the server's
port of the bridge set down; one that is loose goes down and up many times a second; a narrow link is a token bucket,
which delays and then drops. Only `ip` and `tc` with the kinds that every kernel has are needed.
"""

import ctypes
import os
import random
import subprocess
import sys
import threading

from waiting import wait_until

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000

BRIDGE = "bridge"
HUB = "10.77.0.254"
NOBODY = "02:00:00:00:ff:ff"


# A datagram that is sent, and the end that awaits it and says its port; status 0: it came.
_SEND = "import socket, sys; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', (sys.argv[1], int(sys.argv[2])))"
_RECEIVE = """
import socket, sys
end = socket.socket(type=socket.SOCK_DGRAM)
end.bind((sys.argv[1], 0))
end.settimeout(20)
print(end.getsockname()[1], flush=True)
end.recv(9)
"""


class Unavailable(Exception):
    """Namespaces cannot be made here; the text says why."""


def enter():
    """Move this process, which must have one thread only, into namespaces of its own. Raises Unavailable.

    Tried in a child before, which may fail half-way.
    """
    try:
        tried = subprocess.run([sys.executable, __file__], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.SubprocessError) as fault:
        raise Unavailable(str(fault)) from fault
    if tried.returncode != 0:
        raise Unavailable(tried.stderr.strip().splitlines()[-1] if tried.stderr.strip() else f"status {tried.returncode}")
    _enter()


def _enter():
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNET | CLONE_NEWNS) != 0:
        if libc.unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS) != 0:
            raise Unavailable(f"unshare: {os.strerror(ctypes.get_errno())}")
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)  # root in here, ourselves outside
    if libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        raise Unavailable(f"mount: {os.strerror(ctypes.get_errno())}")
    _ip(None, "link set lo up", f"link add {BRIDGE} type bridge", f"addr add {HUB}/24 dev {BRIDGE}", f"link set {BRIDGE} up")


def _try_all():
    """What a run will need, and that it does what it says. Ends in an exception where something lacks."""
    from small_disk import SmallDiskHome
    _enter()
    home = SmallDiskHome(1)
    try:
        with Namespaces({1: (1, 2), 2: (1, 2)}, None, {1: home, 2: home}) as network:
            for change, there, back in ((network.heal, True, True), (lambda: network.cut([(1, 2)]), False, True),
                                        (lambda: network.split([1]), False, False), (lambda: network.pull(2), False, False),
                                        (lambda: network.make_unreachable([(2, 1)]), True, False),
                                        (lambda: network.narrow([1, 2]), True, True)):
                change()
                found = network.arrives(1, 2), network.arrives(2, 1)
                assert found == (there, back), f"what gets from 1 to 2 and back is {found} in the place of {(there, back)}"
                network.heal()
                assert network.arrives(1, 2) and network.arrives(2, 1), "the network is not whole again"
    finally:
        home.remove()


def _inside(holder):
    """What makes a command run in the namespace of a process; nothing for our own."""
    return ["nsenter", "-t", str(holder.pid), "-n", "--"] if holder else []


def _run(holder, command, text=None):
    done = subprocess.run(_inside(holder) + command, input=text, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr.strip()} in\n{text or ''}"


def _ip(holder, *lines):
    """Several commands of ip, one after the other, in one process."""
    _run(holder, ["ip", "-batch", "-"], "".join(line + "\n" for line in lines))


class Namespaces:
    """The network of one ensemble. `members`: number -> (quorum port, election port). Requires enter()."""

    def __init__(self, members, _make_port, homes=None):
        self._members = members
        self._holders = {}
        self._homes = dict(homes or {})
        self._cut = set()      # pairs
        self._changed = set()  # numbers with a pulled, loose or narrow cable
        self._loose = None     # thread, event
        self._unreachable = set()

    def server_lines(self, _number):
        """The server lines of the configuration of one member."""
        return {f"server.{other}": "%s:%d:%d" % (self._address(other), *ports) for other, ports in self._members.items()}

    def place(self, number, home):
        """The server of this home is the machine `number`."""
        self._homes[number] = home
        home.host = self._address(number)

    def __enter__(self):
        for number in self._members:
            holder = subprocess.Popen(["unshare", "-n", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            self._holders[number] = holder
            self._homes[number].inside = _inside(holder)
            wait_until(f"there is a namespace for server {number}", lambda pid=holder.pid: _namespace(pid) != _namespace("self"))
            _ip(None, f"link add {_cable(number)} type veth peer name eth0 address {_card(number)} netns {holder.pid}",
                f"link set {_cable(number)} master {BRIDGE} up")
            _ip(holder, "link set lo up", f"addr add {self._address(number)}/24 dev eth0", "link set eth0 up")
        for number in self._members:
            _ip(self._holders[number], *(self._neighbour(other, False) for other in self._members if other != number))
        return self

    def __exit__(self, *exception):
        self._stop_shaking()
        for number, holder in self._holders.items():
            holder.stdin.close()
            holder.wait(10)
            # Gone with its namespace, if soon enough.
            subprocess.run(["ip", "link", "del", _cable(number)], capture_output=True, check=False, timeout=20)
        self._holders = {}

    def pairs(self):
        """Every (from, to)."""
        return [(a, b) for a in self._members for b in self._members if a != b]

    def cut(self, pairs):
        """What the first of each pair sends the second is lost, from now on."""
        self._cut |= set(pairs)
        for a in {a for a, _ in pairs}:
            _ip(self._holders[a], *(self._neighbour(b, True) for each, b in pairs if each == a))

    def cut_off(self, number):
        """Nothing goes between one server and the others; clients still reach it."""
        self.cut([pair for pair in self.pairs() if number in pair])

    def split(self, side):
        """The servers of `side` and the others cannot talk to each other."""
        self.cut([(a, b) for a, b in self.pairs() if (a in side) != (b in side)])

    def make_unreachable(self, pairs):
        """The first of each pair is told at once that there is no way to the second."""
        self._unreachable |= set(pairs)
        for a, b in pairs:
            _ip(self._holders[a], f"route replace unreachable {self._address(b)}/32")

    def pull(self, number):
        """The cable of one server is out: neither servers nor clients reach it."""
        self._changed.add(number)
        _ip(None, f"link set {_cable(number)} down")

    def shake(self, numbers, seed):
        """Cables that are out now and then, for moments: what is sent then is lost."""
        self._stop_shaking()
        self._changed |= set(numbers)
        over = threading.Event()
        thread = threading.Thread(target=_shake, args=(list(numbers), random.Random(seed), over), daemon=True)
        self._loose = (thread, over)
        thread.start()

    def narrow(self, numbers):
        """So slow a link that packets wait, and are dropped when too many do."""
        self._changed |= set(numbers)
        for number in numbers:
            for holder, device in ((None, _cable(number)), (self._holders[number], "eth0")):
                _run(holder, ["tc", "qdisc", "replace", "dev", device, "root", "tbf", "rate", "512kbit", "burst", "4k", "latency", "100ms"])

    def heal(self):
        """The network is whole again."""
        self._stop_shaking()
        for number in self._changed:
            _ip(None, f"link set {_cable(number)} up")
            for holder, device in ((None, _cable(number)), (self._holders[number], "eth0")):
                subprocess.run(_inside(holder) + ["tc", "qdisc", "del", "dev", device, "root"], capture_output=True, check=False, timeout=20)
        for a, b in self._unreachable:
            _ip(self._holders[a], f"route del unreachable {self._address(b)}/32")
        for a in {a for a, _ in self._cut}:
            _ip(self._holders[a], *(self._neighbour(b, False) for each, b in self._cut if each == a))
        self._changed, self._unreachable, self._cut = set(), set(), set()

    def arrives(self, a, b):
        """Whether a datagram gets from one server to another, within a moment."""
        command = [sys.executable, "-c", _RECEIVE, self._address(b)]
        with subprocess.Popen(_inside(self._holders[b]) + command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as receiver:
            port = receiver.stdout.readline().strip()
            send = [sys.executable, "-c", _SEND, self._address(b), port]
            subprocess.run(_inside(self._holders[a]) + send, capture_output=True, check=False, timeout=20)
            try:
                return receiver.wait(1.0) == 0
            except subprocess.TimeoutExpired:
                receiver.kill()
                return False

    def _stop_shaking(self):
        if self._loose:
            thread, over = self._loose
            over.set()
            thread.join()
            self._loose = None

    @staticmethod
    def _address(number):
        return f"10.77.0.{number}"

    def _neighbour(self, number, lost):
        return f"neigh replace {self._address(number)} lladdr {NOBODY if lost else _card(number)} dev eth0 nud permanent"


def _namespace(pid):
    return os.readlink(f"/proc/{pid}/ns/net")


def _cable(number):
    """The end of a server's cable at the bridge."""
    return f"server{number}"


def _card(number):
    return f"02:00:00:00:00:{number:02x}"


def _shake(numbers, dice, over):
    while not over.is_set():
        number = dice.choice(numbers)
        _ip(None, f"link set {_cable(number)} down")
        over.wait(dice.uniform(0.02, 0.3))
        _ip(None, f"link set {_cable(number)} up")
        over.wait(dice.uniform(0.05, 0.6))


if __name__ == "__main__":
    _try_all()
