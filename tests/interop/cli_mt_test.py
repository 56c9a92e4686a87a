"""Drives cli_mt, the shell of Apache's own C client library, through its commands: a real libzookeeper_mt at work."""

import os
import re
import select
import subprocess
import time

import rawzk
import records as zk
from harness import run
from servers import SUPER_AUTH
from waiting import remaining

CLI = "/usr/lib/zookeeper/bin/cli_mt"
SECONDS = 10.0


class Shell:
    """A cli_mt process: give it a line, wait for a pattern in what it prints."""

    def __init__(self, server):
        self._process = subprocess.Popen([CLI, server.hosts], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(self._process.stdout.fileno(), False)
        self._text = ""

    def __enter__(self):
        try:
            self.expect(r"SESSION_EVENT state = CONNECTED_STATE")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception):
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()
        self._process.stdin.close()

    def say(self, line, pattern):
        """Enter a command; return the match of the pattern in the output behind it."""
        self._text = ""
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()
        return self.expect(pattern)

    def expect(self, pattern):
        end = time.monotonic() + SECONDS
        while not (match := re.search(pattern, self._text, re.S)):
            ended = self._process.poll() is not None  # what it said last may still be unread
            piece = _read_some(self._process.stdout, end)
            self._text += piece
            if not piece and (ended or time.monotonic() > end):
                raise AssertionError(f"no {pattern!r} in:\n{self._text[-1500:]}")
        return match

    def quit(self):
        self._process.stdin.write(b"quit\n")
        self._process.stdin.flush()
        return self._process.wait(SECONDS)


def _read_some(stream, end):
    """What the process has printed; waits at most a moment for more."""
    poller = select.select([stream], [], [], min(0.2, remaining(end)))
    return os.read(stream.fileno(), 65536).decode(errors="replace") if poller[0] else ""


def create_get_set_delete(server):
    with Shell(server) as shell:
        shell.say("create /cli", r"\[/cli\]: rc = 0")
        shell.say("create /cli", r"\[/cli\]: rc = -110")
        shell.say("set /cli hello", r"/cli: rc = 0.*version=1\s")
        shell.say("get /cli", r"/cli: rc = 0\s+value_len = 5\s+hello.*version=1\s")
        shell.say("get /none", r"/none: rc = -101")
        shell.say("delete /cli", r"/cli: rc = 0")
        shell.say("delete /cli", r"/cli: rc = -101")


def stat_and_children(server):
    with Shell(server) as shell:
        shell.say("create /st", r"\[/st\]: rc = 0")
        shell.say("create /st/one", r"\[/st/one\]: rc = 0")
        shell.say("create /st/two", r"\[/st/two\]: rc = 0")
        match = shell.say("ls /st", r"/st: rc = 0\n\t(\w+)\n\t(\w+)\n")
        assert sorted(match.groups()) == ["one", "two"], match.groups()
        shell.say("ls2 /st", r"/st: rc = 0.*cversion|/st: rc = 0.*version=0")
        shell.say("aexists /none", r"Error -101 for /none")
        shell.say("delete /st", r"/st: rc = -111")


def kinds_of_nodes(server):
    with Shell(server) as shell:
        shell.say("create +e /ephemeral", r"\[/ephemeral\]: rc = 0")
        shell.say("create +s /numbered-", r"\[/numbered-\]: rc = 0.*name = /numbered-\d{10}")
        shell.say("create +c /container", r"\[/container\]: rc = 0")
        shell.say("create2 /second", r"\[/second\]: rc = 0.*version=0")
        shell.say("create +t=100000 /ttl", r"\[/ttl\]: rc = 0")
        with rawzk.open_session(server.address) as client:
            assert client.must(zk.exists("/ephemeral")).ephemeral_owner
            assert not client.must(zk.exists("/container")).ephemeral_owner
        assert shell.quit() == 0
    with rawzk.open_session(server.address) as client:
        assert client.call(zk.exists("/ephemeral")).err == -101, "the ephemeral outlived an orderly end"


def watches(server):
    with Shell(server) as shell, rawzk.open_session(server.address) as client:
        client.must(zk.create("/watched"))
        shell.say("get /watched", r"/watched: rc = 0")
        client.must(zk.set_data("/watched", b"news"))
        shell.expect(r"Watcher CHANGED_EVENT state = CONNECTED_STATE for path /watched\n")
        shell.say("ls /watched", r"/watched: rc = 0")
        client.must(zk.create("/watched/child"))
        shell.expect(r"Watcher CHILD_EVENT state = CONNECTED_STATE for path /watched\n")
        shell.say("awexists /coming", r"Error -101 for /coming")
        client.must(zk.create("/coming"))
        shell.expect(r"Watcher CREATED_EVENT state = CONNECTED_STATE for path /coming\n")


def sync_config_and_auth(server):
    with Shell(server) as shell, rawzk.open_super(server.address, SUPER_AUTH) as keeper:
        keeper.must(zk.create("/secret", b"word", [zk.Acl(zk.ALL, "digest", "a:3OptnM09ILoVSfbZtd3mB0IViII=")]))
        shell.say("sync /", r"\[/\]: rc = 0")
        shell.say("config", r"/zookeeper/config: rc = 0")
        shell.say("get /secret", r"/secret: rc = -102")
        shell.say("addauth digest a:b", r"")
        shell.say("get /secret", r"/secret: rc = 0\s+value_len = 4\s+word")


if __name__ == "__main__":
    run(__doc__, [create_get_set_delete, stat_and_children, kinds_of_nodes, watches, sync_config_and_auth])
