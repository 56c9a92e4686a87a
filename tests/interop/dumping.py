"""A full picture of a server's tree, taken by the superuser, to be compared with another one."""

import rawzk
import records as zk
from servers import SUPER_AUTH


def dump(address):
    """Path to (data, Stat, sorted ACL) for every node."""
    nodes = {}
    with rawzk.open_super(address, SUPER_AUTH) as client:
        pending = ["/"]
        while pending:
            path = pending.pop()
            children, _stat = client.must(zk.get_children2(path))
            data, stat = client.must(zk.get_data(path))
            acl, _stat = client.must(zk.get_acl(path))
            nodes[path] = (data, stat, sorted(acl))
            pending += [f"{path.rstrip('/')}/{child}" for child in children]
        client.close_session()
    return nodes


def differences(before, after):
    """Lines that tell how two dumps differ; empty when they are equal."""
    lines = [f"lost: {path}" for path in sorted(before.keys() - after.keys())]
    lines += [f"new: {path}" for path in sorted(after.keys() - before.keys())]
    for path in sorted(before.keys() & after.keys()):
        if before[path] != after[path]:
            lines.append(f"changed: {path}\n    before {before[path]}\n    after  {after[path]}")
    return lines
