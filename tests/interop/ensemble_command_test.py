"""`quorate ensemble`: a local ensemble as child processes."""

import argparse
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import rawzk
import records as zk
from harness import equal, passes
from servers import lasting_port, running
from waiting import wait_until


MOST_SERVERS = 5
PORT_OFFSETS = (0, 707, 1707)  # of clients, servers and elections


class Command:
    """The program on a directory of its own; `text` is what it has printed."""

    def __init__(self, binary):
        self.binary = binary
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="quorate-command-"))
        self.directory = self.folder / "local"
        self.port = lasting_port(MOST_SERVERS, PORT_OFFSETS)
        self.process = None

    def start(self, *arguments):
        options = {"--dir": str(self.directory), "--client-port": str(self.port), **dict(zip(arguments[::2], arguments[1::2]))}
        command = [self.binary, "ensemble", *(word for option in options.items() for word in option)]
        with open(self.folder / "out", "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        running.append(self.process)
        return self

    @property
    def text(self):
        return (self.folder / "out").read_text()

    def kill(self):
        """Whatever is left of it; its servers end with it."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def ended(self):
        status = self.process.wait(20)
        running.remove(self.process)
        return status

    def address(self, number):
        return ("127.0.0.1", self.port + number - 1)

    def wait_serving(self, numbers=(1, 2, 3)):
        wait_until("all servers serve", lambda: all(_serves(self.address(number)) for number in numbers))

    def children(self):
        return [int(pid) for pid in pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()]


def _serves(address):
    try:
        return b"Mode: " in rawzk.four_letter_word(address, b"srvr", 2.0)
    except OSError:
        return False


def _write(address, path):
    with rawzk.open_session(address) as client:
        client.must(zk.create(path))
        client.close_session()


def starts_serves_and_stops(command):
    for turn, stop in enumerate((signal.SIGTERM, signal.SIGINT)):
        command.start().wait_serving()
        addresses = ",".join("%s:%d" % command.address(number) for number in (1, 2, 3))
        wait_until("it says where clients connect", lambda: addresses in command.text)
        _write(command.address(2), f"/turn-{turn}")
        if turn == 1:  # the data of the first turn is still there
            with rawzk.open_session(command.address(3)) as client:
                client.must(zk.sync("/"))
                client.must(zk.exists("/turn-0"))
        children = command.children()
        equal(len(children), 3)
        command.process.send_signal(stop)
        equal(command.ended(), 0)
        equal([pid for pid in children if os.path.exists(f"/proc/{pid}")], [])
    for number in (1, 2, 3):
        home = command.directory / str(number)
        equal((home / "data" / "myid").read_text(), f"{number}\n")
        assert (home / "data" / "version-2").is_dir() and "LEADER ELECTION TOOK" in (home / "server.log").read_text()


def others_go_on(command):
    command.start().wait_serving()
    victim = command.children()[0]
    os.kill(victim, signal.SIGKILL)
    line = wait_until("the death is reported", lambda: re.search(r"server (\d) \(process (\d+)\) was killed by signal 9.*others go on", command.text))
    equal(int(line[2]), victim)
    command.wait_serving([number for number in (1, 2, 3) if number != int(line[1])])
    command.process.terminate()
    equal(command.ended(), 0)


def none_left(command):
    command.start("--servers", "1").wait_serving([1])
    os.kill(command.children()[0], signal.SIGKILL)
    equal(command.ended(), 1)
    assert "no server is left" in command.text, command.text


def servers_end_with_their_parent(command):
    command.start().wait_serving()
    children = command.children()
    command.process.kill()
    command.ended()
    wait_until("the servers have ended", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children))


def refusals(command):
    for arguments, part in ((("--servers", "0"), "--servers 0: want 1 to 15"), (("--client-port", "65000"), "--client-port 65000: want"),
                            (("--dir", "/tmp/a b"), "want a path of plain ASCII")):
        equal(command.start(*arguments).ended(), 2)
        assert part in command.text, command.text
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", command.port + 1))
        taken.listen()
        equal(command.start().ended(), 1)
        assert f"127.0.0.1:{command.port + 1}, the client port of server 2, cannot be had" in command.text, command.text
    command.start().wait_serving()
    command.process.terminate()
    equal(command.ended(), 0)
    equal(command.start("--servers", "5").ended(), 2)
    assert "holds an ensemble of 3 server(s)" in command.text, command.text


TESTS = [starts_serves_and_stops, others_go_on, none_left, servers_end_with_their_parent, refusals]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", help="path of the Quorate binary")
    arguments = parser.parse_args()
    failed = 0
    for test in TESTS:
        command = Command(str(pathlib.Path(arguments.binary).resolve()))
        failed += not passes(test, command)
        command.kill()
        shutil.rmtree(command.folder, ignore_errors=True)
    print(f"{len(TESTS) - failed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
