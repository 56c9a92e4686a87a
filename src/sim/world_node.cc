#include "shell/storage/directory.h"
#include "sim/state_check.h"
#include "sim/view_disk.h"
#include "sim/world.h"

/// The node's lives: boot, rounds of its loop, work on the disk, and how each life ends.
namespace quorate::sim {
namespace {

constexpr int kMostBoots = 40;

/// Reached a few times in a run at most, so that they are aimed at more often.
constexpr env::CrashPoint kRarePoints[] = {env::CrashPoint::LogCutTorn,   env::CrashPoint::LogCutTorn,
                                           env::CrashPoint::PurgeRemove,  env::CrashPoint::PurgeDirSync,
                                           env::CrashPoint::BootCleanTmp, env::CrashPoint::BootFirstSnapshot};

}  // namespace

void World::boot() {
  for (int attempt = 0; !verdict_.failed(); ++attempt) {
    if (attempt > kMostBoots) return verdict_.fail("the server never comes up");
    disk_.power_on();
    ++life_;
    ++counts_.restarts;
    tend_disk();
    if (plan_.max_restarts > 0) arm();
    if (plan_.wall_jumps && rng_.percent(30)) clock_.wall_base_ms += rng_.between(-7'200'000, 7'200'000);
    if (seeded_ && rng_.percent(plan_.damage_percent)) damage();
    const Started started = start();
    repair();
    if (started == Started::Up) return wake(0);
  }
}

/// One attempt. With damage on the disk the server may refuse, but it must not come up with another state.
World::Started World::start() {
  std::vector<LogLine> lines;
  auto booted = node::Node::boot({disk_, clock_}, plan_.settings, lines);
  for (const LogLine& line : lines) trace_.say("boot: {}", line.text);
  if (disk_.crashed()) {
    if (booted) booted->reset();
    repair();
    stop(!rng_.percent(plan_.kill_percent));
    return Started::Not;
  }
  if (!booted) {
    trace_.say("boot: {}", booted.error().detail);
    const bool may_refuse = disk_.error_given() || (damaged_file_ != nullptr && booted.error().fault == Fault::Corrupt);
    if (!may_refuse) verdict_.fail("the server refuses to start: {}", booted.error().detail);
    disk_.process_end();
    return Started::Not;
  }
  node_ = std::move(*booted);
  for (const LogLine& line : lines) {
    if (line.text.contains("Digests are not matching")) verdict_.fail("recovery: {}", line.text);
  }
  check_recovered();
  throttle_.emplace(plan_.settings.replica.connection_throttle, clock_.now().monotonic.value);
  connects_seen_ = refusals_seen_ = proposals_seen_ = 0;
  snapshots_seen_ = 0;
  log_done_ = background_done_ = false;
  round_due_ = false;
  return Started::Up;
}

/// Changes one bit of the newest snapshot or of some log, as a failing disk would.
void World::damage() {
  const storage::RecoverySettings& recovery = plan_.settings.recovery;
  const bool in_log = rng_.percent(50);
  const std::string& directory = in_log ? recovery.log_directory : recovery.snapshot_directory;
  ViewDisk view(disk_);
  auto listing = storage::list_directory(view, directory);
  if (!listing) return;
  std::vector<storage::NamedFile>& files = in_log ? listing->logs : listing->snapshots;
  std::erase_if(files, [](const storage::NamedFile& file) { return file.size == 0; });
  if (files.empty()) return;
  damaged_file_ = disk_.find(directory + "/" + (in_log ? rng_.pick(files) : files.back()).name);
  damaged_at_ = rng_.below(damaged_file_->content.bytes().size());
  damage_mask_ = static_cast<uint8_t>(1U << rng_.below(8));
  damaged_file_->content.flip(damaged_at_, damage_mask_);
  trace_.say("damage at {} of a {}", damaged_at_, in_log ? "log" : "snapshot");
}

void World::repair() {
  if (damaged_file_ == nullptr) return;
  if (damaged_at_ < damaged_file_->content.bytes().size()) damaged_file_->content.flip(damaged_at_, damage_mask_);
  damaged_file_.reset();
}

/// How this life will end, unless by its clients' leaving.
void World::arm() {
  --plan_.max_restarts;
  if (rng_.percent(plan_.crash_percent)) {
    const uint64_t draw = rng_.below(10);
    if (draw < 2) schedule(rng_.between(1000, int64_t{500'000} << rng_.below(4)), What::Stop, life_);
    // Behind a point that may never be reached there is always a call that will be.
    disk_.crash_at_call(1 + rng_.skewed(8) + (draw < 5 ? 0 : 50));
    if (draw >= 8) {
      disk_.crash_at_point(rng_.pick(kRarePoints), 1);
    } else if (draw >= 5) {
      disk_.crash_at_point(static_cast<env::CrashPoint>(rng_.below(env::kStandaloneCrashPoints)), 1 + rng_.skewed(5));
    }
  }
  if (rng_.percent(plan_.error_percent)) arm_error();
}

void World::arm_error() {
  using Kind = DiskFault::What;
  using Where = DiskFault::Where;
  constexpr DiskFault kFaults[] = {
      {Kind::ReadError, Where::Log, 0},       {Kind::ReadError, Where::Snapshot, 0}, {Kind::WriteError, Where::Log, 0},
      {Kind::WriteError, Where::Snapshot, 0}, {Kind::WriteError, Where::Filler, 0},  {Kind::SyncError, Where::Log, 0},
      {Kind::SyncError, Where::Snapshot, 0},  {Kind::SyncError, Where::Filler, 0},
  };
  if (rng_.percent(30)) return disk_.limit_growth(rng_.skewed(18));
  DiskFault fault = rng_.pick(kFaults);
  fault.countdown = 1 + rng_.skewed(6);
  disk_.inject(fault);
}

/// A full disk stays full over a restart, until somebody has seen to it.
void World::tend_disk() {
  if (!disk_.is_limited() || rng_.percent(50)) return;
  trace_.hit(Rare::SpaceAdded);
  rng_.percent(50) ? disk_.lift_limit() : disk_.limit_growth(rng_.skewed(18));
}

void World::check_recovered() {
  if (!seeded_) seed_model(node_->replica().tree(), history_.model);
  seeded_ = true;
  const int64_t zxid = node_->replica().tree().last_zxid().value;
  history_.recovered(zxid, clock_.micros());
  std::string wrong = compare_state(node_->replica().tree(), node_->replica().sessions(), history_.model, zxid);
  if (!wrong.empty()) verdict_.fail("the recovered tree is wrong: {}", wrong);
  if (verdict_.failed() || damaged_file_ != nullptr) return;
  wrong = check_logs(disk_, plan_.settings, history_);
  if (!wrong.empty()) verdict_.fail("after recovery: {}", wrong);
}

void World::stop(bool power_cut) {
  trace_.say("the server {}", power_cut ? "loses power" : "is gone");
  if (!disk_.crashed()) disk_.crash();
  network_.server_gone(power_cut, [this] { node_.reset(); });
  power_cut ? disk_.power_cut() : disk_.process_end();
  const std::string wrong = check_snapshots(disk_, plan_.settings);
  if (!wrong.empty()) verdict_.fail("after the crash: {}", wrong);
  ++life_;
}

void World::wake(int64_t delay) {
  const int64_t at = clock_.micros() + delay;
  if (round_due_ && round_at_ <= at) return;
  round_due_ = true;
  round_at_ = at;
  schedule_at(at, What::Round, life_);
}

void World::round() {
  round_due_ = false;
  if (plan_.wall_jumps && rng_.one_in(2000)) clock_.wall_base_ms += rng_.between(-5000, 5000);
  node_->set_now();
  take_inputs();
  if (node_->now().monotonic >= node_->next_tick()) node_->on_tick();
  node_->flush();
  note_prepared();
  check_links();
  if (node_->failed()) {
    if (!disk_.log_error_given() && !disk_.crashed()) verdict_.fail("the server stopped without an error of the log");
    stop(rng_.percent(30));
    return schedule(rng_.between(1000, 3'000'000), What::Round, life_);
  }
  start_disk_work();
  if (node_ == nullptr) return;
  check_lines();
  if (rng_.one_in(40)) check_tables();
  const bool more = node_->walking() || std::ranges::any_of(network_.links(), [](const auto& link) {
                      return link->node_client != nullptr && link->readable();
                    });
  const int64_t until_tick = (node_->next_tick() - clock_.now().monotonic).value * 1000;
  wake(more ? rng_.between(1, 60) : std::clamp<int64_t>(until_tick, 1000, 1'000'000));
}

void World::take_inputs() {
  const bool completions_first = rng_.percent(50);
  for (int turn = 0; turn < 2; ++turn) {
    if ((turn == 0) == completions_first) {
      if (std::exchange(log_done_, false)) finish_log();
      if (std::exchange(background_done_, false)) node_->on_background_done();
      continue;
    }
    for (const auto& link : network_.links()) {
      if (link->node_client == nullptr || !link->server_open) continue;
      if (link->readable()) {
        node_->on_readable(*link->node_client);
        note_connects();
      }
      if (std::exchange(link->window_opened, false)) node_->on_writable(*link->node_client);
    }
  }
}

/// Applies what the log holds, and only then judges what had been waiting.
void World::finish_log() {
  note_prepared();
  node_->on_log_done();
  note_prepared();
}

/// Txns judged since it was last called saw the tree as it is now: it is called before and behind every change.
void World::note_prepared() {
  for (; proposals_seen_ < node_->replica().stats().proposal_count; ++proposals_seen_) {
    history_.prepared(node_->replica().tree().last_zxid().value);
  }
}

void World::note_connects() {
  const replica::ServerStats& stats = node_->replica().stats();
  for (; connects_seen_ < stats.connection_request_count; ++connects_seen_) {
    const bool admitted = refusals_seen_ == stats.connection_drop_count;
    if (!admitted) {
      ++refusals_seen_;
      trace_.hit(Rare::ConnectionRefused);
    }
    throttle_->on_connect(admitted, node_->now().monotonic.value, verdict_);
  }
}

/// Whoever sends a frame that is too long is hung up on as soon as its length is seen. Spec: client 12.
void World::check_links() {
  for (const auto& link : network_.links()) {
    if (!link->server_open || link->node_client == nullptr || link->received_bytes < link->unreadable_from) continue;
    const node::Client& client = *link->node_client;
    if (client.connection->accepts_frames() && !client.held) {
      verdict_.fail("link {} is open behind a frame that is too long", link->id);
    }
  }
}

void World::start_disk_work() {
  while (node_->begin_log()) {
    if (!node_->lone_write() || rng_.percent(70)) {
      schedule(disk_delay(), What::LogPerform, life_);
      break;
    }
    node_->log().perform();
    if (disk_.crashed()) return after_disk_work();
    node_->set_now();
    finish_log();
    node_->flush();
    note_prepared();
  }
  if (node_->begin_background()) schedule(disk_delay(), What::BackPerform, life_);
}

int64_t World::disk_delay() {
  const int64_t usual = rng_.between(plan_.sync_us / 2, plan_.sync_us * 2);
  return rng_.one_in(40) ? usual * 50 : usual;
}

void World::after_disk_work() {
  if (!disk_.crashed()) return;
  stop(!rng_.percent(plan_.kill_percent));
  schedule(rng_.between(1000, 5'000'000), What::Round, life_);
}

void World::check_lines() {
  for (const LogLine& line : node_->take_lines()) {
    trace_.say("server: {}", line.text);
    if (line.text.starts_with("Refusing session")) verdict_.fail("a client was refused: {}", line.text);
  }
  if (node_->background().snapshots_taken() <= snapshots_seen_) return;
  snapshots_seen_ = node_->background().snapshots_taken();
  ++counts_.snapshots;
  const std::string wrong = check_snapshot(disk_, plan_.settings, node_->background().last_zxid(), history_.model);
  if (!wrong.empty()) verdict_.fail("snapshot: {}", wrong);
}

}  // namespace quorate::sim
