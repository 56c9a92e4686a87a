"""The differences that may be: the rules named in allowed_differences.json.

A rule gets an Exchange (what both sides answered to one client in one step) and returns B's answers, rewritten to what
Apache would have said wherever the difference is the allowed one. After all rules both lists must be equal. A rule
rewrites nothing else, so an unexpected difference always remains visible.
"""

import json
import pathlib
from typing import Any, NamedTuple

import records
from twins import Answer, End, Notice

TABLE = pathlib.Path(__file__).with_name("allowed_differences.json")


class Exchange(NamedTuple):
    """One step as one client saw it on both sides."""
    a: list
    b: list
    floor: int   # zxid both trees were at before the step
    zxids: Any   # twins.Zxids


def _pairs(rewrite):
    """Apply `rewrite(row, exchange, a_item, b_item)` to items of the same position."""
    def rule(row, exchange):
        b = [rewrite(row, exchange, *pair) for pair in zip(exchange.a, exchange.b)]
        return b + exchange.b[len(b):]
    return rule


def _answers(rewrite):
    """As `_pairs`, but only for pairs of replies to the same request."""
    def only_answers(row, exchange, a, b):
        same = isinstance(a, Answer) and isinstance(b, Answer) and (a.op, a.xid) == (b.op, b.xid)
        return rewrite(row, exchange, a, b) if same else b
    return _pairs(only_answers)


@_pairs
def notification_zxid(_row, exchange, a, b):
    if not (isinstance(a, Notice) and isinstance(b, Notice)):
        return b
    of_this_step = b.zxid > exchange.floor
    return b._replace(zxid=-1) if a.zxid == -1 and of_this_step else b


@_answers
def create2_result_in_multi(_row, _exchange, a, b):
    if b.op != "multi" or not isinstance(b.body, list) or not isinstance(a.body, list) or len(a.body) != len(b.body):
        return b
    return b._replace(body=[_without_stat(*pair) for pair in zip(a.body, b.body)])


def _without_stat(a, b):
    as_create = a[0] == records.OP["create"] and b[0] == records.OP["create2"] and b[1] == 0
    return (a[0], 0, b[2][0]) if as_create else b


@_answers
def error_pair(row, _exchange, a, b):
    if b.op == row["op"] and (a.err, b.err) == (row["apache"], row["quorate"]):
        return a if a.zxid == b.zxid else b
    return b


def refused_as_unknown(_row, exchange):
    """Nothing to rewrite: the step sends the reference an unknown type instead (steps.py, `refused`)."""
    return exchange.b


@_answers
def undecodable_write_zxid(_row, exchange, a, b):
    if (a.err, b.err) != (-5, -5) or b.zxid != a.zxid + 1:
        return b
    exchange.zxids.align(a.zxid, exchange.zxids.of_side(1, b.zxid))
    return b._replace(zxid=a.zxid)


@_answers
def undecodable_multi_flags(_row, _exchange, a, b):
    if b.op != "multi" or (a.err, b.err) != (0, -5):
        return b
    refused = next((result[1] for result in a.body if result[1] not in (0, -2)), 0)
    return a if refused == -8 and a.zxid == b.zxid else b


@_pairs
def joined_surrogates(_row, _exchange, a, b):
    return a if b in (_joined(a), a) or a == _with_replacements(b) else b


def _with_replacements(value):
    """What Apache makes of supplementary characters that it reads back from its own encoding, as it does inside a multi."""
    return _in_strings(value, lambda text: "".join("\ufffd\ufffd" if character > "\uffff" else character for character in text))


def _joined(value):
    """The value with surrogate pairs in its strings replaced by the characters they stand for."""
    return _in_strings(value, lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _in_strings(value, change):
    """The value with every string in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_in_strings(part, change) for part in value]
    if isinstance(value, tuple):
        parts = [_in_strings(part, change) for part in value]
        return type(value)(*parts) if hasattr(value, "_fields") else tuple(parts)
    return value


def null_token_kept_open(_row, exchange):
    """A closed; B answered as the specification says."""
    kept = [item for item in exchange.b if isinstance(item, Answer) and item.op == "sasl"]
    answered = len(kept) == 1 and (kept[0].err, kept[0].zxid, kept[0].body) == (0, 0, None)
    return exchange.a if answered and exchange.a == [End()] else exchange.b


RULES = {
    "notification_zxid": notification_zxid,
    "create2_result_in_multi": create2_result_in_multi,
    "error_pair": error_pair,
    "refused_as_unknown": refused_as_unknown,
    "undecodable_write_zxid": undecodable_write_zxid,
    "undecodable_multi_flags": undecodable_multi_flags,
    "joined_surrogates": joined_surrogates,
    "null_token_kept_open": null_token_kept_open,
}


def load_rows():
    """The checked-in rows; every row must name a rule and cite a specification, every rule must have a row."""
    rows = json.loads(TABLE.read_text())
    assert {row["rule"] for row in rows} == set(RULES), "rules and rows differ"
    assert all(row["spec"] and row["why"] for row in rows), "a row without a citation"
    return rows


class Allowed:
    """Applies the rows and counts how often each explained something."""

    def __init__(self, rows):
        self._rows = rows
        self.used = {}

    def rewrite(self, exchange):
        for row in self._rows:
            b = RULES[row["rule"]](row, exchange)
            if b != exchange.b:
                key = " ".join(filter(None, (row["rule"], row.get("op"))))
                self.used[key] = self.used.get(key, 0) + 1
                exchange = exchange._replace(b=b)
        return exchange.b
