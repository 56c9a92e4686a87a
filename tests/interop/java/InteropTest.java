import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.AsyncCallback;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;

/**
 * Apache's Java client and Curator against a server. One argument: host:port. Prints "ok name" or "FAIL name" for each
 * test and ends with the number of failures. Where a test needs the server killed and started again it prints "RESTART"
 * and waits for a line on its input (java_test.py is at the other end).
 *
 * With a second argument the servers come and go by themselves: only tests whose clients need not see each other's
 * changes at once are run, and a test that lost its connection is run again below a new root.
 */
public final class InteropTest {
    private static final int SESSION_MS = 15000;
    private static final long SECONDS = 20;
    private static final int ATTEMPTS = 8;
    private static final List<ACL> UNKNOWN_SCHEME = new ArrayList<>(List.of(new ACL(Perms.ALL, new Id("no", "x"))));
    private static String address;
    private static BufferedReader input;

    private interface Test {
        void run() throws Exception;
    }

    private InteropTest() {
    }

    public static void main(String[] arguments) throws Exception {
        address = arguments[0];
        input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        if (arguments.length > 1) {
            System.exit(amongRestarts(arguments[0]));
        }
        int failures = run("nodes", InteropTest::nodes) + run("kindsOfNodes", InteropTest::kindsOfNodes)
            + run("errors", InteropTest::errors) + run("multi", InteropTest::multi) + run("acl", InteropTest::acl)
            + run("oneShotWatches", InteropTest::oneShotWatches) + run("persistentWatches", InteropTest::persistentWatches)
            + run("asynchronousOrder", InteropTest::asynchronousOrder) + run("curatorNodes", InteropTest::curatorNodes)
            + run("curatorTransactions", InteropTest::curatorTransactions) + run("mutex", InteropTest::mutex)
            + run("leaderLatch", InteropTest::leaderLatch) + run("atomicLong", InteropTest::atomicLong)
            + run("cache", InteropTest::cache) + run("persistentNode", InteropTest::persistentNode)
            + run("sessionSurvivesRestart", InteropTest::sessionSurvivesRestart)
            + run("recipesSurviveRestart", InteropTest::recipesSurviveRestart);
        System.exit(failures == 0 ? 0 : 1);
    }

    private static int amongRestarts(String servers) throws Exception {
        return again("nodes", InteropTest::nodes, servers) + again("oneShotWatches", InteropTest::oneShotWatches, servers)
            + again("persistentWatches", InteropTest::persistentWatches, servers)
            + again("curatorNodes", InteropTest::curatorNodes, servers)
            + again("mutex", InteropTest::mutex, servers) + again("leaderLatch", InteropTest::leaderLatch, servers)
            + again("cache", InteropTest::cache, servers) + again("persistentNode", InteropTest::persistentNode, servers);
    }

    private static int again(String name, Test test, String servers) throws Exception {
        for (int attempt = 1;; attempt++) {
            address = servers;
            try {
                String root = "/java-" + name + "-" + System.nanoTime();
                try (CuratorFramework client = curator()) {
                    client.create().forPath(root);
                }
                address = servers + root;
                test.run();
                System.out.println("ok " + name + (attempt > 1 ? " at attempt " + attempt : ""));
                return 0;
            } catch (Throwable fault) {
                if (attempt < ATTEMPTS && lostConnection(fault)) {
                    continue;
                }
                System.out.println("FAIL " + name + ": " + fault);
                fault.printStackTrace(System.out);
                return 1;
            }
        }
    }

    /** After a lost connection a request may or may not have been carried out, so that its second attempt fails. */
    private static boolean lostConnection(Throwable fault) {
        String text = String.valueOf(fault.getMessage());
        return fault instanceof KeeperException || text.contains("CONNECTIONLOSS") || text.contains("None null");
    }

