"""Random operations from a seed: mostly sensible ones on few paths, so that they meet, and some that must be refused.

Kept out, because one side cannot take it (they are tested against Quorate alone): type 21 with flags that are not TTL,
text in quota nodes that is no quota, and two watch modes of one client on one path (3.8 keeps only the last one). Kept out
of pipelines, because Apache decides it by a race: container creation with ephemeral flags (in flight it counts as an
ephemeral, applied it does not), and anything behind a setACL. Kept out of multis: null paths, after which 3.8 loses a
zxid. Kept out of ACLs: IPv6 addresses, new in 3.9; null schemes and ids beside other entries, which end
in a fault.
"""

import records as zk
from records import Acl

LEAVES = ("a", "b", "c")
USERS = (b"u1:pw1", b"u2:pw2")
USER_IDS = ("u1:cO3JQ7NLKx81M3VewVIrTBCVEVo=", "u2:4Stp4FP2yVYM3T4fX3ahWx1yyT4=")
BAD_PATHS = ("", "a", "/", "//", "{0}/", "{0}//x", "{0}/.", "{0}/..", "{0}/./a", "{0}/a\0b", "{0}/\x01", "{0}/\x1f",
             "{0}/\x7f", "{0}/\x9f", "{0}/\ue000", "{0}/\uf8ff", "{0}/\ufff0", "{0}/\uffff", "{0}/\ufffd", b"{0}/\xff\xfe")
ODD_PATHS = ("{0}/...", "{0}/..a", "{0}/a..", "{0}/ ", "{0}/\ud7ff", "{0}/\uf900", "{0}/\uffef", "{0}/\u00e9\u4e2d", "{0}/ a b")
GOOD_IDS = (("world", "anyone"), ("auth", ""), ("auth", "ignored"), ("digest", USER_IDS[0]), ("digest", USER_IDS[1]),
            ("digest", "x:y"), ("digest", ":y"), ("digest", "a:b:"), ("ip", "127.0.0.1"), ("ip", "127.0.0.0/8"), ("ip", "10.0.0.0/8"),
            ("ip", "127.0.0.1/0"), ("digest", "\U0001F600:x"))
BAD_IDS = (("world", "somebody"), ("world", ""), ("digest", "x"), ("digest", "x:"), ("digest", "a:b:c"), ("digest", ""),
           ("ip", "300.1.1.1"), ("ip", "1.2.3"), ("ip", "127.0.0.1/33"), ("ip", "x"), ("sasl", "me"), ("super", ""), ("nope", "x"),
           ("", ""), ("digest", None), ("world", None), ("auth", None), ("ip", "127.0.0.1/-1"), ("ip", "1::2::3"))
BAD_TEXTS = tuple(entry for entry in BAD_IDS if entry[1] is not None)
SYSTEM_PATHS = ("/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config")
MAX_NUMBER = 2147483647

STANDARD, PERSISTENT_WATCH, RECURSIVE_WATCH = -1, 0, 1


def watch_mode(root, client, path):
    """The one watch mode that a client uses on a path."""
    value = sum(str(path).encode("utf-8", "surrogatepass")) + client + len(root)
    return (STANDARD, STANDARD, STANDARD, PERSISTENT_WATCH, RECURSIVE_WATCH)[value % 5]


