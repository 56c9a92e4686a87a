"""Renews tests/golden/client: frames that real clients and a real server exchanged, each with its expected reading.

Needs Debian's zookeeper, libzookeeper-java, zookeeper-bin, python3-kazoo and a JDK. A relay on loopback records what
passes between the clients and Apache's server; a step makes a client send one request, and its request and reply become
files. A file holds one frame without its length. Run it with Debian's own Python, which knows kazoo:

    /usr/bin/python3 tests/golden/capture_client.py
"""

import contextlib
import json
import pathlib
import struct
import subprocess
import tempfile

import client_frames
from relay import Relay
import rawzk
import records
from cli_mt_test import Shell
from java_test import CLASSPATH
from servers import ApacheServer

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE / "client"
SERVER = "Apache ZooKeeper 3.8.0, server"
JAVA = "Apache ZooKeeper 3.8.0, Java client"
KAZOO = "kazoo 2.8.0"
CLI = "Apache ZooKeeper 3.8.0, cli_mt"
HAND = "made by hand"

# Steps of CaptureClient.java with the operation that each of them causes, in their order.
PLAIN_STEPS = (
    ("auth", "auth"), ("whoAmI", "whoAmI"), ("create", "create"), ("create-null-data", "create"),
    ("create-empty-data", "create"), ("create-ephemeral", "create"), ("create-refused", "create"), ("create2", "create2"),
    ("createContainer", "createContainer"), ("createTTL", "createTTL"), ("exists", "exists"), ("exists-refused", "exists"),
    ("getData", "getData"), ("getData-null", "getData"), ("getData-empty", "getData"), ("getACL", "getACL"),
    ("getChildren", "getChildren"), ("getChildren-none", "getChildren"), ("getChildren2", "getChildren2"),
    ("getEphemerals", "getEphemerals"), ("getAllChildrenNumber", "getAllChildrenNumber"), ("sync", "sync"),
    ("setData", "setData"), ("setData-null", "setData"), ("setACL", "setACL"), ("delete", "delete"), ("multi", "multi"),
    ("multi-failed", "multi"), ("multiRead", "multiRead"), ("checkWatches", "checkWatches"),
    ("removeWatches", "removeWatches"), ("reconfig-refused", "reconfig"), ("auth-failed", "auth"),
)
NOTIFICATIONS = ("notification-created", "notification-dataChanged", "notification-childrenChanged", "notification-deleted")


class Collection:
    """The files made so far."""

    def __init__(self, relay):
        self.relay = relay
        self._entries = []

    def add(self, name, peer, body, parts):
        (TARGET / f"{name}.bin").write_bytes(body)
        self._entries.append({"file": f"{name}.bin", "from": peer, "parts": parts})

    def write_index(self):
        (TARGET / "index.json").write_text(json.dumps(self._entries, indent=1, ensure_ascii=True) + "\n")

    def add_exchange(self, name, peer, operation, start):
        """The first request of that operation since `start`, and its reply; returns the reply's parts."""
        code = records.OP[operation]
        request = self.relay.wait_for(start, lambda frame: frame.request and frame.body[4:8] == struct.pack(">i", code)
                                      and not _is_handshake(frame.body))
        reply = self.relay.wait_for(start, lambda frame: frame.link == request.link and not frame.request
                                    and frame.body[:4] == request.body[:4])
        self.add(f"{name}.request", peer, request.body, client_frames.read_request(operation, request.body))
        parts = client_frames.read_reply(operation, reply.body)
        self.add(f"{name}.reply", SERVER, reply.body, parts)
        return parts

    def add_handshake(self, name, peer, start):
        request = self.relay.wait_for(start, lambda frame: frame.request and _is_handshake(frame.body))
        reply = self.relay.wait_for(start, lambda frame: frame.link == request.link and not frame.request)
        self.add(f"{name}.request", peer, request.body, client_frames.read_connect_request(request.body))
        self.add(f"{name}.response", SERVER, reply.body, client_frames.read_connect_response(reply.body))

    def add_notification(self, name, start):
        event = self.relay.wait_for(start, lambda frame: not frame.request and frame.body[:4] == b"\xff" * 4)
        self.add(name, SERVER, event.body, client_frames.read_notification(event.body))


def _is_handshake(body):
    """A ConnectRequest with its 16 bytes of password; no captured request looks like it."""
    return len(body) in (44, 45) and body[24:28] == b"\0\0\0\x10"


class JavaClient:
    """CaptureClient.java as a process."""

    def __init__(self, relay, server, folder):
        source = str(HERE / "CaptureClient.java")
        subprocess.run(["/usr/bin/javac", "-encoding", "UTF-8", "-cp", CLASSPATH, "-d", folder, source], check=True)
        command = ["/usr/bin/java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", f"{folder}:{CLASSPATH}",
                   "CaptureClient", "%s:%d" % relay.address, "%s:%d" % server.address]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._process.stdin.close()
        if exception[0]:
            self._process.kill()
        self._process.wait(30)

    def step(self, name):
        """Run a step; return what the client read in the reply."""
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line.startswith("done "), f"{name}: {line!r}"
        return line[len("done "):-1]


