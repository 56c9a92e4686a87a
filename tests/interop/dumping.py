"""A full picture of a server's tree, taken by the superuser, to be compared with another one."""

import rawzk
import records as zk
from servers import SUPER_AUTH

BATCH = 100


def dump(address):
    """Path to (data, Stat, sorted ACL) for every node."""
    nodes = {}
    with rawzk.open_super(address, SUPER_AUTH) as client:
        pending = ["/"]
        while pending:
            paths, pending = pending[-BATCH:], pending[:-BATCH]
            for path, (children, (data, stat), (acl, _stat)) in zip(paths, _looks(client, paths)):
                nodes[path] = (data, stat, sorted(acl))
                pending += [f"{path.rstrip('/')}/{child}" for child in children]
        client.close_session()
    return nodes


def _looks(client, paths):
    """Children, data and ACL of each path, asked for in one piece."""
    client.send_all([op(path) for path in paths for op in (zk.get_children, zk.get_data, zk.get_acl)])
    replies = [item for item in client.items_until_answered() if isinstance(item, rawzk.Reply)]
    assert len(replies) == 3 * len(paths) and not any(reply.err for reply in replies), "the tree changed, or the server went"
    return zip(*[iter([reply.body for reply in replies])] * 3)


def differences(before, after):
    """Lines that tell how two dumps differ; empty when they are equal."""
    lines = [f"lost: {path}" for path in sorted(before.keys() - after.keys())]
    lines += [f"new: {path}" for path in sorted(after.keys() - before.keys())]
    for path in sorted(before.keys() & after.keys()):
        if before[path] != after[path]:
            lines.append(f"changed: {path}\n    before {before[path]}\n    after  {after[path]}")
    return lines
