"""The Python client kazoo, with its recipes, against a server."""

import contextlib
import logging
import queue
import threading

from kazoo.client import KazooClient
from kazoo.exceptions import (BadVersionError, InvalidACLError, LockTimeout, NoAuthError, NoNodeError, NodeExistsError, NotEmptyError,
                              RolledBackError, RuntimeInconsistency)
from kazoo.protocol.states import EventType, KazooState
from kazoo.recipe.watchers import PatientChildrenWatch
from kazoo.security import make_acl, make_digest_acl

from harness import equal, run
from waiting import wait_until

SECONDS = 15.0


@contextlib.contextmanager
def client(server, **options):
    """A connected client, stopped and closed behind the block. A server may ask for a client of its own kind."""
    zk = getattr(server, "kazoo_client", KazooClient)(server.hosts, timeout=10.0, **options)
    zk.start(SECONDS)
    try:
        yield zk
    finally:
        zk.stop()
        zk.close()


@contextlib.contextmanager
def clients(server, count):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(client(server)) for _ in range(count)]


def in_thread(action):
    """Run an action on a thread; the returned function waits for it and returns its result or raises its fault."""
    done = queue.Queue()

    def body():
        try:
            done.put((action(), None))
        except Exception as fault:
            done.put((None, fault))
    threading.Thread(target=body, daemon=True).start()

    def join():
        result, fault = done.get(timeout=SECONDS)
        if fault:
            raise fault
        return result
    return join


def expect(error, action):
    try:
        action()
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


def nodes(server):
    with client(server) as zk:
        equal(zk.create("/k", b"one"), "/k")
        expect(NodeExistsError, lambda: zk.create("/k", b"again"))
        equal(zk.create("/k/deep/path", b"x", makepath=True), "/k/deep/path")
        equal(zk.get("/k")[0], b"one")
        stat = zk.set("/k", b"two", version=0)
        equal((stat.version, stat.data_length), (1, 3))
        expect(BadVersionError, lambda: zk.set("/k", b"three", version=0))
        expect(NoNodeError, lambda: zk.get("/k/none"))
        equal(zk.get_children("/k"), ["deep"])
        equal(zk.get_children("/k", include_data=True)[1].numChildren, 1)
        expect(NotEmptyError, lambda: zk.delete("/k"))
        equal(zk.sync("/k"), "/k")
        zk.delete("/k", recursive=True)
        equal(zk.exists("/k"), None)


def kinds_of_nodes(server):
    with client(server) as zk:
        zk.ensure_path("/kinds")
        names = [zk.create("/kinds/n-", sequence=True) for _ in range(3)]
        equal(names, [f"/kinds/n-{number:010d}" for number in range(3)])
        path, stat = zk.create("/kinds/e", ephemeral=True, include_data=True)
        equal((path, stat.ephemeralOwner), ("/kinds/e", zk.client_id[0]))
    with client(server) as zk:
        equal(zk.exists("/kinds/e"), None, "the ephemeral of a closed session")
        equal(len(zk.get_children("/kinds")), 3)


def transactions(server):
    with client(server) as zk:
        zk.ensure_path("/tx")
        good = zk.transaction()
        good.create("/tx/a", b"1")
        good.set_data("/tx/a", b"2", version=0)
        good.check("/tx/a", version=1)
        good.create("/tx/b-", sequence=True)
        good.delete("/tx/a")
        results = good.commit()
        equal((results[0], results[1].version, results[2], results[3], results[4]), ("/tx/a", 1, True, "/tx/b-0000000001", True))
        bad = zk.transaction()
        bad.create("/tx/c")
        bad.delete("/tx/none")
        bad.create("/tx/d")
        results = bad.commit()
        equal([type(result) for result in results], [RolledBackError, NoNodeError, RuntimeInconsistency])
        equal(zk.exists("/tx/c"), None)


