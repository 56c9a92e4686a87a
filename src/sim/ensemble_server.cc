#include "sim/ensemble_server.h"

#include <fmt/format.h>

#include <utility>

#include "shell/storage/directory.h"
#include "sim/start_directory.h"
#include "sim/view_disk.h"

namespace quorate::sim {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr uint64_t kMostStarts = 200;

/// Reached seldom, so that they are aimed at more often.
constexpr env::CrashPoint kRarePoints[] = {env::CrashPoint::LogCutTorn,
                                           env::CrashPoint::PurgeRemove,
                                           env::CrashPoint::BootCleanTmp,
                                           env::CrashPoint::NoteSync,
                                           env::CrashPoint::NoteGone,
                                           env::CrashPoint::ReplaceRename,
                                           env::CrashPoint::ReplaceDirSync,
                                           env::CrashPoint::ReplaceLogsSync,
                                           env::CrashPoint::PurgeDirSync,
                                           env::CrashPoint::NoteRename,
                                           env::CrashPoint::NoteDirSync,
                                           env::CrashPoint::NoteRemove,
                                           env::CrashPoint::TruncSnapshot,
                                           env::CrashPoint::TruncSnapshot,
                                           env::CrashPoint::TruncSnapshot,
                                           env::CrashPoint::TruncSnapshot,
                                           env::CrashPoint::TruncSnapshotsSync,
                                           env::CrashPoint::TruncLater,
                                           env::CrashPoint::TruncCut,
                                           env::CrashPoint::TruncSync,
                                           env::CrashPoint::TruncDirSync,
                                           env::CrashPoint::ReplaceWritten,
                                           env::CrashPoint::ReplaceLog,
                                           env::CrashPoint::ReplaceSnapshot,
                                           env::CrashPoint::ReplaceSnapshotsSync,
                                           env::CrashPoint::DoubtWrite,
                                           env::CrashPoint::DoubtSync,
                                           env::CrashPoint::DoubtRename,
                                           env::CrashPoint::DoubtDirSync,
                                           env::CrashPoint::DoubtRemove,
                                           env::CrashPoint::AsideDirectory,
                                           env::CrashPoint::AsideSnapshot,
                                           env::CrashPoint::AsideLog,
                                           env::CrashPoint::AsideSync,
                                           env::CrashPoint::AsideDirSync};

int64_t pace_of(const EnsemblePlan& plan, uint32_t server) {
  return plan.paces.empty() ? HostClock::kUsualPace : plan.paces[server - 1];
}

}  // namespace

/// The server's end of a client's connection. What the client is told first is the answer to its connect request.
class EnsembleServer::ClientStream final : public env::Stream {
 public:
  ClientStream(SimStreamPtr stream, EnsembleRecord& record, uint32_t server)
      : stream_(std::move(stream)), record_(record), server_(server) {}

  Result<size_t> receive(std::span<char> into) override {
    auto count = stream_->receive(into);
    if (!count || *count == 0) return count;
    if (asked_at_ == 0) asked_at_ = record_.contacts().now();
    const bool request = frames_.feed({into.data(), *count}) > 0;
    // While answers wait to be taken, what was read may wait, too.
    if (request && session_ != 0 && all_sent_ && is_current()) record_.contacts().heard(server_, session_);
    return count;
  }
  Result<size_t> send(std::string_view bytes) override {
    if (!std::exchange(answered_, true)) answer(bytes);
    auto count = stream_->send(bytes);
    all_sent_ = count && *count == bytes.size();
    return count;
  }
  void want_writable(bool wanted) override { stream_->want_writable(wanted); }
  void want_readable(bool wanted) override { stream_->want_readable(wanted); }
  void reset() override { stream_->reset(); }
  SimStream& inner() { return *stream_; }

 private:
  /// A connection that its session has left, or that an earlier role of the server let in, may be closing.
  bool is_current() const {
    EnsembleContacts& contacts = record_.contacts();
    return grant_ == contacts.grants(session_) && service_ == contacts.services(server_);
  }
  /// A ConnectResponse: length, version, timeout, session.
  void answer(std::string_view bytes) {
    record_.answers_connect(server_, stream_->number());
    constexpr size_t kTimeout = 8, kSession = 12, kEnd = 20;
    if (bytes.size() < kEnd || wire::load_be32(bytes.data() + kTimeout) == 0) return;
    session_ = static_cast<int64_t>(wire::load_be64(bytes.data() + kSession));
    const auto timeout_ms = static_cast<int32_t>(wire::load_be32(bytes.data() + kTimeout));
    record_.contacts().granted(server_, session_, timeout_ms, asked_at_);
    grant_ = record_.contacts().grants(session_);
    service_ = record_.contacts().services(server_);
  }

