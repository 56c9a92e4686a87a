"""Bytes that are no requests at all: broken handshakes, wrong frame lengths, garbage, and clients that are too slow."""

import socket
import struct

import rawzk
import records as zk
from bad_requests import session
from harness import equal
from rawzk import Closed, Connection, connect_request
from waiting import wait_until

MEGABYTE = 1 << 20
BIG = 0x7FFFFFFF


def must_close(connection, what):
    """The server closes without a word."""
    equal(connection.until_closed(), [Closed()], what)
    connection.drop()


def frame_lengths(server):
    """Lengths below zero or above jute.maxbuffer end the connection, before and after the handshake."""
    for length in (-1, -BIG, 1048576, BIG, 0x7F000000):
        fresh = Connection(server.address)
        fresh.send_bytes(struct.pack(">i", length))
        must_close(fresh, f"fresh, length {length}")
        client = session(server)
        client.send_bytes(struct.pack(">i", length) + b"more")
        must_close(client, f"session, length {length}")


def frames_too_short(server):
    """No room for a request header."""
    for length in range(8):
        client = session(server)
        client.send_bytes(struct.pack(">i", length) + b"\0" * length)
        must_close(client, f"length {length}")


def broken_handshakes(server):
    """A ConnectRequest cut anywhere, or with an impossible password length."""
    whole = connect_request(read_only=None)
    for cut in range(0, len(whole), 3):
        fresh = Connection(server.address)
        fresh.send_frame(whole[:cut])
        must_close(fresh, f"cut at {cut}")
    for length in (-2, -BIG, BIG, 17, 2000000):
        fresh = Connection(server.address)
        fresh.send_frame(whole[:24] + struct.pack(">i", length) + b"\0" * 16)
        must_close(fresh, f"password of {length}")


def second_handshake(server):
    """After the handshake the same frame is a request of type 0: unknown."""
    with session(server) as client:
        client.code_bytes(0, xid=0)  # only to have the answer awaited
        client.send_frame(connect_request())
        items = client.until_closed()
        equal([(item.xid, item.zxid, item.err) for item in items[:-1]], [(0, -1, -6)])


def words_after_the_handshake(server):
    """There a four-letter word is a frame length, and far too large."""
    for word in (b"ruok", b"srvr", b"stat", b"mntr"):
        client = session(server)
        client.send_bytes(word)
        must_close(client, word)


def unknown_words(server):
    for word in (b"abcd", b"RUOK", b"ruo\0", b"zzzz"):
        equal(rawzk.four_letter_word(server.address, word), b"", word)


def every_word_answers(server):
    """All known words answer and close, in any number."""
    for word in (b"ruok", b"srvr", b"stat", b"conf", b"cons", b"dirs", b"dump", b"envi", b"gtmk", b"isro", b"mntr", b"wchs", b"wchc", b"wchp",
                 b"hash", b"crst", b"srst"):
        answer = rawzk.four_letter_word(server.address, word)
        assert answer or word in (b"hash", b"wchc", b"wchp"), word


def one_byte_at_a_time(server):
    """A very slow client is served like any other."""
    with Connection(server.address) as client:
        for byte in struct.pack(">i", 45) + connect_request():
            client.send_bytes(bytes([byte]))
        assert client.read_session().valid
        for byte in client.request_bytes(zk.exists("/")):
            client.send_bytes(bytes([byte]))
        equal(client.item().err, 0)
        client.close_session()


def silent_strangers(server):
    """Connections that never finish their handshake are closed after nio.sessionlessCnxnTimeout."""
    strangers = [Connection(server.address, 30) for _ in range(40)]
    for number, stranger in enumerate(strangers):
        stranger.send_bytes((struct.pack(">i", 45) + connect_request())[:number])
    for stranger in strangers:
        must_close(stranger, "sessionless")


