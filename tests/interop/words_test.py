"""The four-letter words of Apache and Quorate side by side: same words, same lines, same keys; only the numbers differ."""

import re

import rawzk
import records as zk
from harness import equal, run
from servers import ApacheServer
from waiting import wait_until

SETTINGS = {"4lw.commands.whitelist": "*", "snapCount": "5000"}
WORDS_TO_SMALL_WHITELIST = (b"ruok", b"mntr", b"stat", b"wchp", b"conf")

# Lines that tell of the program, not of the service.
OF_THE_PROGRAM = re.compile(r"^(zookeeper\.version|Zookeeper version|java\.|os\.|user\.|host\.name|quorate\.|zk_version)", re.I)


class Pair:
    """Both servers with the same clients and the same few nodes."""

    def __init__(self, apache, tested):
        self.addresses = (apache.address, tested.address)
        self.clients = []
        for address in self.addresses:
            keeper, other = rawzk.open_session(address), rawzk.open_session(address, timeout=30000)
            for op in (zk.create("/w"), zk.create("/w/e", b"", zk.OPEN_ACL, zk.EPHEMERAL), zk.get_data("/w", True), zk.add_watch("/w/p", 0)):
                keeper.must(op)
            other.must(zk.get_children("/w", True))
            other.must(zk.exists("/w/e", True))
            self.clients += [keeper, other]

    def ask(self, word):
        return [rawzk.four_letter_word(address, word).decode() for address in self.addresses]

    def ask_alone(self, word, alone):
        """The same, once no connection of an earlier word is left: `alone` tells that of an answer."""
        def look():
            texts = self.ask(word)
            return texts if all(map(alone, texts)) else None
        return wait_until(f"only our connections are in {word.decode()}", look)

    def close(self):
        for client in self.clients:
            client.close_session()


def with_pair(check):
    """A test that gets a Pair; Apache runs beside the tested server for its time."""
    def test(server):
        with ApacheServer(SETTINGS) as apache:
            pair = Pair(apache, server)
            try:
                check(pair)
            finally:
                for client in pair.clients[2:]:
                    client.must(zk.sync("/"))
                pair.clients[2].call(zk.delete("/w/e"))
                pair.clients[2].call(zk.delete("/w"))
                pair.close()
    test.__name__ = check.__name__
    return test


def masked(text):
    """The text with numbers, dates and paths replaced by what they are."""
    text = re.sub(r"\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \w+ \d{4}", "<date>", text)
    text = re.sub(r"0x[0-9a-f]+", "<hex>", text)
    text = re.sub(r"(?<==)/\S+", "<path>", text)
    return re.sub(r"-?\b\d+(\.\d+)?\b", "<n>", text)


def lines_of(text):
    return [masked(line) for line in text.split("\n") if not OF_THE_PROGRAM.match(line)]


@with_pair
def same_text(pair):
    """Nothing but the state of the service in them: equal to the byte."""
    for word in (b"ruok", b"isro", b"wchs", b"gtmk", b"crst", b"srst", b"hash"):
        equal(*reversed(pair.ask(word)), word)


@with_pair
def same_lines(pair):
    """The same lines in the same order, numbers aside."""
    for word in (b"srvr", b"conf", b"dirs", b"wchp"):
        apache, tested = pair.ask(word)
        equal(lines_of(tested), lines_of(apache), word)
    apache, tested = pair.ask(b"wchc")  # sessions in no order
    equal(sorted(lines_of(tested)), sorted(lines_of(apache)), "wchc")


@with_pair
def connections(pair):
    """stat and cons list each connection in the known form."""
    line = re.compile(r" /127\.0\.0\.1:\d+\[[0-9a-f]+\]\(queued=\d+,recved=\d+,sent=\d+\)")
    long_line = re.compile(r" /127\.0\.0\.1:\d+\[[0-9a-f]+\]\(queued=\d+,recved=\d+,sent=\d+,sid=0x[0-9a-f]+,lop=[A-Z0-9]+,est=\d+,to=\d+,"
                           r"(lcxid=0x[0-9a-f]+,)?lzxid=0x[0-9a-f]+,lresp=\d+,llat=\d+,minlat=\d+,avglat=\d+,maxlat=\d+\)")
    for text in pair.ask_alone(b"stat", lambda text: text.split("Clients:\n")[1].split("\n\n")[0].count("\n") == 2):
        body = text.split("Clients:\n")[1].split("\n\n")[0].split("\n")
        equal((len(body), all(line.fullmatch(one) for one in body)), (3, True), text)
    for text in pair.ask_alone(b"cons", lambda text: text.rstrip("\n").count("\n") == 2):
        assert text.endswith("\n\n"), text
        body = text.rstrip("\n").split("\n")
        equal((len(body), sum(bool(long_line.fullmatch(one)) for one in body), sum(bool(line.fullmatch(one)) for one in body)), (3, 2, 1), text)


