"""Servers under test as real processes: Apache ZooKeeper (Debian's 3.8.0) and Quorate.

A server owns a home directory (configuration, data, log of its output) and one port on 127.0.0.1 for its whole life,
so that it can be stopped or killed and started again on the same data. `Home` may be handed from one server to
another: that is how two programs share a data directory in turn.
"""

import atexit
import base64
import hashlib
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from rawzk import Connection, Session
from waiting import wait_until

SUPER_AUTH = b"super:secret"
SUPER_DIGEST = "super:" + base64.b64encode(hashlib.sha1(SUPER_AUTH).digest()).decode()

JAVA = "/usr/bin/java"
APACHE_CLASSPATH = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar"
APACHE_MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"

# Keys of zoo.cfg. The ticks are short so that an expiry can be awaited; ordinary sessions ask for minutes.
DEFAULT_SETTINGS = {
    "tickTime": "500",
    "minSessionTimeout": "1000",
    "maxSessionTimeout": "600000",
    "maxClientCnxns": "0",
    "admin.enableServer": "false",
    "4lw.commands.whitelist": "*",
    "extendedTypesEnabled": "true",
    "preAllocSize": "1024",
    "DigestAuthenticationProvider.superDigest": SUPER_DIGEST,
}

# Properties that zoo.cfg cannot carry: they have no `zookeeper.` prefix.
DEFAULT_PROPERTIES = {"znode.container.checkIntervalMs": "3600000"}

running = []

# Ports that the kernel gives to nobody as the near end of a connection: a server that is started again finds its own free.
_PORTS = range(20000, 30000)
_claims = {}


def lasting_port(count=1, offsets=(0,)):
    """A TCP port on 127.0.0.1 that stays free for a server between its processes, and with it the `count` ports from
    each of the offsets on."""
    dice = random.Random(os.urandom(8))
    while True:
        first = dice.randrange(_PORTS.start, _PORTS.stop - count - max(offsets))
        ours = []
        for port in (first + offset + at for offset in offsets for at in range(count)):
            if not _claim(port):
                break
            ours.append(port)
        else:
            return first
        for port in ours:
            give_back_port(port)


def _claim(port):
    """By a name, for as long as we live: tests may run side by side."""
    claim = socket.socket(socket.AF_UNIX)
    with socket.socket() as probe:
        try:
            claim.bind(f"\0quorate-test-port-{port}")
            probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            return False
    _claims[port] = claim
    return True


def give_back_port(port):
    """Others may have it; nothing if it is not ours."""
    if port in _claims:
        _claims.pop(port).close()


class Home:
    """The directory of a server; survives the processes that use it."""

    def __init__(self, directory=None):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="quorate-interop-", dir=directory))
        self.port = lasting_port()
        self.host = "127.0.0.1"
        self.inside = []  # what makes a command run on the machine that this is a directory of
        self.data = self.path / "data"
        self.data.mkdir()

    def write_config(self, settings):
        """Write zoo.cfg for a standalone server; return its path."""
        keys = dict(settings, dataDir=self.data, clientPort=self.port, clientPortAddress=self.host)
        config = self.path / "zoo.cfg"
        config.write_text("".join(f"{key}={value}\n" for key, value in keys.items()))
        return config

    def clear(self):
        """Make the data directory empty."""
        shutil.rmtree(self.data)
        self.data.mkdir()

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)
        give_back_port(self.port)


def _ends_with_us():
    """What makes a process end with ours, even if that is killed. The kernel means the thread that starts it."""
    return ["setpriv", "--pdeathsig", "KILL"] if threading.current_thread() is threading.main_thread() else []


class Server:
    """One standalone server process. Subclasses say how it is started."""

    name = "?"

    def __init__(self, settings=None, properties=None, home=None):
        self.settings = dict(DEFAULT_SETTINGS, **(settings or {}))
        self.properties = dict(DEFAULT_PROPERTIES, **(properties or {}))
        self.home = home or Home()
        self.address = (self.home.host, self.home.port)
        self.process = None

    @property
    def hosts(self):
        """What a client is told to connect to."""
        return "%s:%d" % self.address

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *exception):
        self.kill()
        self.home.remove()

    def command(self, config):
        """Argument list and extra environment of the process."""
        raise NotImplementedError

    def launch(self):
        """Start the process without waiting for it to serve."""
        assert not self.alive(), f"{self.name} is already running"
        arguments, environment = self.command(self.home.write_config(self.settings))
        with open(self.home.path / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                [*_ends_with_us(), *self.home.inside, *arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.home.path,
                env=dict(os.environ, LANG="C.UTF-8", **environment))
        running.append(self.process)

    def start(self, seconds=60.0):
        """Start the process and wait until it serves."""
        self.launch()
        wait_until(f"{self.name} serves on {self.address}", self._serves_or_died, seconds)
        return self

    def _serves_or_died(self):
        if not self.alive():
            raise AssertionError(f"{self.name} ended with {self.process.returncode} at start:\n{self.log_tail()}")
        return self.serves()

    def serves(self):
        """Whether a wrong renewal is refused as such: a server that does not serve yet closes instead. No transaction is made."""
        try:
            with Connection(self.address, 2.0) as probe:
                return isinstance(probe.handshake(session_id=1, password=b"nobody"), Session)
        except OSError:
            return False

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def stop(self, seconds=30.0):
        """End the process with SIGTERM and return its exit status."""
        self.process.terminate()
        return self._reap(seconds)

    def kill(self):
        """End the process at once (SIGKILL); nothing to do if it does not run."""
        if self.alive():
            self.process.kill()
            self._reap(30.0)

    def _reap(self, seconds):
        status = self.process.wait(seconds)
        running.remove(self.process)
        return status

    def wait_exit(self, seconds=30.0):
        """Wait for a process that ends by itself; return its exit status."""
        return self._reap(seconds)

    def log_tail(self, lines=30):
        """The last lines that the process wrote."""
        text = (self.home.path / "server.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def resident_bytes(self):
        """Resident memory of the process."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0


class ApacheServer(Server):
    """Debian's Apache ZooKeeper."""

    name = "apache"

    def command(self, config):
        flags = [f"-D{key}={value}" for key, value in self.properties.items()]
        return [JAVA, "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", *flags, "-Dzookeeper.jmx.log4j.disable=true",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", APACHE_CLASSPATH, APACHE_MAIN, str(config)], {}


class QuorateServer(Server):
    """Quorate, from the path of its binary. Java properties go the way of zkServer.sh: in SERVER_JVMFLAGS."""

    name = "quorate"

    def __init__(self, binary, settings=None, properties=None, home=None):
        super().__init__(settings, properties, home)
        self.binary = str(pathlib.Path(binary).resolve())

    def command(self, config):
        flags = " ".join(f"-D{key}={value}" for key, value in self.properties.items())
        return [self.binary, "serve", str(config)], {"SERVER_JVMFLAGS": flags}


def make_server(which, settings=None, properties=None, home=None):
    """`which` is the word `apache` or the path of a Quorate binary."""
    if which == "apache":
        return ApacheServer(settings, properties, home)
    return QuorateServer(which, settings, properties, home)


def _leave_in_order(_signal, _frame):
    """A test that is stopped from outside ends its servers too."""
    sys.exit(1)


signal.signal(signal.SIGTERM, _leave_in_order)


@atexit.register
def _end_what_is_left():
    """A test that failed between start and stop must not leave a process behind."""
    for process in running:
        process.kill()
        process.wait()
