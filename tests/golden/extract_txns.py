"""Renews tests/golden/txn: one log record for each kind of txn, cut out of tests/golden/data, with its expected reading.

A file holds a whole record of a log as Apache's server wrote it: checksum, length, payload, end byte. The reading comes
from the layouts of readings.py and is compared with what Apache's own log tool printed (expected.json of the case).

    python3 tests/golden/extract_txns.py
"""

import json
import pathlib
import struct
import tarfile
import zlib

from readings import Reading

HERE = pathlib.Path(__file__).resolve().parent
TARGET = HERE / "txn"

HEADER_BYTES = 16
RECORD = {
    -10: "CreateSessionTxn", -11: "CloseSessionTxn", -1: "ErrorTxn", 1: "CreateTxn", 2: "DeleteTxn", 5: "SetDataTxn",
    7: "SetAclTxn", 13: "CheckVersionTxn", 14: "MultiTxn", 15: "CreateTxn", 16: "SetDataTxn", 19: "CreateContainerTxn",
    20: "DeleteTxn", 21: "CreateTtlTxn",
}
# The first record of a log that passes the test, by the name of its file here.
WANTED = (
    ("createSession", "all-ops-3.8.0", "log.1", -10, lambda fields: True),
    ("create", "all-ops-3.8.0", "log.1", 1, lambda fields: True),
    ("create-3.9.5", "all-ops-3.9.5", "log.1", 1, lambda fields: True),
    ("create-ephemeral", "all-ops-3.8.0", "log.1", 1, lambda fields: fields["ephemeral"]),
    ("create-null-data", "all-ops-3.8.0", "log.1", 1, lambda fields: fields["data"] is None),
    ("create-acl", "all-ops-3.8.0", "log.1", 1, lambda fields: len(fields["acl"]) > 1),
    ("create2", "all-ops-3.8.0", "log.1", 15, lambda fields: True),
    ("createContainer", "all-ops-3.8.0", "log.1", 19, lambda fields: True),
    ("createTTL", "all-ops-3.8.0", "log.1", 21, lambda fields: True),
    ("delete", "all-ops-3.8.0", "log.1", 2, lambda fields: True),
    ("deleteContainer", "all-ops-3.8.0", "log.1", 20, lambda fields: True),
    ("setData", "all-ops-3.8.0", "log.1", 5, lambda fields: True),
    ("setData-null", "all-ops-3.8.0", "log.1", 5, lambda fields: fields["data"] is None),
    ("setACL", "all-ops-3.8.0", "log.1", 7, lambda fields: True),
    ("error", "all-ops-3.8.0", "log.1", -1, lambda fields: True),
    ("multi", "all-ops-3.8.0", "log.1", 14, lambda fields: fields["txns"][0]["type"] != -1),
    ("multi-container-ttl", "all-ops-3.8.0", "log.1", 14, lambda fields: {19, 21} <= _types(fields)),
    ("multi-failed", "all-ops-3.8.0", "log.1", 14, lambda fields: -1 in _types(fields)),
    ("closeSession", "all-ops-3.8.0", "log.1", -11, lambda fields: not fields["pathsToDelete"]),
    ("closeSession-ephemerals", "all-ops-3.8.0", "log.1", -11, lambda fields: fields["pathsToDelete"]),
    ("closeSession-bare", "no-digest", "log.1", -11, lambda fields: fields is None),
    ("create-no-digest", "no-digest", "log.1", 1, lambda fields: True),
    ("reconfig", "ensemble-reconfig-s1", None, 16, lambda fields: True),
)


def _types(fields):
    return {part["type"] for part in fields["txns"]}


def logs_of(case, log):
    """Name and bytes of the case's logs: the one that is asked for, or all."""
    with tarfile.open(HERE / "data" / case / "data.tar.gz") as archive:
        for member in archive:
            name = pathlib.PurePath(member.name).name
            if member.isfile() and name.startswith("log.") and log in (None, name):
                yield name, archive.extractfile(member).read()


