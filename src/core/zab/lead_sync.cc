#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/planted.h"
#include "core/zab/lead.h"
#include "core/zab/zxid_text.h"

/// From ACKEPOCH to UPTODATE: what a learner lacks, and its place in the live traffic.
namespace quorate::zab {

using wire::PacketType;

void Lead::begin_sync(Learner& learner) {
  SyncPlan plan = choose_sync(learner.last, journal_, settings_.sync);
  if (snapshot_next_.contains(learner.sid)) {
    plan = {SyncKind::Snap, {}, "our log does not reach back to it without a gap"};
  }
  if (must_wait(learner, plan.kind)) return await_turn(learner);
  learner.gets_tree = plan.kind == SyncKind::Snap;
  say(Level::Info, fmt::format("Synchronizing with Learner sid: {} maxCommittedLog={} minCommittedLog={} "
                               "lastProcessedZxid={} peerLastZxid={}",
                               learner.sid.value, hex(journal_.committed()), hex(journal_.base()),
                               hex(journal_.applied()), hex(learner.last)));
  switch (plan.kind) {
    case SyncKind::Diff:
      send_diff(learner);
      return join(learner, plan.from);
    case SyncKind::DiffFromDisk:
      return ask_history(learner, plan.from);
    case SyncKind::Trunc:
      say(Level::Info,
          fmt::format("Sending TRUNC zxid={} for peer sid: {}: {}", hex(plan.from), learner.sid.value, plan.why));
      send(learner, PacketType::Trunc, plan.from);
      return join(learner, plan.from);
    case SyncKind::Snap:
      return send_tree(learner, plan.why);
  }
}

/// Voters first, for without them nobody is served; then whoever has been here for longer.
void Lead::begin_syncs(LearnerPhase from) {
  for (const bool observer : {false, true}) {
    each_learner([&](Learner& learner) {
      if (learner.phase == from && learner.observer == observer) begin_sync(learner);
    });
  }
}

bool Lead::must_wait(const Learner& learner, SyncKind kind) const {
  const bool tree = kind == SyncKind::Snap;
  size_t trees_on_their_way = 0;
  size_t syncs_of_the_kind = 0;
  for (const auto& [link, other] : learners_) {
    const bool syncs = other->phase >= LearnerPhase::AwaitingDisk && other->phase <= LearnerPhase::Synchronising;
    if (other.get() == &learner || !syncs) continue;
    trees_on_their_way += other->phase == LearnerPhase::ReceivingTree ? 1 : 0;
    syncs_of_the_kind += other->gets_tree == tree ? 1 : 0;
  }
  if (tree && trees_on_their_way >= std::max<size_t>(settings_.sync.max_trees, 1)) return true;
  const size_t limit = tree ? settings_.sync.max_snap_syncs : settings_.sync.max_diff_syncs;
  return learner.observer && syncs_of_the_kind >= std::max<size_t>(limit, 1);
}

/// Longer than the one in front may be silent, so that this one is still here when the other is given up.
void Lead::await_turn(Learner& learner) {
  learner.phase = LearnerPhase::AwaitingTurn;
  give_time(learner, settings_.init_limit + settings_.sync_limit);
}

/// At the end of inputs, but not of propose() and on_persisted(): a tree that is promised here has to be captured
/// before anything more is applied. Turns that get free there are given by the next beat. The journal has moved on, so
/// each sync is chosen anew.
void Lead::give_turns() {
  if (phase_ == LeadPhase::Over || !std::exchange(turn_is_free_, false)) return;
  begin_syncs(LearnerPhase::AwaitingTurn);
}

void Lead::send_diff(Learner& learner) {
  const Zxid zxid = journal_.committed();
  say(Level::Info, fmt::format("Sending DIFF zxid={} for peer sid: {}", hex(zxid), learner.sid.value));
  send(learner, PacketType::Diff, zxid);
}

void Lead::ask_history(Learner& learner, Zxid after) {
  learner.phase = LearnerPhase::AwaitingDisk;
  learner.disk_until = journal_.base();
  learner.disk_at = after;
  out_.histories.push_back({.link = learner.link, .after = after, .until = learner.disk_until});
  expect(learner, settings_.init_limit);
}

void Lead::on_history(LinkId link, Zxid zxid, std::string_view payload, Millis now) {
  now_ = std::max(now_, now);
  Learner* learner = find(link);
  if (learner == nullptr || learner->phase != LearnerPhase::AwaitingDisk || zxid > learner->disk_until) return;
  const bool goes_on = follows(learner->disk_at, zxid) && joins_on(learner->disk_at, zxid, settings_.sync.epochs);
  if (!goes_on && !planted(Planted::HoleServed)) {
    no_history(*learner);
    return give_turns();
  }
  if (!learner->disk_began) send_diff(*learner);
  learner->disk_began = true;
  send(*learner, PacketType::Proposal, zxid, payload);
  send(*learner, PacketType::Commit, zxid);
  learner->disk_at = zxid;
  on_progress(*learner);
  drop_slow();
  give_turns();
}

/// The journal may have moved on while the log was read: then there is a little more to read.
void Lead::on_history_end(LinkId link, Millis now) {
  now_ = std::max(now_, now);
  Learner* learner = find(link);
  if (learner == nullptr || learner->phase != LearnerPhase::AwaitingDisk) return;
  if (learner->disk_at != learner->disk_until) {
    no_history(*learner);
    return give_turns();
  }
  if (journal_.base() > learner->disk_until) return ask_history(*learner, learner->disk_until);
  join(*learner, learner->disk_until);
}

void Lead::on_no_history(LinkId link, Millis now) {
  now_ = std::max(now_, now);
  Learner* learner = find(link);
  if (learner != nullptr && learner->phase == LearnerPhase::AwaitingDisk) no_history(*learner);
  give_turns();
}

/// Learners keep nothing of a sync that broke off before NEWLEADER, so it may begin anew with a SNAP.
void Lead::no_history(Learner& learner) {
  snapshot_next_.insert(learner.sid);
  log_has_gap_ = true;
  if (!learner.disk_began) return begin_sync(learner);
  drop(learner, fmt::format("our log has a gap behind zxid {}; next time it gets a snapshot", hex(learner.disk_at)));
}

void Lead::send_tree(Learner& learner, const char* why) {
  const Zxid tree = journal_.applied();
  say(Level::Info, fmt::format("Sending snapshot to learner sid: {}; last zxid of peer is {}, zxid of leader is {}: {}",
                               learner.sid.value, hex(learner.last), hex(tree), why));
  send(learner, PacketType::Snap, tree);
  snapshot_next_.erase(learner.sid);
  learner.phase = LearnerPhase::ReceivingTree;
  out_.trees.push_back(learner.link);
  join(learner, tree);
}

void Lead::on_tree_progress(LinkId link, Millis now) {
  now_ = std::max(now_, now);
  Learner* learner = find(link);
  if (learner != nullptr && learner->phase == LearnerPhase::ReceivingTree) on_progress(*learner);
}

void Lead::on_tree_sent(LinkId link, Millis now) {
  now_ = std::max(now_, now);
  Learner* learner = find(link);
  if (learner == nullptr || learner->phase != LearnerPhase::ReceivingTree) return;
  learner->phase = LearnerPhase::Synchronising;
  learner->out.append(learner->held.view());
  learner->held.release();
  mark_dirty(link);
  on_progress(*learner);
  turn_is_free_ = true;
  give_turns();
}

/// The rest of the history, and from this very moment the live traffic (rule 21). Before the leader is established
/// `committed` is the end of its log: all of that is what NEWLEADER commits.
void Lead::join(Learner& learner, Zxid from) {
  journal_.each_after(from, [&](Zxid zxid, std::string_view payload) {
    const bool committed = zxid <= journal_.committed() || planted(Planted::UncommittedSentAsHistory);
    // An observer gets the others by INFORM, everybody what is only made by propose().
    if (zxid > last_proposed_ || (!committed && learner.observer)) return;
    send(learner, PacketType::Proposal, zxid, payload);
    if (committed) send(learner, PacketType::Commit, zxid);
  });
  learner.forwarding = !planted(Planted::JoinsLiveLate);
  send(learner, PacketType::NewLeader, epoch_start(), settings_.config_text);
  learner.queue_limit = learner.out.size() + learner.held.size() + settings_.max_queued_bytes;
  if (learner.phase != LearnerPhase::ReceivingTree) learner.phase = LearnerPhase::Synchronising;
  expect(learner, settings_.init_limit);
}

/// Counts whenever it comes (rule 24); the second one of a learner says nothing new (rule 40).
void Lead::on_new_leader_ack(Learner& learner) {
  if (learner.phase != LearnerPhase::Synchronising) return;
  learner.phase = LearnerPhase::Synced;
  turn_is_free_ = true;
  if (planted(Planted::JoinsLiveLate)) learner.forwarding = true;
  expect_nothing(learner);
  new_leader_acks_ |= vote_of(learner);
  if (phase_ == LeadPhase::Broadcast) return go_live(learner);
  go_on();
}

void Lead::go_live(Learner& learner) {
  send(learner, PacketType::UpToDate, Zxid{-1});
  learner.phase = LearnerPhase::Live;
  learner.deadline_tick = tick_ + settings_.sync_limit;
  expect(learner, settings_.sync_limit);
}

}  // namespace quorate::zab
