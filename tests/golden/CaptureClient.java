import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.AsyncCallback;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;

/**
 * Makes Apache's Java client send one request of each kind (capture_client.py records them). Arguments: the address of
 * the recorder and that of the server. Each line of input names a step; the answer is one line: "done", and what the
 * client read in the reply.
 */
public final class CaptureClient {
    private static final int SESSION_MS = 9000;
    private static final List<ACL> TWO_IDS = new ArrayList<>(List.of(
        new ACL(Perms.READ | Perms.WRITE, new Id("ip", "127.0.0.1/8")), new ACL(Perms.ALL, Ids.ANYONE_ID_UNSAFE)));
    private static final Map<String, Step> STEPS = new LinkedHashMap<>();
    private static final BlockingQueue<WatchedEvent> EVENTS = new LinkedBlockingQueue<>();
    private static final Watcher OWN_WATCHER = event -> { };
    private static String address;
    private static ZooKeeper zk;
    private static ZooKeeper other;

    private interface Step {
        Object run() throws Exception;
    }

    private CaptureClient() {
    }

    public static void main(String[] arguments) throws Exception {
        address = arguments[0];
        other = new ZooKeeper(arguments[1], 60000, event -> { });
        session();
        creations();
        reads();
        changes();
        multis();
        watches();
        refusals();
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String name = input.readLine(); name != null; name = input.readLine()) {
            System.out.println("done " + answer(STEPS.get(name)));
        }
        other.close();
    }

    private static String answer(Step step) throws Exception {
        try {
            return String.valueOf(step.run()).trim();
        } catch (KeeperException refused) {
            return "error " + refused.code().intValue();
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Waits for the state or event that is meant; others before it are dropped. */
    private static Object await(EventType type, KeeperState state) throws Exception {
        while (true) {
            WatchedEvent event = EVENTS.poll(30, TimeUnit.SECONDS);
            if (event == null) {
                throw new AssertionError("no " + type + " " + state);
            }
            if (event.getType() == type && event.getState() == state) {
                return event.getPath();
            }
        }
    }

    private static Object await(EventType type) throws Exception {
        return await(type, KeeperState.SyncConnected);
    }

    private static void session() {
        STEPS.put("connect", () -> {
            zk = new ZooKeeper(address, SESSION_MS, EVENTS::add);
            await(EventType.None);
            return zk.getSessionId();
        });
        STEPS.put("reconnected", () -> await(EventType.None));
        STEPS.put("connect-refused", () -> {
            BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();
            ZooKeeper stranger = new ZooKeeper(address, SESSION_MS, events::add, 0x1234567890L, bytes("a wrong password"));
            KeeperState state = events.poll(30, TimeUnit.SECONDS).getState();
            stranger.close();
            return state;
        });
        STEPS.put("auth", () -> {
            zk.addAuthInfo("digest", bytes("olga:secret"));
            return zk.exists("/", false) != null;
        });
        STEPS.put("auth-failed", () -> {
            BlockingQueue<WatchedEvent> events = new LinkedBlockingQueue<>();
            ZooKeeper stranger = new ZooKeeper(address, SESSION_MS, events::add);
            stranger.addAuthInfo("nosuch", bytes("credentials"));
            while (events.poll(30, TimeUnit.SECONDS).getState() != KeeperState.AuthFailed) {
            }
            stranger.close();
            return "AuthFailed";
        });
        STEPS.put("whoAmI", () -> zk.whoAmI().size());
        STEPS.put("closeSession", () -> {
            zk.close();
            return "";
        });
    }

    private static void creations() {
        STEPS.put("create", () -> zk.create("/g", bytes("one"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        STEPS.put("create-null-data", () -> zk.create("/g/null", null, TWO_IDS, CreateMode.PERSISTENT));
        STEPS.put("create-empty-data", () -> zk.create("/g/empty", new byte[0], Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT));
        STEPS.put("create-ephemeral", () -> zk.create("/g/\u00e9", bytes("\u0000\u00ff"), Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL));
        STEPS.put("create-refused", () -> zk.create("/g", bytes("two"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT));
        STEPS.put("create2", () -> {
            Stat stat = new Stat();
            zk.create("/g/seq-", bytes("2"), TWO_IDS, CreateMode.PERSISTENT_SEQUENTIAL, stat);
            return stat;
        });
        STEPS.put("createContainer", () -> {
            Stat stat = new Stat();
            zk.create("/g/container", null, Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER, stat);
            return stat;
        });
        STEPS.put("createTTL", () -> {
            Stat stat = new Stat();
            zk.create("/g/ttl", bytes("t"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, stat, 1234567890L);
            return stat;
        });
    }

    private static void reads() {
        STEPS.put("exists", () -> zk.exists("/g", false));
        STEPS.put("exists-refused", () -> zk.exists("/none", false));
        STEPS.put("getData", () -> {
            Stat stat = new Stat();
            zk.getData("/g", false, stat);
            return stat;
        });
        STEPS.put("getData-null", () -> zk.getData("/g/null", true, null) == null);
        STEPS.put("getData-empty", () -> zk.getData("/g/empty", false, null).length);
        STEPS.put("getACL", () -> {
            Stat stat = new Stat();
            zk.getACL("/g/null", stat);
            return stat;
        });
        STEPS.put("getChildren", () -> zk.getChildren("/g", false).size());
        STEPS.put("getChildren-none", () -> zk.getChildren("/g/ttl", false).size());
        STEPS.put("getChildren2", () -> {
            Stat stat = new Stat();
            zk.getChildren("/g", true, stat);
            return stat;
        });
        STEPS.put("getEphemerals", () -> zk.getEphemerals("/g").size());
        STEPS.put("getAllChildrenNumber", () -> zk.getAllChildrenNumber("/g"));
        STEPS.put("sync", () -> {
            BlockingQueue<String> answers = new LinkedBlockingQueue<>();
            zk.sync("/g", (AsyncCallback.VoidCallback) (code, path, context) -> answers.add(code + " " + path), null);
            return answers.poll(30, TimeUnit.SECONDS);
        });
    }

    private static void changes() {
        STEPS.put("setData", () -> zk.setData("/g", bytes("three"), 0));
        STEPS.put("setData-null", () -> zk.setData("/g", null, -1));
        STEPS.put("setACL", () -> zk.setACL("/g", TWO_IDS, -1));
        STEPS.put("delete", () -> {
            zk.delete("/g/empty", 0);
            return "";
        });
    }

    private static void multis() {
        STEPS.put("multi", () -> zk.multi(List.of(
            Op.create("/m", bytes("0"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
            Op.create("/m/c", null, Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER),
            Op.create("/m/t", new byte[0], TWO_IDS, CreateMode.PERSISTENT_WITH_TTL, 100000),
            Op.create("/m/s-", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL),
            Op.setData("/m", bytes("1"), 0),
            Op.check("/m", 1),
            Op.delete("/m/c", -1))).size());
        STEPS.put("multi-failed", () -> zk.multi(List.of(
            Op.delete("/m/t", -1), Op.check("/m", 9), Op.setData("/m", bytes("2"), -1))));
        STEPS.put("multiRead", () -> zk.multi(List.of(
            Op.getData("/m"), Op.getChildren("/m"), Op.getData("/none"))).size());
    }

    private static void watches() {
        STEPS.put("notification-created", () -> {
            zk.exists("/w", true);
            other.create("/w", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            return await(EventType.NodeCreated);
        });
        STEPS.put("notification-dataChanged", () -> {
            zk.getData("/w", true, null);
            other.setData("/w", bytes("1"), -1);
            return await(EventType.NodeDataChanged);
        });
        STEPS.put("notification-childrenChanged", () -> {
            zk.getChildren("/w", true);
            other.create("/w/x", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
            return await(EventType.NodeChildrenChanged);
        });
        STEPS.put("notification-deleted", () -> {
            zk.getData("/w/x", true, null);
            other.delete("/w/x", -1);
            return await(EventType.NodeDeleted);
        });
        STEPS.put("one-shot-watches", () -> {
            zk.exists("/none", true);
            zk.getData("/w", true, null);
            return zk.getChildren("/w", true).size();
        });
        STEPS.put("checkWatches", () -> {
            zk.getData("/m", OWN_WATCHER, null);
            zk.removeWatches("/m", OWN_WATCHER, WatcherType.Any, false);
            return "";
        });
        STEPS.put("removeWatches", () -> {
            zk.getData("/m", true, null);
            zk.removeAllWatches("/m", WatcherType.Data, false);
            return "";
        });
        STEPS.put("addWatch", () -> {
            zk.addWatch("/persistent", AddWatchMode.PERSISTENT);
            return "";
        });
        STEPS.put("addWatch-recursive", () -> {
            zk.addWatch("/recursive", AddWatchMode.PERSISTENT_RECURSIVE);
            return "";
        });
    }

    private static void refusals() {
        STEPS.put("reconfig-refused", () -> {
            try (ZooKeeperAdmin admin = new ZooKeeperAdmin(address, SESSION_MS, event -> { })) {
                return new String(admin.reconfigure("server.2=127.0.0.1:2:3:participant;4", "1", null, -1, null), StandardCharsets.UTF_8);
            }
        });
    }
}