  SimStreamPtr stream_;
  EnsembleRecord& record_;
  uint32_t server_;
  bool answered_ = false;
  bool all_sent_ = true;
  uint32_t grant_ = 0;
  uint32_t service_ = 0;
  FrameCount frames_;
  int64_t asked_at_ = 0;
  int64_t session_ = 0;  ///< 0: none was given yet.
};

EnsembleServer::EnsembleServer(ServerWorld world, uint32_t id)
    : world_(world),
      id_(id),
      host_(host_of(id)),
      settings_(settings_of(world.plan, id, world.plan.members == 0 ? world.plan.servers : world.plan.members)),
      clock_(world.clock, pace_of(world.plan, id)),
      disk_(world.clock, world.rng, world.trace) {
  disk_.take_whole_pages(id % 2 == 1);
  disk_.on_log_bytes = [this](std::string_view bytes) { world_.record.logged(id_, bytes); };
  world_.record.contacts().set_pace(id_, pace_of(world_.plan, id_));
  if (world_.plan.start.value != 0) write_start(disk_, settings_, world_.plan.start);
}

EnsembleServer::~EnsembleServer() {
  if (node_ != nullptr) world_.fabric.end_process(host_);
}

void EnsembleServer::boot() {
  if (node_ != nullptr || world_.verdict.failed()) return;
  if (++starts_ > kMostStarts) return world_.verdict.fail("server {} never comes up", id_);
  if (std::exchange(off_, false)) world_.fabric.power_on(host_);
  disk_.power_on();
  ++life_;
  if (disk_.is_limited() && (calm_ || world_.rng.percent(50))) disk_.lift_limit();
  if (!calm_) disturb_files();
  if (!calm_) arm();
  if (!start()) return;
  listen();
  wake(0);
}

/// False: it does not come up this time.
bool EnsembleServer::start() {
  log_done_ = background_done_ = history_done_ = false;
  round_at_ = -1;
  network_ = std::make_unique<FabricNetwork>(world_.fabric, world_.agenda, host_, [this] { after_input(); });
  network_->watch_learners(kQuorumPort, world_.record.contacts());
  std::vector<LogLine> lines;
  auto booted = node::Node::boot({disk_, clock_, network_.get()}, settings_, lines);
  for (const LogLine& line : lines) world_.record.line(id_, line);
  if (disk_.crashed()) {
    world_.fabric.end_process(host_);
    if (booted) booted->reset();
    stop(!world_.rng.percent(world_.plan.kill_percent), world_.rng.between(1000, kSecond));
    return false;
  }
  if (!booted) {
    world_.trace.say("server {}: does not start: {}", id_, booted.error().detail);
    if (!disk_.error_given()) world_.verdict.fail("server {} refuses to start: {}", id_, booted.error().detail);
    stop(false, world_.rng.between(1000, kSecond));
    return false;
  }
  node_ = std::move(*booted);
  snapshots_seen_ = 0;
  world_.record.booted(id_, *node_);
  return true;
}

/// What others, or the disk itself, do to them between two lives.
void EnsembleServer::disturb_files() {
  if (world_.rng.percent(world_.plan.hasty_percent) && write_hasty_snapshot(disk_, settings_)) {
    world_.trace.say("server {}: another program took a snapshot", id_);
    world_.record.hit(EnsembleEvent::HastySnapshot);
  }
  if (world_.plan.damaged_server == id_ && world_.rng.percent(40)) damage_file();
}

/// Changes one bit of a log or of the newest snapshot.
void EnsembleServer::damage_file() {
  const bool in_log = world_.rng.percent(60);
  const std::string& directory = in_log ? settings_.recovery.log_directory : settings_.recovery.snapshot_directory;
  ViewDisk view(disk_);
  auto listing = storage::list_directory(view, directory);
  if (!listing) return;
  std::vector<storage::NamedFile>& files = in_log ? listing->logs : listing->snapshots;
  std::erase_if(files, [](const storage::NamedFile& file) { return file.size == 0; });
  if (files.empty()) return;
  const std::string name = (in_log ? world_.rng.pick(files) : files.back()).name;
  const SimFilePtr file = disk_.find(directory + "/" + name);
  file->content.flip(world_.rng.below(file->content.bytes().size()), static_cast<uint8_t>(1U << world_.rng.below(8)));
  world_.trace.say("server {}: damage in {}", id_, name);
  world_.record.hit(EnsembleEvent::FileDamaged);
}

