"""TCP relays between the servers of an ensemble, so that a test can cut, delay and tear what goes from one to another.

Each server's configuration names relays in the place of the other servers, two a directed pair: one before the quorum
port, one before the election port. A connection that server 1 dials to server 2 carries bytes both ways, so its two
directions belong to the links (1, 2) and (2, 1): a link is what one server can tell another, whoever dialed.

A server says in its hello on the election port where it can be called back (its own address, which would go around the
relays); the relay writes the address of the relay for that way in its place.

The relays run in a process of their own (this file), told what to do by lines of JSON, so that they do not share an
interpreter with the clients of a test.
"""

import asyncio
import contextlib
import json
import random
import subprocess
import sys
from typing import NamedTuple

PYTHON = "/usr/bin/python3"
HELLO_HEAD = 20  # version, id, length of the address


class Link(NamedTuple):
    """What becomes of the bytes that one server sends another."""
    open: bool = True    # closed: nothing is lost, nothing arrives
    delay: float = 0.0   # seconds for each piece
    tear: float = 0.0    # probability that a piece ends its connection instead of arriving


class Relays:
    """The relays of one ensemble, as a test commands them. `members`: number -> (quorum port, election port)."""

    def __init__(self, members, make_port):
        self._members = members
        self._ports = {(a, b, kind): make_port() for a in members for b in members if a != b for kind in (0, 1)}
        self._process = None

    def server_lines(self, number):
        """The server lines of the configuration of one member."""
        lines = {}
        for other, own_ports in self._members.items():
            ports = own_ports if other == number else [self._ports[number, other, kind] for kind in (0, 1)]
            lines[f"server.{other}"] = "127.0.0.1:%d:%d" % tuple(ports)
        return lines

    def place(self, number, home):
        """The servers stay where they are."""

    def __enter__(self):
        self._process = subprocess.Popen([PYTHON, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        rows = []
        for (a, b, kind), port in self._ports.items():
            back = (self._members[a][1], self._ports[b, a, 1]) if kind == 1 else None
            rows.append({"from": a, "to": b, "port": port, "target": self._members[b][kind], "rewrite": back})
        self._tell({"relays": rows})
        return self

    def __exit__(self, *exception):
        if self._process:
            self._process.stdin.close()
            self._process.wait(30)

    def _tell(self, command):
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer == "done\n", f"the relays answered {answer!r}"

    def pairs(self):
        """Every (from, to)."""
        return [(a, b) for a in self._members for b in self._members if a != b]

    def set(self, pairs, link):
        """From now on the links of these pairs are such."""
        self._tell({"links": [[a, b, *link] for a, b in pairs]})

    def heal(self):
        """The network is whole again."""
        self.set(self.pairs(), Link())

    def cut(self, pairs):
        """What the first of each pair sends the second waits, from now on."""
        self.set(pairs, Link(open=False))

    def cut_off(self, number):
        """Nothing goes between one server and the others; clients still reach it."""
        self.cut([pair for pair in self.pairs() if number in pair])

    def split(self, side):
        """The servers of `side` and the others cannot talk to each other."""
        self.cut([(a, b) for a, b in self.pairs() if (a in side) != (b in side)])

    def reset(self, pairs):
        """End every connection that was dialed for these pairs."""
        self._tell({"reset": [list(pair) for pair in pairs]})


# In the process of the relays -----------------------------------------------------------------------------------------

class _Switch:
    """A link with its waiters."""

    def __init__(self):
        self.link = Link()
        self.opened = asyncio.Event()
        self.opened.set()

    def become(self, link):
        self.link = link
        (self.opened.set if link.open else self.opened.clear)()

    async def passes(self):
        """Wait until a piece may arrive; False: the connection is torn instead."""
        if self.link.delay:
            await asyncio.sleep(self.link.delay)
        await self.opened.wait()
        return random.random() >= self.link.tear


class _Board:
    def __init__(self):
        self.switches = {}
        self.dialed = {}  # pair -> writers of both ends
        self.servers = []

    async def open(self, rows):
        for row in rows:
            pair = (row["from"], row["to"])
            self.switches.setdefault(pair, _Switch())
            self.dialed.setdefault(pair, set())

            def serve(reader, writer, pair=pair, row=row):
                return self._serve(pair, row, reader, writer)
            self.servers.append(await asyncio.start_server(serve, "127.0.0.1", row["port"]))

    async def _serve(self, pair, row, reader, writer):
        ends = [writer]
        self.dialed[pair].add(writer)
        try:
            # The call itself arrives no sooner than a piece would.
            if not await self.switches[pair].passes():
                return
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", row["target"])
            ends.append(far_writer)
            self.dialed[pair].add(far_writer)
            if row["rewrite"]:
                await self._pass_hello(pair, reader, far_writer, row["rewrite"])
            there = asyncio.ensure_future(_pump(reader, far_writer, self.switches[pair]))
            back = asyncio.ensure_future(_pump(far_reader, writer, self.switches[pair[::-1]]))
            _, pending = await asyncio.wait((there, back), return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            for end in ends:
                self.dialed[pair].discard(end)
                end.transport.abort()

    async def _pass_hello(self, pair, reader, writer, rewrite):
        head = await reader.readexactly(HELLO_HEAD)
        length = int.from_bytes(head[16:20], "big")
        if head[:6] != b"\xff" * 6 or not 0 < length <= 2048:
            writer.write(head)  # not a hello that we know: let the server judge
            return
        address = (await reader.readexactly(length)).replace(b":%d" % rewrite[0], b":%d" % rewrite[1])
        await self.switches[pair].passes()
        # In one piece: Apache reads the address with a single call.
        writer.write(head[:16] + len(address).to_bytes(4, "big") + address)

    def command(self, words):
        for a, b, *link in words.get("links", ()):
            self.switches[a, b].become(Link(*link))
        for pair in words.get("reset", ()):
            for end in list(self.dialed[tuple(pair)]):
                end.transport.abort()


async def _pump(reader, writer, switch):
    """Carry one direction; its end, orderly or not, is as slow as its bytes."""
    with contextlib.suppress(OSError):  # the far end has gone: so has this connection
        while True:
            await switch.opened.wait()
            try:
                piece = await reader.read(65536)
            except OSError:
                piece = b""
            if not await switch.passes() or not piece:
                return
            writer.write(piece)
            await writer.drain()


async def _main():
    board = _Board()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        words = json.loads(line)
        if "relays" in words:
            await board.open(words["relays"])
        else:
            board.command(words)
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(_main())
