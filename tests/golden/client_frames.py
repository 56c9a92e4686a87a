"""Which records stand in a frame of the client protocol."""

from readings import Reading
from records import OP, OP_NAME

REQUEST = {
    "create": "CreateRequest", "create2": "CreateRequest", "createContainer": "CreateRequest",
    "createTTL": "CreateTtlRequest", "delete": "PathVersionRequest", "check": "PathVersionRequest",
    "exists": "PathWatchRequest", "getData": "PathWatchRequest", "getChildren": "PathWatchRequest",
    "getChildren2": "PathWatchRequest", "setData": "SetDataRequest", "getACL": "PathRequest", "setACL": "SetAclRequest",
    "sync": "PathRequest", "getEphemerals": "PathRequest", "getAllChildrenNumber": "PathRequest",
    "checkWatches": "WatcherTypeRequest", "removeWatches": "WatcherTypeRequest", "addWatch": "AddWatchRequest",
    "setWatches": "SetWatchesRequest", "setWatches2": "SetWatches2Request", "auth": "AuthRequest",
    "reconfig": "ReconfigRequest", "ping": None, "whoAmI": None, "closeSession": None,
}

REPLY = {
    "create": "PathReply", "create2": "PathStatReply", "createContainer": "PathStatReply", "createTTL": "PathStatReply",
    "exists": "Stat", "setData": "Stat", "setACL": "Stat", "getData": "DataReply", "getACL": "AclReply",
    "getChildren": "ChildrenReply", "getChildren2": "Children2Reply", "getEphemerals": "ChildrenReply",
    "getAllChildrenNumber": "NumberReply", "sync": "PathReply", "addWatch": "ErrorReply", "whoAmI": "WhoAmIReply",
}

RESULT = {-1: "ErrorReply", 1: "PathReply", 2: None, 4: "DataReply", 5: "Stat", 8: "ChildrenReply", 13: None, 15: "PathStatReply"}


def _take_multi(reading, record_of):
    while not (header := reading.take("MultiHeader"))["done"]:
        if record := record_of(header["type"]):
            reading.take(record)


def read_connect_request(body):
    reading = Reading(body)
    reading.take("ConnectRequest")
    return _with_flag(reading, len(body) == 45)


def read_connect_response(body):
    reading = Reading(body)
    reading.take("ConnectResponse")
    return _with_flag(reading, len(body) == 37)


def _with_flag(reading, there):
    if there:
        reading.take("ReadOnlyFlag")
    return reading.end()


def read_request(name, body):
    """The parts of a request frame of the operation `name`."""
    reading = Reading(body)
    assert reading.take("RequestHeader")["type"] == OP[name]
    if name in ("multi", "multiRead"):
        _take_multi(reading, lambda kind: REQUEST[OP_NAME[kind]])
    elif REQUEST[name]:
        reading.take(REQUEST[name])
    return reading.end()


def read_reply(name, body):
    """The parts of the reply to a request of the operation `name`."""
    reading = Reading(body)
    failed = reading.take("ReplyHeader")["err"] != 0
    if name in ("multi", "multiRead") and not failed:
        _take_multi(reading, RESULT.get)
    elif name in REPLY and not failed:
        reading.take(REPLY[name])
    return reading.end()


def read_notification(body):
    reading = Reading(body)
    reading.take("ReplyHeader")
    reading.take("WatcherEvent")
    return reading.end()