/// How this life will end, unless by the plan.
void EnsembleServer::arm() {
  Rng& rng = world_.rng;
  if (rng.percent(world_.plan.rare_percent)) {
    disk_.crash_at_some(kRarePoints);
  } else if (rng.percent(world_.plan.crash_percent)) {
    // Behind a point that may never be reached there is always a call that will be.
    disk_.crash_at_call(1 + rng.skewed(9));
    if (rng.percent(50)) {
      disk_.crash_at_point(static_cast<env::CrashPoint>(rng.below(kCrashPoints)), 1 + rng.skewed(4));
    }
  }
  if (rng.percent(world_.plan.error_percent)) arm_error();
}

void EnsembleServer::arm_error() {
  using Kind = DiskFault::What;
  using Where = DiskFault::Where;
  constexpr DiskFault kFaults[] = {
      {Kind::ReadError, Where::Log, 0},       {Kind::ReadError, Where::Snapshot, 0},
      {Kind::WriteError, Where::Log, 0},      {Kind::SyncError, Where::Log, 0},
      {Kind::WriteError, Where::Snapshot, 0}, {Kind::SyncError, Where::Snapshot, 0},
      {Kind::SyncError, Where::Filler, 0},
  };
  if (world_.rng.percent(30)) {
    world_.record.hit(EnsembleEvent::DiskFullMet);
    return disk_.limit_growth(world_.rng.skewed(16));
  }
  DiskFault fault = world_.rng.pick(kFaults);
  fault.countdown = 1 + world_.rng.skewed(6);
  disk_.inject(fault);
}

void EnsembleServer::listen() {
  const bool listens =
      world_.fabric.listen({host_, kClientPort}, [this](SimStreamPtr stream) { accept(std::move(stream)); });
  if (!listens) world_.verdict.fail("server {} cannot listen", id_);
}

void EnsembleServer::accept(SimStreamPtr stream) {
  if (node_ == nullptr) return;
  const std::string ip = Fabric::ip_of(stream->peer());
  const replica::PeerAddress peer{ip, fmt::format("/{}:{}", ip, 40000 + stream->number()), false};
  auto own = std::make_unique<ClientStream>(std::move(stream), world_.record, id_);
  SimStream& inner = own->inner();
  node_->set_now();
  node::Client* client = node_->accept(std::move(own), peer);
  if (client != nullptr) {
    inner.watch(
        [this, client] {
          node_->set_now();
          node_->on_readable(*client);
          after_input();
        },
        [this, client] {
          node_->set_now();
          node_->on_writable(*client);
          after_input();
        });
  }
  after_input();
}

void EnsembleServer::kill(int64_t down_us) {
  if (node_ == nullptr) return;
  world_.record.hit(EnsembleEvent::ServerKilled);
  stop(false, down_us);
}

void EnsembleServer::lose_power(int64_t down_us) {
  if (off_) return;
  world_.record.hit(EnsembleEvent::PowerLost);
  stop(true, down_us);
}

void EnsembleServer::calm() {
  calm_ = true;
  disk_.calm();
  disk_.lift_limit();
}

void EnsembleServer::stop(bool power_cut, int64_t down_us) {
  world_.trace.say("server {}: {}", id_, power_cut ? "loses power" : "is gone");
  if (!disk_.crashed()) disk_.crash();
  power_cut ? world_.fabric.lose_power(host_) : world_.fabric.end_process(host_);
  off_ = off_ || power_cut;
  node_.reset();
  network_.reset();
  power_cut ? disk_.power_cut() : disk_.process_end();
  world_.record.gone(id_);
  ++life_;
  if (down_us >= 0) start_in(down_us);
}

/// The disk crashed the process that used it.
void EnsembleServer::crash_met() {
  const bool power_cut = !world_.rng.percent(world_.plan.kill_percent);
  world_.record.hit(power_cut ? EnsembleEvent::PowerLost : EnsembleEvent::ServerKilled);
  stop(power_cut, world_.rng.between(1000, 3 * kSecond));
}

void EnsembleServer::start_in(int64_t delay_us) {
  world_.agenda.in(delay_us, [this, life = life_] {
    if (life == life_) boot();
  });
}

}  // namespace quorate::sim
