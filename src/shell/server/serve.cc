#include "shell/server/serve.h"

#include <fmt/format.h>
#include <sys/random.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <optional>

#include "shell/io/event_loop.h"
#include "shell/io/posix_disk.h"
#include "shell/node/node.h"
#include "shell/server/from_config.h"
#include "shell/server/logging.h"
#include "shell/server/loop_network.h"
#include "shell/server/surroundings.h"
#include "shell/server/system_clock.h"
#include "shell/server/worker.h"

namespace quorate::server {
namespace {

constexpr int kExitUnexpected = 1;
constexpr int kExitBadDirectory = 3;
constexpr int kExitLogFailed = 10;
constexpr int kExitNoElectionPort = 14;
constexpr Millis kElectionBindPause{1000};
// A lone write is synced in the loop when that takes less than two hand-overs to another thread.
constexpr int64_t kInlineSyncMicros = 200;
constexpr int64_t kLongestWaitMs = 1000;

tree::HashKey random_key() {
  tree::HashKey key;
  if (getrandom(&key, sizeof key, 0) != sizeof key) key = {0x5155'4F52'4154'4521, 0x6B65'7965'6421'2121};
  return key;
}

/// As Apache's begin: what operators look for first in a log. Spec: operations 7.2.
void print_start(const config::Settings& settings) {
  const config::EnsembleSettings& ensemble = settings.ensemble;
  log({Level::Info, "QuorumPeerMain", fmt::format("Starting quorum peer, myid={}", ensemble.my_id)});
  const std::pair<const char*, int64_t> values[] = {
      {"tickTime", settings.replica.tick.value},
      {"minSessionTimeout", settings.replica.timeouts.min_ms},
      {"maxSessionTimeout", settings.replica.timeouts.max_ms},
      {"initLimit", ensemble.init_limit},
      {"syncLimit", ensemble.sync_limit},
      {"connectToLearnerMasterLimit", ensemble.connect_limit},
  };
  for (const auto& [name, value] : values) log({Level::Info, "QuorumPeer", fmt::format("{} set to {}", name, value)});
}

class Server {
 public:
  Server(const config::Settings& settings, node::NodeSettings node_settings)
      : settings_(settings),
        node_settings_(std::move(node_settings)),
        network_(loop_, {.keep_alive = settings.ensemble.election_keep_alive}) {}

  int run() {
    if (const int code = start(); code != 0) return code;
    while (!stopping_ && !node_->failed()) round();
    return stop();
  }

 private:
  bool is_member() const { return node_settings_.ensemble.has_value(); }
  int listen();
  int await_election_port();
  bool can_bind_election_port();
  int start();
  Result<void> boot();
  void accept(std::unique_ptr<io::TcpStream> stream);
  void wake();
  void round();
  void work();
  Millis longest_wait() const;
  int stop();
  [[noreturn]] void leave_at_once();
  void print_lines();