    private static int run(String name, Test test) {
        try {
            test.run();
            System.out.println("ok " + name);
            return 0;
        } catch (Throwable fault) {
            System.out.println("FAIL " + name + ": " + fault);
            fault.printStackTrace(System.out);
            return 1;
        }
    }

    private static void equal(Object actual, Object expected) {
        if (!expected.equals(actual)) {
            throw new AssertionError(actual + " instead of " + expected);
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static void restartServer() throws Exception {
        System.out.println("RESTART");
        equal(input.readLine(), "RESTARTED");
    }

    // Apache's client ------------------------------------------------------------------------------------------------

    /** A client that has connected, and the events that its default watcher gets. */
    private static final class Client implements AutoCloseable {
        final BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();
        final ZooKeeper zk;

        Client() throws Exception {
            zk = new ZooKeeper(address, SESSION_MS, events::add);
            equal(next().getType(), EventType.None);
        }

        WatchedEvent next() throws InterruptedException {
            WatchedEvent event = events.poll(SECONDS, TimeUnit.SECONDS);
            if (event == null) {
                throw new AssertionError("no event came");
            }
            return event;
        }

        void expect(EventType type, String path) throws InterruptedException {
            WatchedEvent event = next();
            equal(event.getType() + " " + event.getPath(), type + " " + path);
        }

        @Override
        public void close() throws InterruptedException {
            zk.close();
        }
    }

    private interface Action {
        void run() throws Exception;
    }

    private static void fails(Code code, Action action) throws Exception {
        try {
            action.run();
        } catch (KeeperException fault) {
            equal(fault.code(), code);
            return;
        }
        throw new AssertionError("no " + code);
    }

    private static String create(ZooKeeper zk, String path, CreateMode mode) throws Exception {
        return zk.create(path, bytes("data"), Ids.OPEN_ACL_UNSAFE, mode);
    }

    private static void nodes() throws Exception {
        try (Client client = new Client()) {
            ZooKeeper zk = client.zk;
            Stat stat = new Stat();
            equal(zk.create("/j", bytes("one"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT, stat), "/j");
            equal(stat.getDataLength(), 3);
            equal(stat.getCzxid(), stat.getPzxid());
            equal(zk.setData("/j", bytes("three"), 0).getVersion(), 1);
            equal(text(zk.getData("/j", false, stat)), "three");
            create(zk, "/j/child", CreateMode.PERSISTENT);
            equal(zk.getChildren("/j", false, stat), List.of("child"));
            equal(stat.getNumChildren(), 1);
            equal(zk.getAllChildrenNumber("/j"), 1);
            zk.setData("/j/child", null, -1);
            equal(zk.exists("/j/child", false).getDataLength(), 0);
            zk.delete("/j/child", 1);
            zk.delete("/j", -1);
            equal(zk.exists("/j", false) == null, true);
            equal(zk.whoAmI().get(0).getAuthScheme(), "ip");
        }
    }

    private static void kindsOfNodes() throws Exception {
        try (Client client = new Client()) {
            ZooKeeper zk = client.zk;
            create(zk, "/jk", CreateMode.PERSISTENT);
            equal(create(zk, "/jk/s-", CreateMode.PERSISTENT_SEQUENTIAL), "/jk/s-0000000000");
            equal(create(zk, "/jk/e-", CreateMode.EPHEMERAL_SEQUENTIAL), "/jk/e-0000000001");
            equal(zk.exists("/jk/e-0000000001", false).getEphemeralOwner(), zk.getSessionId());
            equal(zk.getEphemerals("/jk"), List.of("/jk/e-0000000001"));
            create(zk, "/jk/container", CreateMode.CONTAINER);
            Stat stat = new Stat();
            zk.create("/jk/ttl", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, stat, 1000000);
            equal(stat.getEphemeralOwner(), 0L);
            equal(zk.create("/jk/t-", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, stat, 1000000),
                "/jk/t-0000000004");
        }
        try (Client client = new Client()) {
            equal(client.zk.getChildren("/jk", false).size(), 4);
        }
    }

    private static void errors() throws Exception {
        try (Client client = new Client()) {
            ZooKeeper zk = client.zk;
            create(zk, "/je", CreateMode.PERSISTENT);
            create(zk, "/je/e", CreateMode.EPHEMERAL);
            fails(Code.NODEEXISTS, () -> create(zk, "/je", CreateMode.PERSISTENT));
            fails(Code.NONODE, () -> create(zk, "/none/x", CreateMode.PERSISTENT));
            fails(Code.NOCHILDRENFOREPHEMERALS, () -> create(zk, "/je/e/x", CreateMode.PERSISTENT));
            fails(Code.NOTEMPTY, () -> zk.delete("/je", -1));
            fails(Code.BADVERSION, () -> zk.setData("/je", null, 7));
            fails(Code.NONODE, () -> zk.getData("/none", false, null));
            fails(Code.BADARGUMENTS, () -> zk.delete("/zookeeper", -1));
            fails(Code.INVALIDACL, () -> zk.create("/acl", null, UNKNOWN_SCHEME, CreateMode.PERSISTENT));
            fails(Code.NOWATCHER, () -> zk.removeAllWatches("/je", WatcherType.Any, false));
        }
    }

    private static void multi() throws Exception {
        try (Client client = new Client()) {
            ZooKeeper zk = client.zk;
            List<OpResult> results = zk.multi(List.of(
                Op.create("/jm", bytes("0"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
                Op.setData("/jm", bytes("1"), 0),
                Op.check("/jm", 1),
                Op.create("/jm/c", null, Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER),
                Op.create("/jm/t", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, 100000),
                Op.create("/jm/s-", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL),
                Op.delete("/jm/c", -1)));
            equal(results.size(), 7);
            equal(((OpResult.SetDataResult) results.get(1)).getStat().getVersion(), 1);
            equal(((OpResult.CreateResult) results.get(5)).getPath(), "/jm/s-0000000002");
            List<OpResult> reads = zk.multi(List.of(Op.getData("/jm"), Op.getChildren("/jm"), Op.getData("/none")));
            equal(text(((OpResult.GetDataResult) reads.get(0)).getData()), "1");
            equal(((OpResult.ErrorResult) reads.get(2)).getErr(), Code.NONODE.intValue());
            try {
                zk.multi(List.of(Op.delete("/jm/t", -1), Op.check("/jm", 9), Op.delete("/jm", -1)));
                throw new AssertionError("a failing multi succeeded");
            } catch (KeeperException.BadVersionException fault) {
                equal(fault.getResults().size(), 3);
            }
            equal(zk.exists("/jm/t", false) != null, true);
        }
    }

    private static void acl() throws Exception {
        try (Client owner = new Client(); Client stranger = new Client()) {
            owner.zk.addAuthInfo("digest", bytes("olga:secret"));
            owner.zk.create("/ja", bytes("x"), Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
            fails(Code.NOAUTH, () -> stranger.zk.getData("/ja", false, null));
            fails(Code.NOAUTH, () -> stranger.zk.setACL("/ja", Ids.OPEN_ACL_UNSAFE, -1));
            equal(owner.zk.setACL("/ja", Ids.READ_ACL_UNSAFE, 0).getAversion(), 1);
            equal(text(stranger.zk.getData("/ja", false, null)), "x");
            fails(Code.NOAUTH, () -> owner.zk.setData("/ja", bytes("y"), -1));
            equal(stranger.zk.getACL("/ja", null), Ids.READ_ACL_UNSAFE);
        }
    }

    private static void oneShotWatches() throws Exception {
        try (Client watcher = new Client(); Client writer = new Client()) {
            watcher.zk.exists("/jw", true);
            create(writer.zk, "/jw", CreateMode.PERSISTENT);
            watcher.expect(EventType.NodeCreated, "/jw");
            watcher.zk.getData("/jw", true, null);
            watcher.zk.getChildren("/jw", true);
            writer.zk.setData("/jw", bytes("1"), -1);
            watcher.expect(EventType.NodeDataChanged, "/jw");
            create(writer.zk, "/jw/x", CreateMode.PERSISTENT);
            watcher.expect(EventType.NodeChildrenChanged, "/jw");
            watcher.zk.exists("/jw/x", true);
            watcher.zk.removeAllWatches("/jw/x", WatcherType.Data, false);
            watcher.expect(EventType.DataWatchRemoved, "/jw/x");
            watcher.zk.getData("/jw/x", true, null);
            writer.zk.delete("/jw/x", -1);
            watcher.expect(EventType.NodeDeleted, "/jw/x");
            equal(watcher.events.isEmpty(), true);
        }
    }

    private static void persistentWatches() throws Exception {
        try (Client watcher = new Client(); Client writer = new Client()) {
            watcher.zk.addWatch("/jp", AddWatchMode.PERSISTENT_RECURSIVE);
            watcher.zk.addWatch("/jq", AddWatchMode.PERSISTENT);
            for (String path : List.of("/jp", "/jp/a", "/jp/a/b", "/jq", "/jq/a")) {
                create(writer.zk, path, CreateMode.PERSISTENT);
            }
            writer.zk.setData("/jp/a/b", null, -1);
            writer.zk.setData("/jq", null, -1);
            writer.zk.delete("/jp/a/b", -1);
            watcher.expect(EventType.NodeCreated, "/jp");
            watcher.expect(EventType.NodeCreated, "/jp/a");
            watcher.expect(EventType.NodeCreated, "/jp/a/b");
            watcher.expect(EventType.NodeCreated, "/jq");
            watcher.expect(EventType.NodeChildrenChanged, "/jq");
            watcher.expect(EventType.NodeDataChanged, "/jp/a/b");
            watcher.expect(EventType.NodeDataChanged, "/jq");
            watcher.expect(EventType.NodeDeleted, "/jp/a/b");
            watcher.zk.removeAllWatches("/jp", WatcherType.Any, false);
            watcher.expect(EventType.PersistentWatchRemoved, "/jp");
            writer.zk.delete("/jp/a", -1);
            writer.zk.setData("/jq", null, -1);
            watcher.expect(EventType.NodeDataChanged, "/jq");
        }
    }

    /** Replies come in the order of the requests, whatever their kind. */
    private static void asynchronousOrder() throws Exception {
        try (Client client = new Client()) {
            create(client.zk, "/jo", CreateMode.PERSISTENT);
            int count = 2000;
            List<Object> order = new ArrayList<>();
            CountDownLatch done = new CountDownLatch(count);
            AsyncCallback.StatCallback noted = (code, path, context, stat) -> {
                order.add(code == 0 ? context : path + " " + code);
                done.countDown();
            };
            for (int number = 0; number < count; number++) {
                if (number % 3 == 0) {
                    client.zk.exists("/jo", false, noted, number);
                } else {
                    client.zk.setData("/jo", bytes("" + number), -1, noted, number);
                }
            }
            equal(done.await(SECONDS, TimeUnit.SECONDS), true);
            for (int number = 0; number < count; number++) {
                equal(order.get(number), number);
            }
        }
    }

    // Curator --------------------------------------------------------------------------------------------------------

    private static CuratorFramework curator() throws Exception {
        CuratorFramework client = CuratorFrameworkFactory.newClient(address, SESSION_MS, 10000, new RetryNTimes(50, 200));
        client.start();
        equal(client.blockUntilConnected((int) SECONDS, TimeUnit.SECONDS), true);
        return client;
    }

    private static void until(String what, java.util.concurrent.Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!condition.call()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("never: " + what);
            }
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    private static void curatorNodes() throws Exception {
        try (CuratorFramework client = curator()) {
            Stat stat = new Stat();
            client.create().storingStatIn(stat).creatingParentContainersIfNeeded().forPath("/cn/a/b", bytes("1"));
            equal(stat.getVersion(), 0);
            String safe = client.create().withProtection().withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath("/cn/p-");
            equal(safe.endsWith("0000000001"), true);
            client.create().withTtl(100000).withMode(CreateMode.PERSISTENT_WITH_TTL).forPath("/cn/ttl", bytes("t"));
            client.create().orSetData().forPath("/cn/a/b", bytes("2"));
            equal(text(client.getData().forPath("/cn/a/b")), "2");
            client.delete().guaranteed().deletingChildrenIfNeeded().forPath("/cn");
            equal(client.checkExists().forPath("/cn") == null, true);
        }
    }

    private static void curatorTransactions() throws Exception {
        try (CuratorFramework client = curator()) {
            List<CuratorTransactionResult> results = client.transaction().forOperations(
                client.transactionOp().create().forPath("/ct", bytes("0")),
                client.transactionOp().create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath("/ct/s-"),
                client.transactionOp().setData().withVersion(0).forPath("/ct", bytes("1")),
                client.transactionOp().check().withVersion(1).forPath("/ct"),
                client.transactionOp().delete().forPath("/ct/s-0000000000"));
            equal(results.get(1).getResultPath(), "/ct/s-0000000000");
            equal(results.get(2).getResultStat().getVersion(), 1);
            fails(Code.NONODE, () -> client.transaction().forOperations(
                client.transactionOp().delete().forPath("/ct"), client.transactionOp().delete().forPath("/none")));
            equal(client.checkExists().forPath("/ct").getNumChildren(), 0);
        }
    }

    private static void mutex() throws Exception {
        try (CuratorFramework first = curator(); CuratorFramework second = curator()) {
            InterProcessMutex held = new InterProcessMutex(first, "/mutex");
            InterProcessMutex wanted = new InterProcessMutex(second, "/mutex");
            equal(held.acquire(SECONDS, TimeUnit.SECONDS), true);
            equal(wanted.acquire(200, TimeUnit.MILLISECONDS), false);
            held.release();
            equal(wanted.acquire(SECONDS, TimeUnit.SECONDS), true);
            wanted.release();
        }
    }

    private static void leaderLatch() throws Exception {
        try (CuratorFramework first = curator(); CuratorFramework second = curator()) {
            LeaderLatch one = new LeaderLatch(first, "/latch", "one");
            LeaderLatch two = new LeaderLatch(second, "/latch", "two");
            one.start();
            equal(one.await(SECONDS, TimeUnit.SECONDS), true);
            two.start();
            until("two participants", () -> one.getParticipants().size() == 2);
            equal(two.hasLeadership(), false);
            one.close();
            equal(two.await(SECONDS, TimeUnit.SECONDS), true);
            equal(two.getLeader().getId(), "two");
            two.close();
        }
    }

    private static void atomicLong() throws Exception {
        try (CuratorFramework first = curator(); CuratorFramework second = curator()) {
            List<Thread> threads = new ArrayList<>();
            BlockingQueue<Boolean> outcomes = new LinkedBlockingQueue<>();
            for (CuratorFramework client : List.of(first, second)) {
                DistributedAtomicLong number = new DistributedAtomicLong(client, "/atomic", new RetryNTimes(100, 5));
                threads.add(new Thread(() -> addTwenty(number, outcomes)));
            }
            for (Thread thread : threads) {
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
            equal(outcomes.contains(false), false);
            equal(new DistributedAtomicLong(first, "/atomic", new RetryNTimes(1, 1)).get().postValue(), 40L);
        }
    }

    private static void addTwenty(DistributedAtomicLong number, BlockingQueue<Boolean> outcomes) {
        try {
            for (int turn = 0; turn < 20; turn++) {
                AtomicValue<Long> value = number.increment();
                outcomes.add(value.succeeded());
            }
        } catch (Exception fault) {
            outcomes.add(false);
        }
    }

    private static void cache() throws Exception {
        try (CuratorFramework client = curator(); CuratorCache cache = CuratorCache.build(client, "/cache")) {
            BlockingQueue<String> seen = new LinkedBlockingQueue<>();
            cache.listenable().addListener(CuratorCacheListener.builder()
                .forCreates(node -> seen.add("created " + node.getPath()))
                .forChanges((before, after) -> seen.add("changed " + text(after.getData())))
                .forDeletes(node -> seen.add("deleted " + node.getPath())).build());
            cache.start();
            client.create().forPath("/cache", bytes("0"));
            equal(seen.poll(SECONDS, TimeUnit.SECONDS), "created /cache");
            client.create().forPath("/cache/x", bytes("1"));
            equal(seen.poll(SECONDS, TimeUnit.SECONDS), "created /cache/x");
            client.setData().forPath("/cache/x", bytes("2"));
            equal(seen.poll(SECONDS, TimeUnit.SECONDS), "changed 2");
            client.delete().forPath("/cache/x");
            equal(seen.poll(SECONDS, TimeUnit.SECONDS), "deleted /cache/x");
        }
    }

    private static void persistentNode() throws Exception {
        try (CuratorFramework client = curator(); CuratorFramework other = curator();
             PersistentNode node = new PersistentNode(client, CreateMode.EPHEMERAL, false, "/pn", bytes("here"))) {
            node.start();
            equal(node.waitForInitialCreate(SECONDS, TimeUnit.SECONDS), true);
            other.delete().forPath("/pn");
            until("the node is made again", () -> other.checkExists().forPath("/pn") != null);
            node.setData(bytes("there"));
            until("its data follows", () -> text(other.getData().forPath("/pn")).equals("there"));
        }
    }

    // Across a restart -----------------------------------------------------------------------------------------------

    private static void sessionSurvivesRestart() throws Exception {
        try (Client client = new Client()) {
            long session = client.zk.getSessionId();
            create(client.zk, "/js", CreateMode.EPHEMERAL);
            client.zk.getData("/js", true, null);
            client.zk.addWatch("/jsr", AddWatchMode.PERSISTENT_RECURSIVE);
            restartServer();
            client.expect(EventType.None, null);
            client.expect(EventType.None, null);
            equal(client.zk.getState(), ZooKeeper.States.CONNECTED);
            equal(client.zk.getSessionId(), session);
            client.zk.setData("/js", bytes("after"), -1);
            client.expect(EventType.NodeDataChanged, "/js");
            create(client.zk, "/jsr", CreateMode.PERSISTENT);
            client.expect(EventType.NodeCreated, "/jsr");
            equal(client.zk.exists("/js", false).getEphemeralOwner(), session);
        }
    }

    private static void recipesSurviveRestart() throws Exception {
        try (CuratorFramework client = curator(); LeaderLatch latch = new LeaderLatch(client, "/rlatch", "me");
             PersistentNode node = new PersistentNode(client, CreateMode.EPHEMERAL, false, "/rpn", bytes("here"))) {
            BlockingQueue<ConnectionState> states = new LinkedBlockingQueue<>();
            client.getConnectionStateListenable().addListener((source, state) -> states.add(state));
            node.start();
            latch.start();
            equal(node.waitForInitialCreate(SECONDS, TimeUnit.SECONDS), true);
            equal(latch.await(SECONDS, TimeUnit.SECONDS), true);
            restartServer();
            until("reconnected", () -> states.contains(ConnectionState.RECONNECTED));
            until("the node is there", () -> client.checkExists().forPath("/rpn") != null);
            equal(latch.await(SECONDS, TimeUnit.SECONDS), true);
            InterProcessMutex mutex = new InterProcessMutex(client, "/rmutex");
            equal(mutex.acquire(SECONDS, TimeUnit.SECONDS), true);
            mutex.release();
        }
    }
}