def acl_and_auth(server):
    with clients(server, 2) as (owner, stranger):
        owner.add_auth("digest", "olga:secret")
        owner.create("/guarded", b"x", acl=[make_digest_acl("olga", "secret", all=True)])
        equal(owner.get("/guarded")[0], b"x")
        expect(NoAuthError, lambda: stranger.get("/guarded"))
        expect(NoAuthError, lambda: stranger.set_acls("/guarded", [make_acl("world", "anyone", all=True)]))
        expect(InvalidACLError, lambda: stranger.create("/nobody", acl=[make_acl("auth", "", all=True)]))
        owner.set_acls("/guarded", [make_acl("world", "anyone", read=True), make_acl("auth", "", all=True)])
        acls, stat = stranger.get_acls("/guarded") if stranger.get("/guarded")[0] == b"x" else None
        equal((len(acls), stat.aversion, acls[1].id.id), (2, 1, "olga:x"))
        stranger.add_auth("digest", "olga:secret")
        stranger.delete("/guarded")


def one_shot_watches(server):
    events = queue.Queue()
    with clients(server, 2) as (watcher, writer):
        watcher.exists("/seen", watch=events.put)
        writer.create("/seen")
        equal(events.get(timeout=SECONDS).type, EventType.CREATED)
        watcher.get("/seen", watch=events.put)
        watcher.get_children("/seen", watch=events.put)
        writer.set("/seen", b"1")
        equal(events.get(timeout=SECONDS).type, EventType.CHANGED)
        writer.set("/seen", b"2")
        writer.create("/seen/child")
        equal(events.get(timeout=SECONDS).type, EventType.CHILD)
        equal(events.empty(), True)


def data_watch(server):
    values = queue.Queue()
    with clients(server, 2) as (watcher, writer):
        watcher.DataWatch("/data", lambda data, stat: values.put(data))
        for action, value in ((None, None), (lambda: writer.create("/data", b"1"), b"1"), (lambda: writer.set("/data", b"2"), b"2"),
                              (lambda: writer.delete("/data"), None), (lambda: writer.create("/data", b"3"), b"3")):
            if action:
                action()
            equal(values.get(timeout=SECONDS), value)


def children_watch(server):
    lists = queue.Queue()
    with clients(server, 2) as (watcher, writer):
        writer.ensure_path("/children")
        watcher.ChildrenWatch("/children", lambda children: lists.put(sorted(children)))
        equal(lists.get(timeout=SECONDS), [])
        writer.create("/children/a")
        equal(lists.get(timeout=SECONDS), ["a"])
        writer.create("/children/b")
        equal(lists.get(timeout=SECONDS), ["a", "b"])
        writer.delete("/children/a")
        equal(lists.get(timeout=SECONDS), ["b"])
        calm = PatientChildrenWatch(watcher, "/children", time_boundary=0.2).start()
        equal(calm.get(timeout=SECONDS)[0], ["b"])


def lock(server):
    with clients(server, 3) as (first, second, third):
        held = first.Lock("/lock", "first")
        held.acquire(timeout=SECONDS)
        expect(LockTimeout, lambda: second.Lock("/lock", "second").acquire(timeout=0.3))
        waiting = second.Lock("/lock", "second")
        join = in_thread(lambda: waiting.acquire(timeout=SECONDS))
        wait_until("two contenders", lambda: third.Lock("/lock").contenders() == ["first", "second"])
        held.release()
        equal(join(), True)
        waiting.release()


def read_write_locks(server):
    with clients(server, 3) as (first, second, third):
        one, two = first.ReadLock("/rw", "1"), second.ReadLock("/rw", "2")
        one.acquire(timeout=SECONDS)
        two.acquire(timeout=SECONDS)
        writer = third.WriteLock("/rw", "3")
        equal(writer.acquire(blocking=False), False)
        one.release()
        join = in_thread(lambda: writer.acquire(timeout=SECONDS))
        two.release()
        equal(join(), True)
        writer.release()


def lock_of_a_dead_client(server):
    """The lock passes on when its holder's session ends without a release."""
    with clients(server, 2) as (first, second):
        first.Lock("/orphan", "first").acquire(timeout=SECONDS)
        join = in_thread(lambda: second.Lock("/orphan", "second").acquire(timeout=SECONDS))
        wait_until("second waits", lambda: len(second.get_children("/orphan")) == 2)
        first.stop()
        equal(join(), True)


def semaphore(server):
    with clients(server, 3) as (first, second, third):
        leases = [zk.Semaphore("/semaphore", max_leases=2) for zk in (first, second, third)]
        equal([lease.acquire(timeout=SECONDS) for lease in leases[:2]], [True, True])
        equal(leases[2].acquire(blocking=False), False)
        join = in_thread(lambda: leases[2].acquire(timeout=SECONDS))
        leases[0].release()
        equal(join(), True)
        for lease in leases[1:]:
            lease.release()