def records_of(data):
    """The records of a log, whole."""
    at = HEADER_BYTES
    while at + 12 <= len(data) and (length := struct.unpack(">I", data[at + 8:at + 12])[0]):
        record = data[at:at + 12 + length + 1]
        assert struct.unpack(">Q", record[:8])[0] == zlib.adler32(record[12:-1]) and record[-1:] == b"B"
        yield record
        at += len(record)


def parts_of(record):
    """The reading of a record's payload: header, txn (unless it is bare), digest (unless there is none)."""
    reading = Reading(record[12:-1])
    header = reading.take("TxnHeader")
    if reading.left():
        reading.take(RECORD[header["type"]])
    if reading.left():
        reading.take("TxnDigest")
    return reading.end()


def inner_of(parts):
    """The readings of a multi's parts, each the bytes of a record of its own."""
    txns = parts[1]["fields"].get("txns", ()) if len(parts) > 1 else ()
    return [_inner(part["type"], _bytes(part["data"])) for part in txns]


def _inner(kind, data):
    reading = Reading(data)
    reading.take(RECORD[kind])
    return reading.end()[0]


def _bytes(shown):
    return bytes.fromhex(shown["hex"]) if isinstance(shown, dict) else shown.encode()


def fits(parts, kind, test):
    """Whether a record is the one that is wanted; a bare txn has no fields."""
    header = parts[0]["fields"]
    bare = len(parts) == 1 or parts[1]["record"] == "TxnDigest"
    return header["type"] == kind and test(None if bare else parts[1]["fields"])


def check_against_tool(case, log, parts):
    """Apache's log tool must have read the same."""
    header, body = parts[0]["fields"], parts[1]["fields"] if len(parts) > 1 else {}
    listed = json.loads((HERE / "data" / case / "expected.json").read_text())["logs"][log]["txns"]
    line = next(txn for txn in listed if int(txn["zxid"], 16) == header["zxid"])
    assert int(line["session"], 16) == header["clientId"] and int(line["cxid"], 16) == header["cxid"], (line, header)
    for name, ours in (("path", body.get("path")), ("err", body.get("err")), ("timeout", body.get("timeOut"))):
        assert line.get(name) in (None, ours), (line, body)


def find(case, log, kind, test):
    for name, data in logs_of(case, log):
        for record in records_of(data):
            parts = parts_of(record)
            if fits(parts, kind, test):
                check_against_tool(case, name, parts)
                return name, record, parts
    raise AssertionError(f"no such record of type {kind} in {case}")


def extract(name, case, log, kind, test):
    """Write one file; return its entry in the index."""
    log, record, parts = find(case, log, kind, test)
    (TARGET / f"{name}.bin").write_bytes(record)
    entry = {"file": f"{name}.bin", "from": f"{case}, {log}", "parts": parts}
    return dict(entry, inner=inner_of(parts)) if kind == 14 else entry


def make_v0():
    """No server of today writes a create without parentCVersion: the plain create, cut and sealed again."""
    payload = (TARGET / "create-no-digest.bin").read_bytes()[12:-5]
    head = struct.pack(">QI", zlib.adler32(payload), len(payload))
    (TARGET / "create-v0.bin").write_bytes(head + payload + b"B")
    reading = Reading(payload)
    reading.take("TxnHeader")
    reading.take("CreateTxnV0")
    return {"file": "create-v0.bin", "from": "made by hand of create-no-digest", "parts": reading.end()}


def main():
    TARGET.mkdir(exist_ok=True)
    for old in TARGET.glob("*.bin"):
        old.unlink()
    entries = [extract(name, case, log, kind, test) for name, case, log, kind, test in WANTED] + [make_v0()]
    (TARGET / "index.json").write_text(json.dumps(entries, indent=1) + "\n")
    print(f"{len(entries)} files in {TARGET}")


if __name__ == "__main__":
    main()
