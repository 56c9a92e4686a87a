"""The records of the client protocol: operation codes, error codes, requests to bytes, reply bodies to values."""

from typing import NamedTuple

from jute import Reader, Writer

OP = {
    "create": 1, "delete": 2, "exists": 3, "getData": 4, "setData": 5, "getACL": 6, "setACL": 7, "getChildren": 8,
    "sync": 9, "ping": 11, "getChildren2": 12, "check": 13, "multi": 14, "create2": 15, "reconfig": 16,
    "checkWatches": 17, "removeWatches": 18, "createContainer": 19, "deleteContainer": 20, "createTTL": 21,
    "multiRead": 22, "auth": 100, "setWatches": 101, "sasl": 102, "getEphemerals": 103, "getAllChildrenNumber": 104,
    "setWatches2": 105, "addWatch": 106, "whoAmI": 107, "createSession": -10, "closeSession": -11,
}
OP_NAME = {code: name for name, code in OP.items()}

ERROR_NAME = {
    0: "OK", -2: "RUNTIMEINCONSISTENCY", -5: "MARSHALLINGERROR", -6: "UNIMPLEMENTED", -8: "BADARGUMENTS",
    -12: "UNKNOWNSESSION", -101: "NONODE", -102: "NOAUTH", -103: "BADVERSION", -108: "NOCHILDRENFOREPHEMERALS",
    -110: "NODEEXISTS", -111: "NOTEMPTY", -112: "SESSIONEXPIRED", -114: "INVALIDACL", -115: "AUTHFAILED",
    -121: "NOWATCHER", -123: "RECONFIGDISABLED", -124: "SESSIONCLOSEDREQUIRESASLAUTH", -125: "QUOTAEXCEEDED",
}

PERSISTENT, EPHEMERAL, SEQUENTIAL, EPHEMERAL_SEQUENTIAL, CONTAINER, TTL, TTL_SEQUENTIAL = range(7)

READ, WRITE, CREATE, DELETE, ADMIN, ALL = 1, 2, 4, 8, 16, 31

PING_XID, AUTH_XID, SET_WATCHES_XID = -2, -4, -8


class Acl(NamedTuple):
    perms: int
    scheme: str
    id: str


OPEN_ACL = [Acl(ALL, "world", "anyone")]


class Stat(NamedTuple):
    czxid: int
    mzxid: int
    ctime: int
    mtime: int
    version: int
    cversion: int
    aversion: int
    ephemeral_owner: int
    data_length: int
    num_children: int
    pzxid: int


class Op(NamedTuple):
    """One request: its operation, its record, and the arguments as they are shown to people."""
    name: str
    body: bytes
    shown: str = ""
    parts: tuple = ()  # names of the operations inside a multi

    @property
    def code(self):
        return OP[self.name]

    def __str__(self):
        return f"{self.name}({self.shown})"


def _op(name, writer, *arguments):
    return Op(name, writer.bytes(), ", ".join(_short(argument) for argument in arguments))


def _short(value):
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:100]}... ({len(text)} characters)"


def write_acl(writer, acl):
    writer.int(acl[0]).string(acl[1]).string(acl[2])


def read_acl(reader):
    return Acl(reader.int(), reader.string(), reader.string())


def read_stat(reader):
    longs = [reader.long() for _ in range(4)]
    ints = [reader.int() for _ in range(3)]
    return Stat(*longs, *ints, reader.long(), reader.int(), reader.int(), reader.long())


# Requests -----------------------------------------------------------------------------------------------------------

def create(path, data=b"", acl=OPEN_ACL, flags=PERSISTENT, name="create"):
    """Types 1, 15 (`create2`) and 19 (`createContainer`) share one record."""
    writer = Writer().string(path).buffer(data).vector(acl, write_acl).int(flags)
    return _op(name, writer, path, data, acl, flags)


def create2(path, data=b"", acl=OPEN_ACL, flags=PERSISTENT):
    return create(path, data, acl, flags, "create2")


def create_container(path, data=b"", acl=OPEN_ACL, flags=CONTAINER):
    return create(path, data, acl, flags, "createContainer")


def create_ttl(path, ttl, data=b"", acl=OPEN_ACL, flags=TTL):
    writer = Writer().string(path).buffer(data).vector(acl, write_acl).int(flags).long(ttl)
    return _op("createTTL", writer, path, data, acl, flags, ttl)


def delete(path, version=-1):
    return _op("delete", Writer().string(path).int(version), path, version)


def set_data(path, data, version=-1):
    return _op("setData", Writer().string(path).buffer(data).int(version), path, data, version)


def check(path, version):
    return _op("check", Writer().string(path).int(version), path, version)


