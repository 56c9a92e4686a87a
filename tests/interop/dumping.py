"""A full picture of a server's tree, taken by the superuser, to be compared with another one."""

import shutil

import rawzk
import records as zk
from servers import SUPER_AUTH, Home, QuorateServer

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


def dump_directory(binary, directory):
    """What is on a disk: the tree that a server alone makes of a copy, from the newest snapshot and the logs behind it."""
    home = Home()
    shutil.copytree(directory, home.data, dirs_exist_ok=True)
    with QuorateServer(binary, home=home) as server:
        return dump(server.address)


def without_config(tree):
    """A dump but for what each server makes from its own configuration, at a time of its own."""
    return {path: node for path, node in tree.items() if path != "/zookeeper/config"}


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
