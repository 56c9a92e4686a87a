"""Reads golden bytes from layouts written down apart from the C++ records, so that the two check each other.

A reading is a list of parts; each part names its record and gives its fields with values in wire order. Absent strings,
buffers and vectors are null. Text is a JSON string when all of it is printable ASCII, else {"hex": ...}.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop"))

from jute import Reader  # noqa: E402  (the path above leads to it)

STAT = ("long czxid, long mzxid, long ctime, long mtime, int version, int cversion, int aversion, long ephemeralOwner, "
        "int dataLength, int numChildren, long pzxid")

LAYOUTS = {
    # Client protocol.
    "RequestHeader": "int xid, int type",
    "ReplyHeader": "int xid, long zxid, int err",
    "ConnectRequest": "int protocolVersion, long lastZxidSeen, int timeOut, long sessionId, text passwd",
    "ConnectResponse": "int protocolVersion, int timeOut, long sessionId, text passwd",
    "ReadOnlyFlag": "bool readOnly",
    "CreateRequest": "text path, text data, Acl* acl, int flags",
    "CreateTtlRequest": "text path, text data, Acl* acl, int flags, long ttl",
    "PathRequest": "text path",
    "PathWatchRequest": "text path, bool watch",
    "PathVersionRequest": "text path, int version",
    "SetDataRequest": "text path, text data, int version",
    "SetAclRequest": "text path, Acl* acl, int version",
    "WatcherTypeRequest": "text path, int type",
    "AddWatchRequest": "text path, int mode",
    "SetWatchesRequest": "long relativeZxid, text* dataWatches, text* existWatches, text* childWatches",
    "SetWatches2Request": "long relativeZxid, text* dataWatches, text* existWatches, text* childWatches, "
                          "text* persistentWatches, text* recursiveWatches",
    "AuthRequest": "int type, text scheme, text auth",
    "ReconfigRequest": "text joining, text leaving, text newMembers, long curConfigId",
    "MultiHeader": "int type, bool done, int err",
    "WatcherEvent": "int type, int state, text path",
    "Stat": STAT,
    "PathReply": "text path",
    "PathStatReply": "text path, Stat stat",
    "DataReply": "text data, Stat stat",
    "AclReply": "Acl* acl, Stat stat",
    "ChildrenReply": "text* children",
    "Children2Reply": "text* children, Stat stat",
    "NumberReply": "int number",
    "ErrorReply": "int err",
    "WhoAmIReply": "Client* clients",
    # Transaction log.
    "TxnHeader": "long clientId, int cxid, long zxid, long time, int type",
    "TxnDigest": "int version, long treeDigest",
    "CreateTxnV0": "text path, text data, Acl* acl, bool ephemeral",
    "CreateTxn": "text path, text data, Acl* acl, bool ephemeral, int parentCVersion",
    "CreateTtlTxn": "text path, text data, Acl* acl, int parentCVersion, long ttl",
    "CreateContainerTxn": "text path, text data, Acl* acl, int parentCVersion",
    "DeleteTxn": "text path",
    "SetDataTxn": "text path, text data, int version",
    "CheckVersionTxn": "text path, int version",
    "SetAclTxn": "text path, Acl* acl, int version",
    "CreateSessionTxn": "int timeOut",
    "CloseSessionTxn": "text* pathsToDelete",
    "ErrorTxn": "int err",
    "MultiTxn": "TxnPart* txns",
    # Items of vectors.
    "Acl": "int perms, text scheme, text id",
    "Client": "text scheme, text user",
    "TxnPart": "int type, text data",
}


def shown(data):
    """A string or buffer as it stands in an index."""
    if data is None:
        return None
    return data.decode("ascii") if all(0x20 <= byte < 0x7F for byte in data) else {"hex": data.hex()}


def _value(kind, reader):
    if kind.endswith("*"):
        return reader.vector(lambda item: _value(kind[:-1], item))
    if kind in LAYOUTS:
        return fields(kind, reader)
    if kind == "text":
        return shown(reader.buffer())
    return {"int": reader.int, "long": reader.long, "bool": reader.bool}[kind]()


def fields(record, reader):
    """The fields of one record, taken off the reader."""
    return {name: _value(kind, reader) for kind, name in (field.split() for field in LAYOUTS[record].split(", "))}


class Reading:
    """Takes records off a run of bytes and keeps them as parts."""

    def __init__(self, data):
        self._reader = Reader(data)
        self.parts = []

    def take(self, record):
        """Read one record; return its fields."""
        self.parts.append({"record": record, "fields": fields(record, self._reader)})
        return self.parts[-1]["fields"]

    def end(self):
        """All parts; the bytes must be used up."""
        rest = self._reader.rest()
        assert not rest, f"{len(rest)} bytes behind {self.parts}"
        return self.parts

    def left(self):
        """How many bytes are not read yet."""
        rest = self._reader.rest()
        self._reader = Reader(rest)
        return len(rest)
