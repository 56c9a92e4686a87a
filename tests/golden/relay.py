"""A relay on loopback that records every frame between ZooKeeper clients and a server."""

import contextlib
import socket
import struct
import threading
from typing import NamedTuple


class Frame(NamedTuple):
    link: int      # number of the client's connection
    request: bool  # from the client
    body: bytes    # without its length


class Relay:
    """Listens on a port of its own; each connection is passed on to the server. `address` is for clients."""

    def __init__(self, server_address):
        self._server_address = server_address
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = self._listener.getsockname()
        self._lock = threading.Condition()
        self._frames = []
        self._sockets = []
        self._links = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._listener.close()
        self.drop_connections()

    def drop_connections(self):
        """Cut all connections, as a broken network does."""
        with self._lock:
            ended, self._sockets = self._sockets, []
        for each in ended:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def count(self):
        """How many frames have been recorded."""
        with self._lock:
            return len(self._frames)

    def wait_for(self, start, wanted, seconds=30.0):
        """The first frame at or behind `start` that is wanted; waits for it."""
        def found():
            return next((frame for frame in self._frames[start:] if wanted(frame)), None)
        with self._lock:
            frame = self._lock.wait_for(found, seconds)
        assert frame, f"no such frame among {self._frames[start:]}"
        return frame

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self._listener.accept()[0]
                server = socket.create_connection(self._server_address)
                with self._lock:
                    self._links += 1
                    self._sockets += [client, server]
                    link = self._links
                for source, target, request in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._pass_on, args=(source, target, link, request), daemon=True).start()

    def _pass_on(self, source, target, link, request):
        with contextlib.suppress(OSError):
            while body := _read_frame(source):
                with self._lock:
                    self._frames.append(Frame(link, request, body))
                    self._lock.notify_all()
                target.sendall(struct.pack(">I", len(body)) + body)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)


def _read_frame(source):
    head = _read(source, 4)
    return head and _read(source, struct.unpack(">I", head)[0])


def _read(source, count):
    data = b""
    while len(data) < count:
        piece = source.recv(count - len(data))
        if not piece:
            return b""
        data += piece
    return data