@with_pair
def dump_of_sessions(pair):
    """The three parts of dump with their headings."""
    for text in pair.ask_alone(b"dump", lambda text: re.search(r"^Connections Sets \(\d+\)/\(3\):$", text, re.M)):
        for heading in (r"^SessionTracker dump:$", r"^Session Sets \(\d+\)/\(2\):$", r"^\d+ expire at .*:$", r"^\t0x[0-9a-f]+$",
                        r"^ephemeral nodes dump:$", r"^Sessions with Ephemerals \(1\):$", r"^0x[0-9a-f]+:$", r"^\t/w/e$",
                        r"^Connections dump:$", r"^Connections Sets \(\d+\)/\(3\):$", r"^\tip: /127.0.0.1:\d+ sessionId: 0x[0-9a-f]+$"):
            assert re.search(heading, text, re.M), (heading, text)


@with_pair
def environment(pair):
    """envi has the same keys."""
    apache, tested = ({line.split("=")[0] for line in text.split("\n")} for text in pair.ask(b"envi"))
    equal(sorted(apache - tested), [], "missing")


@with_pair
def monitoring(pair):
    """mntr: every key that Apache prints is there, in the form key, tab, number; those of one value are equal."""
    texts = pair.ask_alone(b"mntr", lambda text: "zk_num_alive_connections\t3\n" in text and "zk_outstanding_requests\t0\n" in text)
    apache, tested = (dict(line.split("\t") for line in text.splitlines()) for text in texts)
    missing = sorted(key for key in apache.keys() - tested.keys() if not key.startswith("zk_jvm_"))
    equal(missing, [], "missing")
    for key in ("zk_server_state", "zk_znode_count", "zk_watch_count", "zk_ephemerals_count", "zk_approximate_data_size", "zk_num_alive_connections",
                "zk_global_sessions", "zk_local_sessions", "zk_outstanding_requests"):
        equal(tested[key], apache[key], key)


@with_pair
def counters(pair):
    """Node count and connections of srvr are the same; Received and Sent count alike after a reset."""
    pair.ask(b"srst")
    for client in pair.clients:
        client.must(zk.set_data("/w", b"counted"))
        client.must(zk.simple("whoAmI"))
    wanted = re.compile(r"^(?:Connections|Outstanding|Mode|Node count|Received|Sent): .*$", re.M)
    wait_until("the same counts", lambda: len({tuple(wanted.findall(text)) for text in pair.ask(b"srvr")}) == 1)


def trace_mask(server):
    """stmk sets what gtmk shows."""
    equal(rawzk.four_letter_word(server.address, b"stmk" + (310).to_bytes(8, "big")), b"310")
    equal(rawzk.four_letter_word(server.address, b"gtmk"), b"310")
    rawzk.four_letter_word(server.address, b"stmk" + (306).to_bytes(8, "big"))


def small_whitelist(server):
    """Words that are not enabled say so; srvr always answers."""
    server.stop()
    server.settings["4lw.commands.whitelist"] = "srvr, dirs"
    server.start()
    for word in WORDS_TO_SMALL_WHITELIST:
        expected = f"{word.decode()} is not executed because it is not in the whitelist.\n"
        equal(rawzk.four_letter_word(server.address, word).decode(), expected)
    assert rawzk.four_letter_word(server.address, b"dirs").startswith(b"datadir_size: ")


if __name__ == "__main__":
    run(__doc__, [same_text, same_lines, connections, dump_of_sessions, environment, monitoring, counters, trace_mask, small_whitelist], SETTINGS)