def _agree(name, parts, read):
    """The client must have read in the reply what we read in it."""
    header = parts[0]["fields"]
    if read.startswith("error ") and not name.startswith("multi"):
        assert header["err"] == int(read[len("error "):]), (name, parts, read)
    stats = [part["fields"].get("stat", part["fields"]) for part in parts if "Stat" in part["record"] or "stat" in part["fields"]]
    if read.count(",") == 10:
        assert read == ",".join(str(value) for value in stats[0].values()), (name, parts, read)



def _java_steps(collection, java):
    relay = collection.relay
    start = relay.count()
    java.step("connect")
    collection.add_handshake("connect", JAVA, start)
    for name, operation in PLAIN_STEPS:
        start = relay.count()
        read = java.step(name)
        _agree(name, collection.add_exchange(name, JAVA, operation, start), read)
    for name in NOTIFICATIONS:
        start = relay.count()
        java.step(name)
        collection.add_notification(name, start)
    collection.add_exchange("ping", JAVA, "ping", relay.count())


def _java_reconnects(collection, java):
    relay = collection.relay
    java.step("one-shot-watches")
    start = _reconnect(relay, java)
    collection.add_handshake("connect-renewed", JAVA, start)
    collection.add_exchange("setWatches", JAVA, "setWatches", start)
    for name in ("addWatch", "addWatch-recursive"):
        start = relay.count()
        java.step(name)
        collection.add_exchange(name, JAVA, "addWatch", start)
    start = _reconnect(relay, java)
    collection.add_exchange("setWatches2", JAVA, "setWatches2", start)
    start = relay.count()
    assert java.step("connect-refused") == "Expired"
    collection.add_handshake("connect-refused", JAVA, start)
    start = relay.count()
    java.step("closeSession")
    collection.add_exchange("closeSession", JAVA, "closeSession", start)


def _reconnect(relay, java):
    """Cut the connection and wait for the client to return; the number of frames before."""
    start = relay.count()
    relay.drop_connections()
    java.step("reconnected")
    return start


def _kazoo_steps(collection):
    from kazoo.client import KazooClient
    from kazoo.security import OPEN_ACL_UNSAFE
    relay = collection.relay
    start = relay.count()
    client = KazooClient("%s:%d" % relay.address, timeout=10.0)
    client.start(30)
    collection.add_handshake("kazoo-connect", KAZOO, start)
    transaction = client.transaction()
    transaction.create("/k/t", b"", OPEN_ACL_UNSAFE, ephemeral=True)
    transaction.set_data("/k", b"2")
    transaction.check("/k", 1)
    transaction.delete("/k/t", 0)
    calls = (("create", lambda: client.create("/k", b"1", OPEN_ACL_UNSAFE)), ("getChildren2", lambda: client.get_children("/", include_data=True)),
             ("multi", transaction.commit), ("setACL", lambda: client.set_acls("/k", OPEN_ACL_UNSAFE)), ("closeSession", client.stop))
    for name, call in calls:
        start = relay.count()
        call()
        collection.add_exchange(f"kazoo-{name}", KAZOO, name, start)
    client.close()


def _cli_steps(collection):
    relay = collection.relay
    start = relay.count()
    with Shell(relay) as shell:
        collection.add_handshake("cli-connect", CLI, start)
        for name, line, pattern in (("create", "create /cli", r"rc = 0"), ("setData", "set /cli hello", r"rc = 0"),
                                    ("getData", "get /cli", r"value_len = 5"), ("getChildren2", "ls2 /", r"rc = 0")):
            start = relay.count()
            shell.say(line, pattern)
            collection.add_exchange(f"cli-{name}", CLI, name, start)


def _hand_made(collection):
    """What none of these clients sends."""
    relay = collection.relay
    start = relay.count()
    with rawzk.Connection(relay.address) as connection:
        assert connection.handshake(read_only=None).valid
        collection.add_handshake("connect-44", HAND, start)
        for name, op in (("multi-create2", records.multi([records.create2("/hand", None), records.create_container("/hand/c")])),
                         ("multi-empty", records.multi([])),
                         ("multi-refused", records.multi([records.create("/x"), records.get_data("/hand")])),
                         ("removeWatches-refused", records.remove_watches("/hand", 3)),
                         ("create-null-acl", records.create("/null-acl", b"", None))):
            start = relay.count()
            connection.call(op)
            collection.add_exchange(name, HAND, op.name, start)
        connection.close_session()


def main():
    TARGET.mkdir(exist_ok=True)
    for old in TARGET.glob("*.bin"):
        old.unlink()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="quorate-capture-"))
        server = stack.enter_context(ApacheServer())
        relay = stack.enter_context(Relay(server.address))
        collection = Collection(relay)
        java = stack.enter_context(JavaClient(relay, server, folder))
        _java_steps(collection, java)
        _java_reconnects(collection, java)
        _kazoo_steps(collection)
        _cli_steps(collection)
        _hand_made(collection)
        collection.write_index()
        print(f"{len(list(TARGET.glob('*.bin')))} files in {TARGET}")


if __name__ == "__main__":
    main()