class RandomOps:
    """Draws operations below one root node."""

    good_ids = GOOD_IDS
    create_flags = (0, 0, 0, 0, 1, 2, 2, 3, 3, 4, 5, 7, -1)
    container_flags = (4, 4, 4, 0, 2, 8)

    def __init__(self, rng, root):
        self.rng = rng
        self.root = root
        self.made = []  # names that servers chose, and odd names that exist
        self._levels = ([f"{root}/{x}" for x in LEAVES], [f"{root}/{x}/{y}" for x in LEAVES for y in LEAVES],
                        [f"{root}/a/a/{x}" for x in LEAVES])
        self._paths = sum(self._levels, [])

    def first_nodes(self):
        """A few nodes to begin with, one of each kind of ACL that matters."""
        kinds = (zk.OPEN_ACL, zk.OPEN_ACL, zk.OPEN_ACL, [Acl(zk.READ, "world", "anyone"), Acl(zk.ALL, "digest", USER_IDS[0])])
        return [zk.create(path, b"first", acl) for path, acl in zip((*self._levels[0], self._levels[1][0]), kinds)]

    def known_path(self):
        """A path of the pool, near the root more often."""
        return self.rng.choice(self.rng.choices(self._levels, (5, 4, 1))[0])

    # Arguments ------------------------------------------------------------------------------------------------------

    def path(self):
        """Mostly a path of the small pool, sometimes one that a server named, seldom a wrong or a system one."""
        roll = self.rng.random()
        if roll < 0.84 or (roll < 0.94 and not self.made):
            return self.known_path()
        if roll < 0.94:
            return self.rng.choice(self.made)
        return self._strange_path()

    def _strange_path(self):
        pool = self.rng.choice((BAD_PATHS, ODD_PATHS, SYSTEM_PATHS, (None,)))
        path = self.rng.choice(pool)
        if isinstance(path, bytes):
            return path.replace(b"{0}", self.root.encode())
        return path and path.replace("{0}", self.root)

    def data(self):
        size = self.rng.choice((None, 0, 1, 5, 20, 1000, 1000, 60000 if self.rng.random() < 0.1 else 7))
        return None if size is None else self.rng.randbytes(size)

    def version(self):
        return self.rng.choice((-1, -1, -1, -1, -1, -1, -1, 0, 0, 1, 2, self.rng.choice((MAX_NUMBER, -2))))

    def acl(self):
        """Mostly open; else a mixture of every scheme, right and wrong."""
        roll = self.rng.random()
        if roll < 0.65:
            return zk.OPEN_ACL
        if roll < 0.90:
            return [self._entry(self.good_ids) for _ in range(self.rng.randint(1, 3))]
        return self.rng.choice((None, [], [self._entry(BAD_IDS)], [self._entry(self.good_ids), self._entry(BAD_TEXTS)]))

    def _entry(self, ids):
        perms = self.rng.choice((zk.ALL, zk.ALL, zk.READ, zk.READ | zk.WRITE, zk.CREATE | zk.DELETE, zk.ADMIN, 0, 255, -1))
        return Acl(perms, *self.rng.choice(ids))

    # Writes ---------------------------------------------------------------------------------------------------------

    def create(self):
        make = self.rng.choice((zk.create, zk.create2))
        return make(self._new_path(), self.data(), self.acl(), self.rng.choice(self.create_flags))

    def plain_create(self):
        """A create that mostly works: the tree must not stay empty."""
        make = self.rng.choice((zk.create, zk.create2))
        return make(self.known_path(), self.data(), zk.OPEN_ACL, self.rng.choice((0, 0, 0, 1, 2, 3)))

    def _new_path(self):
        if self.rng.random() < 0.15:
            return self.rng.choice([f"{self.root}/{name}" for name in ("", "a/", "s-", "b/s-", "n1", "n2", "b/n3")])
        return self.path()

    def create_container(self):
        return zk.create_container(self._new_path(), self.data(), self.acl(), self.rng.choice(self.container_flags))

    def create_ttl(self):
        ttl = self.rng.choice((1, 1000000, 1000000, 0xFFFFFFFFFF, self.rng.choice((0, -1, 0x10000000000))))
        flags = self.rng.choice((5, 5, 5, 6, 6, 6, 7))
        return zk.create_ttl(self._new_path(), ttl, self.data(), self.acl(), flags)

    def delete(self):
        return zk.delete(self.path(), self.version())

    def set_data(self):
        path = self.path()
        return zk.set_data(f"{self.root}/a" if path in SYSTEM_PATHS else path, self.data(), self.version())

    def set_acl(self):
        path = self.path()
        return zk.set_acl(f"{self.root}/b" if path in SYSTEM_PATHS else path, self.acl(), self.version())

    def check(self):
        return zk.check(self.path(), self.version())

    def reconfig(self):
        return zk.reconfig(self.rng.choice((None, "server.1=a:1:2;3")), None, self.rng.choice((None, "")), -1)

    # Multi ----------------------------------------------------------------------------------------------------------

    def multi(self):
        """Parts that mostly succeed; sometimes one that must not be in a multi."""
        if self.rng.random() < 0.06:
            return zk.multi([self._multi_part(), self.rng.choice((zk.get_data(self.root), zk.sync("/"), zk.simple("ping")))])
        return zk.multi([self._multi_part() for _ in range(self.rng.randint(0, 5))])

    def _multi_part(self):
        part = None
        while part is None or part.body.startswith(b"\xff\xff\xff\xff"):
            part = self._any_multi_part()
        return part

    def _any_multi_part(self):
        return self.rng.choice((self.plain_create, self._known_create, self._sequential, self._multi_ttl, self._multi_container,
                                self.set_data, self.set_data, self.delete, self.check, self.check))()

    def _sequential(self):
        return zk.create(f"{self.known_path()}-", self.data(), zk.OPEN_ACL, self.rng.choice((2, 3)))

    def _known_create(self):
        return zk.create2(self._new_path(), self.data(), self._acl_of_part(), self.rng.choice((0, 1, 2, 3)))

    def _acl_of_part(self):
        """Without null ids: after the fault that they cause, 3.8 keeps the multi's earlier parts among the changes in flight."""
        acl = self.acl() or []
        return [entry for entry in acl if entry.id is not None]

    def _multi_ttl(self):
        return zk.create_ttl(self._new_path(), self.rng.choice((1000000, 0)), self.data(), self._acl_of_part(), self.rng.choice((5, 6)))

    def _multi_container(self):
        return zk.create_container(self._new_path(), self.data(), self._acl_of_part())

    def multi_read(self):
        parts = [self.rng.choice((zk.get_data, zk.get_children))(self.path(), self.rng.random() < 0.3)
                 for _ in range(self.rng.randint(0, 4))]
        if self.rng.random() < 0.06:
            parts.append(zk.exists(self.root))
        return zk.multi_read(parts)

    # Reads and watches ----------------------------------------------------------------------------------------------

    def read(self, client):
        """A read, often with a watch where the client's watch mode on the path is the standard one.

        Only the superuser watches by exists: 3.8 registers the watch of a client that may not read the node, 3.9 does not.
        """
        make = self.rng.choice((zk.exists, zk.get_data, zk.get_children, zk.get_children2))
        path = self.path()
        watch = self.rng.random() < 0.5 and watch_mode(self.root, client, path) == STANDARD and (make != zk.exists or client == 0)
        return make(path, watch)

    def other_read(self):
        path = self._some_path()
        return self.rng.choice((zk.get_acl(path), zk.get_acl(path), zk.get_all_children_number(path), zk.sync(path),
                                zk.get_ephemerals(self.rng.choice((self.root, f"{self.root}/a", "/", "", " ", None, "x"))),
                                zk.simple("whoAmI"), zk.simple("ping"), zk.sasl(b"token")))

    def _some_path(self):
        """A path that is not null: null ones sync, addWatch and removeWatches take for good in Apache."""
        return self.path() or self.root

    def add_watch(self, client):
        path = self._some_path()
        mode = watch_mode(self.root, client, path)
        if mode == STANDARD:
            return zk.add_watch(path, self.rng.choice((2, -1, 99)))
        return zk.add_watch(path, mode)

    def query_watch(self, client):
        """checkWatches or removeWatches; on persistent watches only of type any, where 3.8 and 3.9 agree."""
        path = self._some_path()
        types = (1, 2, 3, 3, 0, 9) if watch_mode(self.root, client, path) == STANDARD else (3, 3, 0, -1)
        return self.rng.choice((zk.check_watches, zk.remove_watches))(path, self.rng.choice(types))

    def watch_lists(self, client, count=6):
        """Paths for setWatches: five lists, each path in those that suit its mode."""
        lists = ([], [], [], [], [])
        for _ in range(count):
            path = self.rng.choice(self._paths + [f"{self.root}/none"])
            mode = watch_mode(self.root, client, path)
            at = {PERSISTENT_WATCH: 3, RECURSIVE_WATCH: 4}.get(mode, self.rng.randrange(3))
            lists[at].append(path)
        return lists

    # Any ------------------------------------------------------------------------------------------------------------

    def any(self, client):
        """One operation of the whole mixture for the client of that number."""
        kind = self.rng.choices(("plain_create", "create", "create_container", "create_ttl", "delete", "set_data", "set_acl",
                                 "multi", "multi_read", "read", "other_read", "add_watch", "query_watch", "reconfig"),
                                (18, 8, 3, 4, 8, 14, 4, 16, 3, 20, 10, 5, 5, 0.4))[0]
        method = getattr(self, kind)
        return method(client) if kind in ("read", "add_watch", "query_watch") else method()
