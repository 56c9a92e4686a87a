"""Containers and TTL nodes: what is taken away, what is left alone, and what watchers hear of it."""

import rawzk
import records as zk
from harness import equal, run
from rawzk import Event
from waiting import wait_until

SETTINGS = {"extendedTypesEnabled": "true"}
PROPERTIES = {"znode.container.checkIntervalMs": "200"}


def session(server):
    return rawzk.open_session(server.address)


def there(client, path):
    return client.call(zk.exists(path)).err == 0


def two_passes(client, name):
    """Let the reaper look at every node at least once: it has then taken two short-lived ones in turn."""
    for _ in range(2):
        client.must(zk.create_ttl(f"/marker-{name}", 1))
        wait_until("the marker is taken", lambda: not there(client, f"/marker-{name}"))


def emptied_container(server):
    """A container goes when its last child has gone; one that never had a child stays."""
    with session(server) as client:
        for path in ("/c1", "/c2"):
            client.must(zk.create_container(path))
        client.must(zk.create("/c1/x"))
        two_passes(client, "a")
        equal((there(client, "/c1"), there(client, "/c2")), (True, True))
        client.must(zk.delete("/c1/x"))
        wait_until("the container is taken", lambda: not there(client, "/c1"))
        two_passes(client, "b")
        equal(there(client, "/c2"), True)


def nested_containers(server):
    """The emptied parent follows its child."""
    with session(server) as client:
        for op in (zk.create_container("/n"), zk.create_container("/n/n"), zk.create("/n/n/x"), zk.delete("/n/n/x")):
            client.must(op)
        wait_until("both are taken", lambda: not there(client, "/n"))


def ttl(server):
    """A TTL node goes after its time, unless it has children or is written to; plain create with flags 4 never goes."""
    with session(server) as client:
        client.must(zk.create_ttl("/short", 1))
        client.must(zk.create_ttl("/long", 10000000))
        client.must(zk.create_ttl("/parent", 1))
        child = client.call(zk.create("/parent/x"))
        client.must(zk.create("/plain", flags=4))
        client.must(zk.create("/plain/x"))
        client.must(zk.delete("/plain/x"))
        wait_until("the short one is taken", lambda: not there(client, "/short"))
        two_passes(client, "c")
        equal([there(client, path) for path in ("/long", "/plain")], [True, True])
        if child.err == 0:  # unless the reaper was faster than this client
            equal(there(client, "/parent"), True)
            client.must(zk.delete("/parent/x"))
        wait_until("the parent is taken", lambda: not there(client, "/parent"))


def events(server):
    """Its deletion is one like any other: events, and the parent's counters."""
    with session(server) as client, session(server) as watcher:
        client.must(zk.create("/e"))
        client.must(zk.create_ttl("/e/t", 1))
        watcher.must(zk.add_watch("/e", 0))
        if watcher.call(zk.exists("/e/t", True)).err == 0:
            seen = [watcher.item(), watcher.item()]
            equal([(item.type, item.path) for item in seen if isinstance(item, Event)], [(2, "/e/t"), (4, "/e")])
        stat = client.must(zk.exists("/e"))
        equal((stat.cversion, stat.num_children), (2, 0))
        assert stat.pzxid > stat.czxid


def across_a_restart(server):
    """The kinds of nodes are remembered."""
    with session(server) as client:
        client.must(zk.create_container("/r"))
        client.must(zk.create("/r/x"))
        client.must(zk.create_ttl("/rt", 3000))
    server.kill()
    server.start()
    with session(server) as client:
        client.must(zk.delete("/r/x"))
        wait_until("the container is taken", lambda: not there(client, "/r"))
        wait_until("the TTL node is taken", lambda: not there(client, "/rt"))


if __name__ == "__main__":
    run(__doc__, [emptied_container, nested_containers, ttl, events, across_a_restart], SETTINGS, PROPERTIES)
