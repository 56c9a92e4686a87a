#include <algorithm>
#include <utility>

#include "sim/ensemble_server.h"

/// Rounds of a server's loop, and the work of its actors on the disk beside them.
namespace quorate::sim {
namespace {

constexpr int64_t kLongestSleep = 1'000'000;

}  // namespace

void EnsembleServer::later(int64_t delay_us, std::function<void()> act) {
  world_.agenda.in(delay_us, [this, life = life_, act = std::move(act)] {
    if (life != life_) return;
    world_.fabric.when_running(host_, [this, life, act] {
      if (life == life_) act();
    });
  });
}

void EnsembleServer::wake(int64_t delay_us) {
  const int64_t at = world_.agenda.now() + delay_us;
  if (round_at_ >= 0 && round_at_ <= at) return;
  round_at_ = at;
  later(delay_us, [this, at] {
    if (round_at_ == at) round();
  });
}

/// The node has had an input: its loop turns soon.
void EnsembleServer::after_input() {
  if (node_ == nullptr) return;
  world_.record.observe(id_, *node_);
  wake(world_.rng.between(0, 30));
}

void EnsembleServer::round() {
  round_at_ = -1;
  node_->set_now();
  finish_work();
  if (node_->now().monotonic >= node_->next_tick()) node_->on_tick();
  node_->flush();
  world_.record.observe(id_, *node_);
  collect_lines();
  if (node_->failed()) {
    world_.record.hit(EnsembleEvent::DiskErrorStopped);
    if (!disk_.error_given() && !disk_.crashed()) world_.verdict.fail("server {} stopped without a disk error", id_);
    return stop(world_.rng.percent(30), world_.rng.between(1000, 3'000'000));
  }
  start_work();
  if (node_ == nullptr) return;
  collect_lines();
  const int64_t ms = std::min((node_->next_tick() - clock_.now().monotonic).value, kLongestSleep / 1000);
  const int64_t until_tick = clock_.world_micros(ms * 1000);
  wake(node_->walking() ? world_.rng.between(1, 60) : std::clamp<int64_t>(until_tick, 1000, kLongestSleep));
}

void EnsembleServer::finish_work() {
  if (std::exchange(log_done_, false)) node_->on_log_done();
  if (std::exchange(background_done_, false)) node_->on_background_done();
  if (std::exchange(history_done_, false)) node_->on_history_done();
}

void EnsembleServer::start_work() {
  while (node_->begin_log()) {
    if (!node_->lone_write() || slow_disk_us_ > 0 || world_.rng.percent(70)) {
      schedule_work(log_done_, &EnsembleServer::perform_log);
      break;
    }
    if (!do_lone_write()) return;
  }
  if (node_->begin_background()) schedule_work(background_done_, &EnsembleServer::perform_background);
  if (node_->begin_history()) schedule_work(history_done_, &EnsembleServer::perform_history);
}

/// On the loop itself. False: the server did not survive it.
bool EnsembleServer::do_lone_write() {
  node_->log().perform();
  if (disk_.crashed()) {
    crash_met();
    return false;
  }
  node_->set_now();
  node_->on_log_done();
  node_->flush();
  world_.record.observe(id_, *node_);
  return true;
}

void EnsembleServer::schedule_work(bool& done, void (EnsembleServer::*perform)()) {
  later(disk_delay(), [this, &done, perform] {
    (this->*perform)();
    if (disk_.crashed()) return crash_met();
    later(world_.rng.between(0, 100), [this, &done] {
      done = true;
      wake(0);
    });
  });
}

void EnsembleServer::perform_log() { node_->log().perform(); }
void EnsembleServer::perform_background() { node_->background().perform(); }
void EnsembleServer::perform_history() { node_->history().perform(); }

int64_t EnsembleServer::disk_delay() {
  const int64_t usual = world_.rng.between(world_.plan.sync_us / 2, world_.plan.sync_us * 2);
  return std::max(slow_disk_us_, world_.rng.one_in(40) ? usual * 50 : usual);
}

void EnsembleServer::collect_lines() {
  for (const LogLine& line : node_->take_lines()) world_.record.line(id_, line);
  const int64_t taken = node_->background().snapshots_taken();
  snapshots_ += static_cast<uint64_t>(std::max<int64_t>(taken - snapshots_seen_, 0));
  snapshots_seen_ = std::max(snapshots_seen_, taken);
}

}  // namespace quorate::sim
