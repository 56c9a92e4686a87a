#include <array>
#include <vector>

#include "core/session/session_table.h"
#include "memory_disk.h"
#include "peer.h"
#include "request_maker.h"

/// A whole node over a disk in memory, and up to three clients: requests, bytes, words, closes and reconnects between
/// rounds of the loop, steps of the clock, snapshots, and deaths of the process. Whatever clients send, the node runs
/// on, keeps their answers in order and its memory bounded, and a restart finds the tree that was there.
/// The first bytes pick the settings; then each byte is a step: 3 bits what, 2 bits which client, 3 bits how.
namespace quorate::fuzz {
namespace {

constexpr size_t kMostSteps = 300;
constexpr size_t kMostOutBytes = (4 << 20) + (2 << 20);

class FuzzClock : public env::Clock {
 public:
  int64_t ms = 1'795'000'000'000;
  Now now() const override { return {{ms - 1'794'000'000'000}, ms}; }
  int64_t micros() const override { return ms * 1000; }
};

node::NodeSettings settings_from(Input& input) {
  const uint8_t options = input.byte();
  const uint8_t more = input.byte();
  node::NodeSettings settings;
  settings.replica.tick = Millis{2000};
  settings.replica.timeouts = {4000, 40000};
  settings.replica.extended_types = (options & 1) != 0;
  settings.replica.emulate_353_ttl = (options & 2) != 0;
  settings.replica.enforce_quota = (options & 4) != 0;
  settings.replica.digest = (options & 8) == 0;
  settings.replica.close_session_txn = (options & 16) == 0;
  if ((options & 32) != 0) settings.replica.outstanding_limit = 2;
  if ((options & 64) != 0) settings.replica.request_throttle.max_requests = 2;
  if ((options & 128) != 0) settings.replica.request_throttle.throttled_op_wait_time = Millis{50};
  settings.replica.request_throttle.stale_latency_check = (more & 1) != 0;
  settings.replica.eager_acl_check = (more & 2) != 0;
  settings.replica.reconfig_enabled = (more & 4) != 0;
  settings.log.size_limit_bytes = (more & 8) != 0 ? 600 : 0;
  settings.log.preallocate_bytes = (more & 16) != 0 ? 8192 : 0;
  settings.snapshot.compression = (more & 32) != 0 ? storage::Compression::Snappy : storage::Compression::None;
  settings.snapshot.snap_count = (more & 64) != 0 ? 5 : 40;
  settings.snapshot.slice_bytes = 64;
  settings.purge.interval = Millis{(more & 128) != 0 ? 1000 : 0};
  settings.auth.super_digest = "super:gG7s8t3oDEtIqF6DM9LlI/R+9Ss=";
  settings.words.whitelist = {"*"};
  settings.log.directory = "d/version-2";
  settings.recovery.log_directory = settings.recovery.snapshot_directory = settings.log.directory;
  settings.recovery.data_directory = settings.recovery.data_log_directory = "d";
  settings.recovery.check_digest = settings.replica.digest;
  settings.recovery.hash_key = {1, 2};
  settings.recovery.tree_options = {settings.replica.extended_types, settings.replica.emulate_353_ttl};
  return settings;
}

std::string connect_request(SessionId session, uint8_t how) {
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  out.i32(0);
  wire::encode(out, wire::ConnectRequest{.protocol_version = 0,
                                         .last_zxid_seen = {},
                                         .time_out = how * 2000,
                                         .session_id = session,
                                         .passwd = session::password_of(session)});
  if (how % 2 == 0) out.boolean(false);  // else a client of before 3.4
  wire::store_be32(bytes.data(), static_cast<uint32_t>(bytes.size() - 4));
  return std::string(bytes.view());
}

class World {
 public:
  explicit World(Input& input) : input_(input), maker_(input), settings_(settings_from(input)) { boot(); }

  void run() {
    for (size_t steps = 0; !input_.empty() && steps < kMostSteps; ++steps) step(input_.byte());
    settle();
    all_clients_leave();
    restart_finds_the_same();
    everything_ends();
  }