def _read(name, path, watch):
    return _op(name, Writer().string(path).bool(watch), path, watch)


def exists(path, watch=False):
    return _read("exists", path, watch)


def get_data(path, watch=False):
    return _read("getData", path, watch)


def get_children(path, watch=False):
    return _read("getChildren", path, watch)


def get_children2(path, watch=False):
    return _read("getChildren2", path, watch)


def _path_only(name, path):
    return _op(name, Writer().string(path), path)


def get_acl(path):
    return _path_only("getACL", path)


def sync(path):
    return _path_only("sync", path)


def get_ephemerals(prefix):
    return _path_only("getEphemerals", prefix)


def get_all_children_number(path):
    return _path_only("getAllChildrenNumber", path)


def delete_container(path):
    return _path_only("deleteContainer", path)


def set_acl(path, acl, version=-1):
    return _op("setACL", Writer().string(path).vector(acl, write_acl).int(version), path, acl, version)


def reconfig(joining, leaving, members, config_id=-1):
    writer = Writer().string(joining).string(leaving).string(members).long(config_id)
    return _op("reconfig", writer, joining, leaving, members, config_id)


def _watch_op(name, path, number):
    return _op(name, Writer().string(path).int(number), path, number)


def check_watches(path, watcher_type):
    return _watch_op("checkWatches", path, watcher_type)


def remove_watches(path, watcher_type):
    return _watch_op("removeWatches", path, watcher_type)


def add_watch(path, mode):
    return _watch_op("addWatch", path, mode)


def _write_strings(writer, lists):
    for strings in lists:
        writer.vector(strings, Writer.string)
    return writer


def set_watches(zxid, data=(), exist=(), child=()):
    return _op("setWatches", _write_strings(Writer().long(zxid), (data, exist, child)), zxid, data, exist, child)


def set_watches2(zxid, data=(), exist=(), child=(), persistent=(), recursive=()):
    lists = (data, exist, child, persistent, recursive)
    return _op("setWatches2", _write_strings(Writer().long(zxid), lists), zxid, *lists)


def auth(scheme, data):
    return _op("auth", Writer().int(0).string(scheme).buffer(data), scheme, data)


def sasl(token):
    return _op("sasl", Writer().buffer(token), token)


def create_session(timeout):
    return _op("createSession", Writer().int(timeout), timeout)


def simple(name):
    """A request without a record: ping, whoAmI, closeSession."""
    return Op(name, b"")


def malformed(name, body):
    """A request of a known type with a body of the caller's choice."""
    return Op(name, body, f"raw {body.hex()}")


def multi(ops, name="multi"):
    writer = Writer()
    for op in ops:
        writer.int(op.code).bool(False).int(-1).raw(op.body)
    writer.int(-1).bool(True).int(-1)
    return Op(name, writer.bytes(), ", ".join(str(op) for op in ops), tuple(op.name for op in ops))


def multi_read(ops):
    return multi(ops, "multiRead")


# Reply bodies -------------------------------------------------------------------------------------------------------

def _strings(reader):
    return reader.vector(Reader.string)


def _path_and_stat(reader):
    return reader.string(), read_stat(reader)


def _results(reader):
    results = []
    while True:
        kind, done, err = reader.int(), reader.bool(), reader.int()
        if done:
            return results
        results.append((kind, err, _RESULT_BODY[kind](reader)))


_RESULT_BODY = {
    -1: Reader.int, 1: Reader.string, 2: lambda reader: None, 13: lambda reader: None, 15: _path_and_stat,
    5: read_stat, 8: _strings, 4: lambda reader: (reader.buffer(), read_stat(reader)),
}

_REPLY_BODY = {
    "create": Reader.string, "create2": _path_and_stat, "createContainer": _path_and_stat, "createTTL": _path_and_stat,
    "exists": read_stat, "setData": read_stat, "setACL": read_stat,
    "getData": lambda reader: (reader.buffer(), read_stat(reader)),
    "reconfig": lambda reader: (reader.buffer(), read_stat(reader)),
    "getACL": lambda reader: (reader.vector(read_acl), read_stat(reader)),
    "getChildren": _strings, "getChildren2": lambda reader: (_strings(reader), read_stat(reader)),
    "sync": Reader.string, "multi": _results, "multiRead": _results, "sasl": Reader.buffer,
    "getEphemerals": _strings, "getAllChildrenNumber": Reader.int, "addWatch": Reader.int,
    "whoAmI": lambda reader: reader.vector(lambda item: (item.string(), item.string())),
}


def read_body(name, reader):
    """The value of a successful reply's body; None for operations that have none."""
    read = _REPLY_BODY.get(name)
    return read(reader) if read else None
