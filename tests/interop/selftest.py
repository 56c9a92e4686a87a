"""Tests of the tools themselves, without a server: encodings against known bytes, and what the rules let pass."""

import time
import unittest

import fault_checks
import rawzk
import records as zk
from allowed import Allowed, Exchange, load_rows
from fault_clients import LIST, OPEN, PAIR, PARENTS, REGISTERS, SEQUENCE, Call
from jute import Reader, ShortRecord, Writer
from session_password import session_password
from twins import A, B, Answer, End, Notice, Times, Zxids


def answer(op="getData", xid=1, zxid=9, err=0, body=None):
    return Answer(op, xid, zxid, err, body, b"")


def rewrite(a, b, floor=8):
    return Allowed(load_rows()).rewrite(Exchange(a, b, floor, Zxids()))


class Encoding(unittest.TestCase):
    def test_session_passwords(self):
        for session_id, password in ((0x0100000B28AE0000, "901e5057dd94e701eebb1569ee20237e"),
                                     (0x0100000B28AE0007, "c9813e57bd7785d0ce844beb69bb60e5"),
                                     (0xFF00000000000001 - (1 << 64), "054cc74a37327db215e702e20c73f005")):
            self.assertEqual(session_password(session_id).hex(), password)

    def test_connect_request(self):
        expected = "000000000000000000000000" + "00002710" + "0" * 16 + "00000010" + "0" * 32 + "00"
        self.assertEqual(rawzk.connect_request(timeout=10000).hex(), expected)
        self.assertEqual(len(rawzk.connect_request(read_only=None)), 44)

    def test_failed_multi(self):
        body = bytes.fromhex("ffffffff000000000000000000" "ffffffff00ffffff9bffffff9b" "ffffffff00fffffffefffffffe" "ffffffff01ffffffff")
        self.assertEqual(zk.read_body("multi", Reader(body)), [(-1, 0, 0), (-1, -101, -101), (-1, -2, -2)])

    def test_null_and_empty_are_two_things(self):
        reader = Reader(Writer().buffer(None).buffer(b"").string(None).string("").bytes())
        self.assertEqual([reader.buffer(), reader.buffer(), reader.string(), reader.string()], [None, b"", None, ""])
        self.assertRaises(ShortRecord, reader.int)


class Mapping(unittest.TestCase):
    def test_zxids_after_a_shift(self):
        zxids = Zxids()
        zxids.align(10, 11)
        self.assertEqual([zxids.canonical(B, zxid) for zxid in (-1, 0, 5, 11, 20)], [-1, 0, 5, 10, 19])
        self.assertEqual([zxids.of_side(B, zxid) for zxid in (5, 10, 19)], [5, 11, 20])
        self.assertEqual(zxids.canonical(A, 20), 20)

    def test_one_time_for_a_zxid(self):
        times, now = Times(), int(time.time() * 1000)
        stat = zk.Stat(3, 3, now, now, 0, 0, 0, 0, 0, 0, 3)
        times.check(stat)
        self.assertRaises(AssertionError, times.check, stat._replace(mzxid=4, mtime=5))
        self.assertRaises(AssertionError, times.check, stat._replace(mtime=now + 1))


class Rules(unittest.TestCase):
    def test_zxid_of_a_notification(self):
        old = [Notice(1, 3, "/a", -1)]
        self.assertEqual(rewrite(old, [Notice(1, 3, "/a", 9)]), old)
        for wrong in (Notice(1, 3, "/a", 8), Notice(1, 3, "/b", 9), Notice(2, 3, "/a", 9)):
            self.assertNotEqual(rewrite(old, [wrong]), old)

    def test_create2_in_multi(self):
        stat = zk.Stat(*range(11))
        old = [answer("multi", body=[(1, 0, "/a"), (2, 0, None)])]
        self.assertEqual(rewrite(old, [answer("multi", body=[(15, 0, ("/a", stat)), (2, 0, None)])]), old)
        self.assertNotEqual(rewrite(old, [answer("multi", body=[(15, 0, ("/b", stat)), (2, 0, None)])]), old)
        self.assertNotEqual(rewrite(old, [answer("multi", body=[(15, 0, ("/a", stat))])]), old)

    def test_error_pairs_are_those_of_the_table_only(self):
        old = [answer("exists", body="stat")]
        self.assertEqual(rewrite(old, [answer("exists", err=-102)]), old)
        self.assertNotEqual(rewrite(old, [answer("exists", err=-101)]), old)
        self.assertNotEqual(rewrite(old, [answer("exists", err=-102, zxid=10)]), old)
        self.assertNotEqual(rewrite([answer()], [answer(err=-102)]), [answer()])

    def test_undecodable_write(self):
        old = [answer("create", err=-5)]
        self.assertEqual(rewrite(old, [answer("create", err=-5, zxid=10)]), old)
        self.assertNotEqual(rewrite(old, [answer("create", err=-5, zxid=11)]), old)

    def test_nothing_else(self):
        for a, b in (([answer()], [End()]), ([answer(), End()], [answer()]), ([], [Notice(1, 3, "/a", 9)])):
            self.assertEqual(rewrite(a, b), b)