 private:
  void boot();
  void step(uint8_t what);
  void talk(Peer& peer, uint8_t how);
  void speak_raw(Peer& peer, uint8_t how);
  void open_or_close(Peer& peer, uint8_t how);
  void set_window(Peer& peer, uint8_t how);
  void meddle(uint8_t how);
  void deliver(Peer& peer);
  void round(bool log_goes_on, bool background_goes_on);
  void work_on_disk(bool log_goes_on, bool background_goes_on);
  void drain(Peer& peer);
  void settle();
  void all_clients_leave();
  void restart_finds_the_same();
  void everything_ends();

  Input& input_;
  RequestMaker maker_;
  MemoryDisk disk_;
  FuzzClock clock_;
  node::NodeSettings settings_;
  std::unique_ptr<node::Node> node_;
  std::array<Peer, 3> peers_;
  std::vector<Peer> leaving_;  ///< Gone, which the node has yet to notice.
  bool log_begun_ = false;
  bool background_begun_ = false;
};

void World::boot() {
  node_.reset();
  for (Peer& peer : peers_) peer = {};
  leaving_.clear();
  log_begun_ = background_begun_ = false;
  clock_.ms += 1000;
  std::vector<LogLine> lines;
  auto booted = node::Node::boot({disk_, clock_}, settings_, lines);
  QUORATE_CHECK(booted.has_value());
  node_ = std::move(*booted);
}

void World::step(uint8_t what) {
  constexpr int64_t kPauses[] = {1, 60, 500, 2000, 5000, 20'000, 70'000, 3'600'000};
  Peer& peer = peers_[(what >> 3 & 3) % peers_.size()];
  const auto how = static_cast<uint8_t>(what >> 5);
  switch (what & 7) {
    case 0:
    case 1:
      return talk(peer, how);
    case 2:
      return round((how & 1) != 0, (how & 2) != 0);
    case 3:
      clock_.ms += kPauses[how];
      return round(true, true);
    case 4:
      return open_or_close(peer, how);
    case 5:
      return set_window(peer, how);
    case 6:
      return speak_raw(peer, how);
    default:
      return meddle(how);
  }
}

void World::talk(Peer& peer, uint8_t how) {
  if (!peer.open()) open_or_close(peer, 2);
  if (!peer.open()) return;
  std::string frames;
  for (int i = 0; i <= how / 2; ++i) frames += maker_.request(++peer.last_sent);
  const size_t cut = how % 2 == 0 ? 0 : std::min<size_t>(input_.byte(), frames.size());
  peer.send(std::string_view(frames).substr(0, frames.size() - cut));
  peer.held_back = frames.substr(frames.size() - cut);
  deliver(peer);
}

void World::speak_raw(Peer& peer, uint8_t how) {
  constexpr std::string_view kWords[] = {"ruok", "srvr", "stat", "mntr", "cons", "dump", "wchc", "wchp",
                                         "wchs", "conf", "envi", "hash", "srst", "crst", "gtmk", "isro"};
  if (!peer.open()) open_or_close(peer, 1);
  if (!peer.open()) return;
  if (how < 4) peer.frames_only = false;
  if (how < 2) peer.send(input_.piece());
  if (how >= 2 && how < 4) peer.send(kWords[input_.byte() % std::size(kWords)]);
  if (how >= 4) peer.send({});
  deliver(peer);
}

void World::open_or_close(Peer& peer, uint8_t how) {
  if (peer.open()) {
    peer.wire->client_gone = true;
    return deliver(peer);
  }
  const SessionId old = peer.session;
  if (peer.wire != nullptr && !peer.wire->server_gone) leaving_.push_back(peer);
  peer = {};
  peer.wire = std::make_shared<Wire>();
  node_->set_now();
  peer.client = node_->accept(std::make_unique<MemoryStream>(peer.wire), {"10.1.2.3", "/10.1.2.3:4711", false});
  if (peer.client == nullptr || how == 1) return;
  peer.frames_only = true;
  peer.send(connect_request(how >= 4 ? old : SessionId{0}, how));
  deliver(peer);
}

void World::set_window(Peer& peer, uint8_t how) {
  if (!peer.open()) return;
  peer.wire->window = how == 0 ? SIZE_MAX : size_t{input_.byte()} << (how - 1);
  node_->set_now();
  if (peer.wire->writable_wanted && peer.wire->window > 0) node_->on_writable(*peer.client);
}

void World::meddle(uint8_t how) {
  if (how < 4) node_->want_snapshot();
  if (how == 4) boot();  // the process is killed
}

void World::deliver(Peer& peer) {
  node_->set_now();
  Wire& wire = *peer.wire;
  if (wire.server_gone || !wire.readable_wanted || (wire.to_server.empty() && !wire.client_gone)) return;
  const size_t before = peer.client->connection->out.size();
  node_->on_readable(*peer.client);
  QUORATE_CHECK(peer.client->connection->out.size() <= before + kMostOutBytes);
}

void World::round(bool log_goes_on, bool background_goes_on) {
  ++clock_.ms;
  node_->set_now();
  std::erase_if(leaving_, [](const Peer& peer) { return peer.wire->server_gone; });
  for (Peer& peer : leaving_) deliver(peer);
  for (Peer& peer : peers_) {
    if (peer.wire != nullptr) deliver(peer);
  }
  if (node_->now().monotonic >= node_->next_tick()) node_->on_tick();
  node_->flush();
  work_on_disk(log_goes_on, background_goes_on);
  for (Peer& peer : peers_) peer.check_answers();
  node_->take_lines();
  QUORATE_CHECK(!node_->failed());
  QUORATE_CHECK(node_->replica().stats().digest_mismatches_count == 0);
}

void World::work_on_disk(bool log_goes_on, bool background_goes_on) {
  if (!log_begun_) log_begun_ = node_->begin_log();
  if (log_begun_ && log_goes_on) {
    node_->log().perform();
    node_->on_log_done();
    log_begun_ = false;
    node_->flush();
  }
  if (!background_begun_) background_begun_ = node_->begin_background();
  if (background_begun_ && background_goes_on) {
    node_->background().perform();
    node_->on_background_done();
    background_begun_ = false;
  }
}

void World::drain(Peer& peer) {
  if (peer.wire == nullptr) return;
  peer.wire->window = SIZE_MAX;
  if (!peer.wire->server_gone && peer.wire->writable_wanted) node_->on_writable(*peer.client);
}

/// Until nothing is under way.
void World::settle() {
  for (Peer& peer : peers_) drain(peer);
  // What is sent to somebody who has gone fails sooner or later; it never waits for ever.
  for (Peer& peer : leaving_) drain(peer);
  const auto busy = [this] {
    return log_begun_ || background_begun_ || node_->replica().journal().has_batch() || node_->walking() ||
           node_->background().has_work() || node_->background().snapshotting();
  };
  int rounds = 0;
  do {
    round(true, true);
    QUORATE_CHECK(++rounds < 100'000);
  } while (busy());
}

/// What was kept for them goes with them.
void World::all_clients_leave() {
  for (Peer& peer : peers_) {
    if (peer.open()) open_or_close(peer, 0);
  }
  settle();
  QUORATE_CHECK(node_->client_count() == 0 && node_->replica().watches().empty());
  QUORATE_CHECK(node_->replica().connections().empty());
}

void World::restart_finds_the_same() {
  const uint64_t digest = node_->replica().tree().digest();
  const size_t nodes = node_->replica().tree().node_count();
  const Zxid zxid = node_->replica().tree().last_zxid();
  const auto sessions = node_->replica().sessions().all();
  boot();
  QUORATE_CHECK(node_->replica().tree().digest() == digest);
  QUORATE_CHECK(node_->replica().tree().node_count() == nodes);
  QUORATE_CHECK(node_->replica().tree().last_zxid() == zxid);
  QUORATE_CHECK(node_->replica().sessions().all() == sessions);
}

/// Sessions without clients end, and what was theirs goes with them.
void World::everything_ends() {
  for (int i = 0; i < 3; ++i) {
    clock_.ms += 60'000;
    settle();
  }
  QUORATE_CHECK(node_->replica().sessions().all().empty());
  QUORATE_CHECK(node_->replica().session_table().size() == 0);
  QUORATE_CHECK(node_->replica().tree().ephemeral_count() == 0);
}

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  quorate::fuzz::Input input(data, size);
  quorate::fuzz::World(input).run();
  return 0;
}