def election(server):
    with clients(server, 2) as pair:
        led, let_go = queue.Queue(), [threading.Event(), threading.Event()]

        def lead(number):
            led.put(number)
            let_go[number].wait(SECONDS)
        joins = [in_thread(lambda n=n: pair[n].Election("/election", str(n)).run(lead, n)) for n in (0, 1)]
        first = led.get(timeout=SECONDS)
        equal(led.empty(), True, "two leaders")
        let_go[first].set()
        second = led.get(timeout=SECONDS)
        equal(second, 1 - first)
        let_go[second].set()
        for join in joins:
            join()


def barrier(server):
    with clients(server, 2) as (keeper, waiter):
        gate = keeper.Barrier("/barrier")
        gate.create()
        join = in_thread(lambda: waiter.Barrier("/barrier").wait(SECONDS))
        equal(waiter.Barrier("/barrier").wait(0.1), False)
        gate.remove()
        equal(join(), True)


def double_barrier(server):
    with clients(server, 2) as pair:
        barriers = [zk.DoubleBarrier("/double", 2) for zk in pair]
        for step in ("enter", "leave"):
            for join in [in_thread(getattr(one, step)) for one in barriers]:
                join()
        equal([one.participating for one in barriers], [False, False])


def queues(server):
    with clients(server, 2) as (producer, consumer):
        line = producer.Queue("/queue")
        line.put(b"later", 200)
        line.put(b"sooner", 100)
        equal([consumer.Queue("/queue").get() for _ in range(3)], [b"sooner", b"later", None])
        kept = producer.LockingQueue("/locking")
        kept.put_all([b"1", b"2"])
        taker = consumer.LockingQueue("/locking")
        equal(taker.get(SECONDS), b"1")
        equal((taker.holds_lock(), taker.consume()), (True, True))
        equal((taker.get(SECONDS), taker.release(), kept.get(SECONDS)), (b"2", True, b"2"))
        equal(kept.consume(), True)


def counter(server):
    with clients(server, 3) as three:
        counters = [zk.Counter("/counter") for zk in three]

        def add(number):
            for _ in range(15):
                counters[number] += 1
        for join in [in_thread(lambda n=n: add(n)) for n in range(3)]:
            join()
        equal(three[0].Counter("/counter").value, 45)


def party(server):
    with clients(server, 3) as three:
        guests = [zk.Party("/party", f"guest {number}") for number, zk in enumerate(three[:2])]
        for guest in guests:
            guest.join()
        host = three[2].ShallowParty("/party")
        equal(len(host), 2)
        equal(sorted(three[2].Party("/party")), ["guest 0", "guest 1"])
        guests[0].leave()
        wait_until("one guest left", lambda: len(host) == 1)


def reconnect(server):
    """The server is killed and comes back: session and ephemerals are still there, a DataWatch goes on."""
    values, states = queue.Queue(), queue.Queue()
    with clients(server, 2) as (watcher, writer):
        watcher.add_listener(states.put)
        watcher.create("/survivor", b"0", ephemeral=True)
        watcher.DataWatch("/survivor", lambda data, stat: values.put(data))
        equal(values.get(timeout=SECONDS), b"0")
        session = watcher.client_id[0]
        server.kill()
        equal(states.get(timeout=SECONDS), KazooState.SUSPENDED)
        server.start()
        equal(states.get(timeout=30), KazooState.CONNECTED)
        equal(watcher.client_id[0], session)
        writer.retry(writer.set, "/survivor", b"1")
        equal(values.get(timeout=SECONDS), b"1")
        equal(writer.exists("/survivor").ephemeralOwner, session)


TESTS = [nodes, kinds_of_nodes, transactions, acl_and_auth, one_shot_watches, data_watch, children_watch, lock, read_write_locks,
         lock_of_a_dead_client, semaphore, election, barrier, double_barrier, queues, counter, party, reconnect]

if __name__ == "__main__":
    logging.getLogger("kazoo").setLevel(logging.CRITICAL)
    run(__doc__, TESTS, settings={"maxSessionTimeout": "60000"})