def promised_frames(server):
    """Many clients announce a full frame and send nothing of it: that must not cost the memory they ask for."""
    before = server.resident_bytes()
    clients = [session(server) for _ in range(200)]
    for client in clients:
        client.send_bytes(struct.pack(">i", 1048575) + b"\0" * 8)
    with session(server) as witness:
        witness.must(zk.exists("/"))
    grown = server.resident_bytes() - before
    assert grown < 64 * MEGABYTE, f"{grown >> 20} MiB for 200 unfinished frames"
    _end_sessions(server, clients)


def _end_sessions(server, clients):
    for client in clients:
        client.drop()
        again = rawzk.open_session(server.address, session_id=client.session.id, password=client.session.password)
        again.close_session()


def replies_nobody_reads(server):
    """A client asks for 200 MB and reads nothing: the server stops reading it, serves others, then delivers in order."""
    with session(server) as keeper:
        keeper.must(zk.create("/unread", b"r" * 500000))
        before = server.resident_bytes()
        with session(server) as greedy:
            greedy.send_all([zk.get_data("/unread")] * 400)
            for _ in range(50):
                keeper.must(zk.set_data("/unread", b"r" * 500000))
            grown = server.resident_bytes() - before
            answers = greedy.items_until_answered()
        equal([answer.xid for answer in answers], list(range(1, 401)), "order")
        equal({answer.err for answer in answers}, {0})
        keeper.must(zk.delete("/unread"))
    assert grown < 400 * MEGABYTE, f"{grown >> 20} MiB for replies that nobody reads"


def requests_behind_close(server):
    """What is pipelined behind closeSession has no effect."""
    with session(server) as client, session(server) as witness:
        client.send_all([zk.create("/before"), zk.simple("closeSession"), zk.create("/behind"), zk.get_data("/")])
        items = client.until_closed()
        equal([(item.xid, item.err) for item in items[:2]], [(1, 0), (2, 0)])
        assert all(isinstance(item, Closed) or item.err == -112 for item in items[2:]), items
        equal(witness.call(zk.exists("/behind")).err, -101)
        witness.must(zk.delete("/before"))


def watches_of_a_refused_session(server):
    """Nothing behind a refused ConnectRequest is looked at: no watch may be left by it."""
    before = rawzk.four_letter_word(server.address, b"wchs")
    for _ in range(20):
        refused = Connection(server.address)
        burst = struct.pack(">i", 45) + connect_request(session_id=0x1234567, password=b"p" * 16)
        refused.send_bytes(burst + refused.request_bytes(zk.set_watches(0, [], ["/nobody"], []), zk.SET_WATCHES_XID))
        equal(refused.read_session().timeout, 0)
        equal(refused.until_closed(), [Closed()])
        refused.drop()
    equal(rawzk.four_letter_word(server.address, b"wchs")[-20:], before[-20:])


def watches_of_dead_connections(server):
    """A connection that vanishes takes its watches along."""
    clients = [session(server) for _ in range(30)]
    for client in clients:
        client.must(zk.add_watch("/vanishing", zk.PERSISTENT))
        client.call(zk.exists(f"/vanishing/{client.session.id}", True))
    _end_sessions(server, clients)
    wait_until("no watch is left", lambda: b"/vanishing" not in rawzk.four_letter_word(server.address, b"wchp"))


def garbage_from_strangers(server, rng):
    """Random bytes before the handshake."""
    for _ in range(150):
        with socket.create_connection(server.address, 10) as stranger:
            stranger.sendall(rng.randbytes(rng.choice((1, 3, 4, 5, 20, 100, 2000))))
    equal(rawzk.four_letter_word(server.address, b"ruok"), b"imok")


def garbage_in_sessions(server, rng):
    """Random bytes behind a good handshake."""
    clients = []
    for _ in range(100):
        client = session(server)
        client.send_bytes(rng.choice((b"", b"\0\0\0\x10", b"\0\0")) + rng.randbytes(rng.choice((1, 8, 100, 5000))))
        clients.append(client)
    equal(rawzk.four_letter_word(server.address, b"ruok"), b"imok")
    _end_sessions(server, clients)
