"""The two servers that are compared, as processes on directories of the machine's own disk.

The process handling is that of the interoperability tests; the settings are the programs' own defaults, except where
the load needs more connections than Apache allows.
"""

import pathlib
import re
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "interop"))

import ensembles  # noqa: E402
import rawzk  # noqa: E402
import records  # noqa: E402
import servers  # noqa: E402

SETTINGS = {
    "tickTime": "2000",
    "maxClientCnxns": "0",
    "admin.enableServer": "false",
    "4lw.commands.whitelist": "*",
}


class Apache(servers.ApacheServer):
    label = "Apache"

    def __init__(self, home, settings, java_options):
        super().__init__(home=home)
        self.settings = dict(SETTINGS, **settings)
        self.java_options = java_options

    def command(self, config):
        # How a learner is brought up to date is in the log only, a line each.
        told = "-Dorg.slf4j.simpleLogger.log.org.apache.zookeeper.server.quorum.LearnerHandler=info"
        return [servers.JAVA, *self.java_options, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", told,
                "-cp", servers.APACHE_CLASSPATH, servers.APACHE_MAIN, str(config)], {}


class Quorate(servers.QuorateServer):
    label = "Quorate"

    def __init__(self, binary, home, settings):
        super().__init__(binary, home=home)
        self.settings = dict(SETTINGS, **settings)

    def command(self, config):
        return [self.binary, "serve", str(config)], {}


# What three servers tell each other about time; Apache's sample configuration has these limits too.
ENSEMBLE_SETTINGS = {"initLimit": "10", "syncLimit": "5"}


def trio(make, make_home, settings=None):
    """Three stopped servers of one kind on new directories; `make(home, settings)` makes one of them."""
    def make_member(_kind, settings, _properties, home):
        return make(home, settings)
    three = ensembles.Ensemble("", 3, {**ENSEMBLE_SETTINGS, **(settings or {})}, make=make_member, make_home=make_home)
    three.label = three[1].label
    return three


def version(server):
    """What the program calls its version; "of unknown version" when it does not say."""
    text = rawzk.four_letter_word(server.address, b"srvr").decode(errors="replace")
    found = re.search(r"version: ([0-9.]+)", text)
    return found[1] if found else "of unknown version"


def resident_kb(server):
    text = pathlib.Path(f"/proc/{server.process.pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Rss:"))


def start_until_first_read(server, path, seconds=600.0):
    """Start the process; return the seconds from its exec to the first value of `path` read by a client."""
    begin = time.monotonic()
    server.launch()
    while not reads(server.address, path):
        if not server.alive():
            raise RuntimeError(f"{server.label} ended at start:\n{server.log_tail()}")
        if time.monotonic() > begin + seconds:
            raise RuntimeError(f"{server.label} does not serve {path} after {seconds} s")
        time.sleep(0.002)
    return time.monotonic() - begin


def reads(address, path):
    """Whether a new session gets the value of `path`."""
    try:
        with rawzk.Connection(address, seconds=1.0) as connection:
            session = connection.handshake(timeout=30000)
            return isinstance(session, rawzk.Session) and connection.call(records.get_data(path)).err == 0
    except OSError:  # refused, closed, or no answer in time
        return False


class SnapshotActivity:
    """Tells whether a snapshot file has changed since the last look."""

    def __init__(self, server):
        self._directory = server.home.data / "version-2"
        self._last = self._look()

    def _look(self):
        seen = set()
        for path in self._directory.glob("*snapshot*"):
            try:
                facts = path.stat()
            except FileNotFoundError:  # renamed or purged meanwhile
                continue
            seen.add((path.name, facts.st_size, facts.st_mtime_ns))
        return seen

    def changed(self):
        last, self._last = self._last, self._look()
        return last != self._last


def settle(server, quiet_seconds=3.0, limit_seconds=120.0):
    """Wait until no snapshot has been written for a while."""
    activity = SnapshotActivity(server)
    begin = quiet_since = time.monotonic()
    while time.monotonic() < min(quiet_since + quiet_seconds, begin + limit_seconds):
        time.sleep(0.1)
        if activity.changed():
            quiet_since = time.monotonic()