  const config::Settings& settings_;
  node::NodeSettings node_settings_;
  SystemClock clock_;
  io::PosixDisk disk_;
  io::EventLoop loop_;
  LoopNetwork network_;
  std::unique_ptr<io::Listener> clients_;
  std::unique_ptr<node::Node> node_;
  bool stopping_ = false;
  bool awake_ = true;  ///< The node knows this round's time.
  std::optional<Worker> log_worker_;
  std::optional<Worker> background_worker_;
  std::optional<Worker> history_worker_;
};

/// Bound before the data is loaded, so that a port that is taken is known at once; connections wait in the kernel.
int Server::listen() {
  const config::ClientPortSettings& port = settings_.client_port;
  if (port.port <= 0) return 0;  // serves nobody, as Apache does
  io::ListenSettings listen;
  listen.address = port.address;
  listen.port = static_cast<uint16_t>(port.port);
  listen.backlog = port.backlog;
  listen.accepted.keep_alive = port.keep_alive;
  log({Level::Info, "NIOServerCnxnFactory", fmt::format("binding to port {}:{}", listen.address, listen.port)});
  auto bound = loop_.listen(listen);
  if (bound) {
    clients_ = std::move(*bound);
    return 0;
  }
  log({Level::Error, "QuorumPeerMain", "Unexpected exception, exiting abnormally: " + bound.error().detail});
  return kExitUnexpected;
}

bool Server::can_bind_election_port() {
  const config::EnsembleSettings& ensemble = *node_settings_.ensemble;
  for (const wire::PeerAddress& address : ensemble.me()->addresses) {
    const env::HostPort own{ensemble.listen_on_all ? "" : address.host, static_cast<uint16_t>(address.election_port)};
    const auto bound = network_.listen(own, [](auto) {});
    if (bound) continue;
    log({Level::Error, "QuorumCnxManager",
         fmt::format("Exception while listening to address {}:{}: {}", own.host, own.port, bound.error().detail)});
    return false;
  }
  return true;
}

/// A server that was just replaced may still have the port, and a name may not be known yet. Spec: quorum 1.5.
int Server::await_election_port() {
  for (const wire::PeerAddress& address : node_settings_.ensemble->me()->addresses) {
    if (!io::is_number(address.host)) network_.prepare_listener(address.host);
  }
  const int32_t most = node_settings_.ensemble->election_bind_retries;
  for (int32_t tries = 1; !can_bind_election_port(); ++tries) {
    if (most > 0 && tries >= most) {
      log({Level::Error, "QuorumCnxManager",
           fmt::format("As I'm leaving the listener thread, I won't be able to participate in leader election any "
                       "longer: the election port could not be bound in {} attempts",
                       tries)});
      return kExitNoElectionPort;
    }
    const Millis end = clock_.now().monotonic + kElectionBindPause;
    while (clock_.now().monotonic < end) loop_.run(end - clock_.now().monotonic);
  }
  return 0;
}

Result<void> Server::boot() {
  std::vector<LogLine> lines;
  auto booted = node::Node::boot({disk_, clock_, is_member() ? &network_ : nullptr}, node_settings_, lines);
  for (const LogLine& line : lines) log(line);
  if (!booted) return std::unexpected(std::move(booted.error()));
  node_ = std::move(*booted);
  node_->set_surroundings([this] { return read_surroundings(node_settings_); });
  return {};
}

int Server::start() {
  if (const int code = listen(); code != 0) return code;
  if (is_member()) {
    if (const int code = await_election_port(); code != 0) return code;
    history_worker_.emplace("history");
  }
  if (const auto booted = boot(); !booted) {
    log({Level::Error, "QuorumPeerMain", "Unable to start: " + booted.error().detail});
    return booted.error().fault == Fault::Invalid ? kExitBadDirectory : kExitUnexpected;
  }
  log_worker_.emplace("log");
  background_worker_.emplace("background");
  loop_.on_stop_signal([this] { stopping_ = true; });
  const auto refused = [](const std::string& why) {
    log({Level::Warn, "NIOServerCnxnFactory",
         fmt::format("Error accepting new connection: {}; it waits until there is room", why)});
  };
  if (clients_) clients_->accept([this](auto stream) { accept(std::move(stream)); }, refused);
  return 0;
}

void Server::accept(std::unique_ptr<io::TcpStream> stream) {
  wake();
  io::SocketName peer = stream->peer_name();
  io::TcpStream* tcp = stream.get();
  node::Client* client = node_->accept(std::move(stream), {std::move(peer.ip), std::move(peer.text), false});
  if (client == nullptr) return;
  tcp->watch([this, client] { wake(), node_->on_readable(*client); },
             [this, client] { wake(), node_->on_writable(*client); });
}

/// The wait may have been long: the first input of a round brings the node's time up to date.
void Server::wake() {
  if (!std::exchange(awake_, true)) node_->set_now();
}

void Server::round() {
  awake_ = false;
  loop_.run(longest_wait());
  node_->set_now();
  if (node_->now().monotonic >= node_->next_tick()) node_->on_tick();
  work();
}

void Server::work() {
  node_->flush();
  while (node_->begin_log()) {
    if (!node_->lone_write() || node_->log().typical_sync_micros() > kInlineSyncMicros) {
      log_worker_->run([this] { node_->log().perform(); },
                       [this] { loop_.post([this] { wake(), node_->on_log_done(); }); });
      break;
    }
    node_->log().perform();
    node_->set_now();
    node_->on_log_done();
    node_->flush();
  }
  if (node_->begin_background()) {
    background_worker_->run([this] { node_->background().perform(); },
                            [this] { loop_.post([this] { wake(), node_->on_background_done(); }); });
  }
  if (node_->begin_history()) {
    history_worker_->run([this] { node_->history().perform(); },
                         [this] { loop_.post([this] { wake(), node_->on_history_done(); }); });
  }
  print_lines();
}

Millis Server::longest_wait() const {
  if (node_->walking()) return Millis{0};
  const int64_t until_tick = (node_->next_tick() - clock_.now().monotonic).value;
  return Millis{std::clamp<int64_t>(until_tick, 1, kLongestWaitMs)};
}

int Server::stop() {
  clients_.reset();
  if (node_->log().busy() && node_->log().at_orders()) leave_at_once();
  // The workers' jobs end first; what they made durable is answered, then connections close. No snapshot is written and
  // no session is closed: they expire, or are renewed after the next start (disk 4.1).
  log_worker_.reset();
  background_worker_.reset();
  history_worker_.reset();
  if (node_->log().busy()) node_->on_log_done();
  node_->flush();
  print_lines();
  const int code = node_->failed() ? kExitLogFailed : 0;
  log({code == 0 ? Level::Info : Level::Error, "ServiceUtils",
       fmt::format("{} with code {}", code == 0 ? "Exiting normally" : "Exiting JVM", code)});
  return code;
}

/// The leader's whole tree is on its way to the disk, say: that may take long, and is begun anew at the next start
/// whenever it ends.
void Server::leave_at_once() {
  print_lines();
  log({Level::Info, "ServiceUtils", "Exiting normally with code 0"});
  stop_logging();
  std::_Exit(0);
}

void Server::print_lines() {
  for (const LogLine& line : node_->take_lines()) log(line);
}

}  // namespace

int serve(const config::LoadOutcome& loaded) {
  const config::EnsembleSettings& ensemble = loaded.settings.ensemble;
  start_logging({.myid = ensemble.my_id > 0 ? std::to_string(ensemble.my_id) : ""});
  for (const LogLine& line : loaded.lines) log(line);
  if (ensemble.distributed()) print_start(loaded.settings);
  Server server(loaded.settings, node_settings(loaded.settings, random_key()));
  const int code = server.run();
  stop_logging();
  return code;
}

}  // namespace quorate::server