def stat_of(version, mzxid=9, czxid=1):
    return zk.Stat(czxid, mzxid, 0, 0, version, 0, 0, 0, 0, 0, 0)


class FaultHistories(unittest.TestCase):
    """A sound history passes; each damage to it is seen."""

    REGISTER, OTHER = REGISTERS[:2]

    def setUp(self):
        self.history = [
            self.call(0, 1, 2, "set", self.REGISTER, value=b"0:1", version=1, zxid=11, mzxid=11),
            self.call(1, 3, 4, "set", self.REGISTER, value=b"1:1", version=2, zxid=12, mzxid=12),
            self.call(0, 3, 6, "get", self.REGISTER, value=b"0:1", version=1, zxid=11, mzxid=11),
            self.call(0, 7, 8, "fenced", self.REGISTER, value=b"1:1", version=2, zxid=13, mzxid=12),
            self.call(1, 7, 8, "sequence", f"{SEQUENCE}/n-0000000000", value=b"1:2", zxid=14),
            self.call(0, 9, 10, "sequence", f"{SEQUENCE}/n-0000000001", value=b"0:2", zxid=15),
            self.call(1, 9, 11, "unique", f"{LIST}/1-3", value=b"1:3", zxid=16),
            self.call(1, 12, 13, "gone", "/fault/ephemeral/1-0", zxid=17, err=-101),
            self.call(1, 14, OPEN, "set", self.OTHER, value=b"1:4", err=None),
        ]
        self.tree = {path: (b"", stat_of(0), []) for path in PARENTS}
        self.tree[self.REGISTER] = (b"1:1", stat_of(2, 12), [])
        self.tree[f"{SEQUENCE}/n-0000000000"] = (b"1:2", stat_of(0, 14, 14), [])
        self.tree[f"{SEQUENCE}/n-0000000001"] = (b"0:2", stat_of(0, 15, 15), [])
        self.tree[f"{LIST}/1-3"] = (b"1:3", stat_of(0, 16, 16), [])

    def call(self, client, begin, end, op, path, err=0, **found):
        return Call(client, client, begin, end, op, path, err=err, **found)

    def complaints(self):
        return fault_checks.check(self.history, self.tree)

    def damaged(self, at, **changed):
        history = list(self.history)
        history[at] = history[at]._replace(**changed)
        return fault_checks.check(history, self.tree)

    def test_a_sound_one(self):
        self.assertEqual(self.complaints(), [])
        self.tree[self.OTHER] = (b"1:4", stat_of(1, 18), [])  # the write without an answer was carried out
        self.assertEqual(self.complaints(), [])

    def test_each_damage(self):
        for at, changed, part in ((2, {"value": b"9:9"}, "two contents"), (2, {"mzxid": 10}, "two contents"),
                                  (3, {"version": 1, "value": b"0:1", "mzxid": 11}, "acknowledged before"), (1, {"zxid": 10}, "zxid went back"),
                                  (5, {"path": f"{SEQUENCE}/n-0000000000"}, "given twice"), (4, {"zxid": 30}, "another order"),
                                  (6, {"value": b"1:9"}, "acknowledged node"), (7, {"err": 0}, "cannot be"), (0, {"err": -101}, "cannot be"),
                                  (1, {"client": 0, "version": 3}, "went back")):
            self.assertIn(part, "\n".join(self.damaged(at, **changed)), (at, changed))

    def test_what_is_lost_or_made_twice(self):
        for path, node, part in ((f"{LIST}/1-3", None, "lost"), (self.REGISTER, (b"0:1", stat_of(1, 11), []), "was changed 1 times"),
                                 (self.REGISTER, (b"1:1", stat_of(3, 19), []), "was changed 3 times"),
                                 (f"{SEQUENCE}/n-0000000007", (b"0:2", stat_of(0), []), "two nodes"),
                                 ("/fault/ephemeral/0-1", (b"", stat_of(0), []), "ephemeral nodes are left"),
                                 (PAIR[0], (b"0:7", stat_of(1), []), "only changed together")):
            tree = dict(self.tree)
            if node is None:
                del tree[path]
            else:
                tree[path] = node
            self.assertIn(part, "\n".join(fault_checks.check(self.history, tree)), path)

    def test_silence_and_stale_syncs(self):
        self.assertEqual(fault_checks.longest_silence(self.history), 4)
        stale = self.call(0, 7, 8, "synced", self.REGISTER, value=b"0:1", version=1, zxid=11, mzxid=11)
        self.assertEqual(fault_checks.stale_synced_reads([*self.history, stale]), 1)


if __name__ == "__main__":
    unittest.main(argv=["selftest"])
