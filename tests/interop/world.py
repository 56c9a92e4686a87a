"""Two servers, a handful of twin clients, and the comparison of everything they are answered."""

import records as zk
from allowed import Exchange
from random_ops import USERS
from servers import SUPER_AUTH
from twins import A, B, Answer, End, Normaliser, Notice, Twin

CLIENTS = 4
SUPER = 0  # this client is the superuser


class Difference(AssertionError):
    """The servers answered differently and no rule allows it."""


class World:
    """All state of a comparison that lives as long as the two servers do."""

    def __init__(self, addresses, allowed, coverage, self_check):
        self.addresses = addresses
        self.self_check = self_check  # both sides are the reference
        self.normaliser = Normaliser()
        self.zxids = self.normaliser.zxids
        self.allowed = allowed
        self.coverage = coverage
        self.twins = []
        self.floor = 0        # canonical zxid of both trees before this step
        self.next_floor = 0   # the same, as the last ping showed it
        self.labels = 0
        self.left_open = []   # twins whose connection ended without closeSession
        self.trail = []       # what was done in this seed, for the report

    # Clients --------------------------------------------------------------------------------------------------------

    def label(self):
        self.labels += 1
        return f"session {self.labels}"

    def twin(self, number):
        """A new client with a session."""
        twin = Twin(self.addresses, self.normaliser, number)
        self.greet(twin)
        return twin

    def greet(self, twin, **fields):
        """Connect a twin and compare the greetings."""
        a, b = twin.connect(self.label(), **fields)
        self._compare(twin, [a], [b])
        self._advance(twin)
        return a

    def _advance(self, twin):
        """A new session is a transaction: learn its zxid."""
        if twin.alive:
            self.fence(twin)

    def open_clients(self):
        self.twins = [self.twin(number) for number in range(CLIENTS)]
        for twin in self.twins:
            self.log_in(twin)

    def log_in(self, twin):
        """The first client is the superuser, the next two have a digest user, the others none."""
        secrets = (SUPER_AUTH, *USERS)
        if twin.number < len(secrets):
            self.do(twin, [zk.auth("digest", secrets[twin.number])], xid=zk.AUTH_XID)

    def revive(self, twin):
        """Give a client whose connection has ended a new session."""
        if twin.alive:
            return
        if twin.sessions[A]:
            self.left_open.append(twin.sessions)
        twin.sessions = [None, None]
        self.greet(twin)
        self.log_in(twin)

    def close_everything(self):
        """End every session of the seed in order, also those without a connection: none may expire later."""
        for twin in self.twins:
            if twin.alive:
                self.left_open.append(twin.sessions)
        for sessions in self.left_open:
            closer = Twin(self.addresses, self.normaliser, 99)
            closer.sessions = list(sessions)
            greeting = self.greet(closer, renew=True)
            if greeting.timeout:
                self.finish(closer, [zk.simple("closeSession")])
        self.left_open = []
        for twin in self.twins:
            twin.drop()
        self.twins = []

    # Steps ----------------------------------------------------------------------------------------------------------

    def note(self, text):
        self.trail.append(text)

    def do(self, twin, ops, xid=None, unordered=False):
        """Send operations pipelined, compare all answers, then what the other clients were told. A's items."""
        self.start_step()
        self.note(f"{twin}: " + "; ".join(str(op(A) if callable(op) else op) for op in ops))
        twin.send(ops, xid)
        items = self._compare(twin, *twin.answers(), unordered=unordered, raw=True)
        self._count_parts(ops, items)
        self.fence_all(unordered)
        return items

    def finish(self, twin, ops):
        """As `do`, for operations after which the server closes this connection."""
        self.start_step()
        self.note(f"{twin}: " + "; ".join(map(str, ops)) + ", then the end")
        twin.send(ops)
        items = self._compare(twin, *twin.until_closed(), unordered=True, raw=True)
        twin.drop()
        self.fence_all(unordered=True)
        return items

    def fence_all(self, unordered=False):
        """Let every client hear what it has been told so far: a ping is answered behind all earlier events."""
        for twin in self.twins:
            if twin.alive:
                self.fence(twin, unordered)

    def fence(self, twin, unordered=False):
        twin.send([zk.simple("ping")])
        items = self._compare(twin, *twin.answers(), unordered=unordered, raw=True)
        last = items[-1] if items else End()
        if isinstance(last, Answer) and last.op == "ping":
            self.next_floor = last.zxid
        else:
            twin.drop()

    def start_step(self):
        """Events of this step must carry a zxid above what the trees are at now."""
        self.floor = self.next_floor

    def expect_end(self, twin):
        """The server must close this connection; what it says before is compared."""
        self._compare(twin, *twin.until_closed(), raw=True)
        twin.drop()

    def await_event(self, twin):
        """Wait for an event that comes by itself on both sides, such as one of an expiry."""
        self.start_step()
        self._compare(twin, *twin.one_item(), raw=True)
        self.fence_all()

    def session_of(self, side, hexadecimal):
        """The label of a session that a server printed."""
        return self.normaliser.session(side, _signed(int(hexadecimal, 16)))

    # Comparison -----------------------------------------------------------------------------------------------------

    def _compare(self, twin, a_items, b_items, unordered=False, raw=False):
        a, b = self._normal(twin, a_items, b_items) if raw else (a_items, b_items)
        if unordered:
            a, b = _events_sorted(a), _events_sorted(b)
        rewritten = self.allowed.rewrite(Exchange(a, b, self.floor, self.zxids))
        if a != rewritten:
            raise Difference(_report(twin, a, rewritten))
        self.coverage.add_items(a)
        return a

    def _normal(self, twin, a_items, b_items):
        try:
            return twin.normal(A, a_items), twin.normal(B, b_items)
        except AssertionError as fault:
            raise Difference(f"{twin}: {fault}\n  A: {a_items}\n  B: {b_items}") from fault

    def _count_parts(self, ops, items):
        answers = [item for item in items if isinstance(item, Answer)]
        for op, item in zip(ops, answers):
            if item.op == "multi" and item.err == 0 and not callable(op):
                self.coverage.add_parts(op.parts, item.body)


def _signed(number):
    return number - (1 << 64) if number >> 63 else number


def _events_sorted(items):
    """The same items with each run of events in a fixed order, for steps that order nothing."""
    events = sorted(item for item in items if isinstance(item, Notice))
    return events + [item for item in items if not isinstance(item, Notice)]


def _report(twin, a, b):
    """Both lists, differing lines marked."""
    lines = [f"{twin} was answered differently (A is the reference):"]
    for at in range(max(len(a), len(b))):
        left = a[at] if at < len(a) else "nothing"
        right = b[at] if at < len(b) else "nothing"
        mark = " " if left == right else "!"
        lines.append(f" {mark} A: {left}")
        if left != right:
            lines.append(f" {mark} B: {right}")
    return "\n".join(lines)
