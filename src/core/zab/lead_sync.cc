#include <fmt/format.h>

#include <algorithm>

#include "core/zab/lead.h"
#include "core/zab/zxid_text.h"

/// From ACKEPOCH to UPTODATE: what a learner lacks, and its place in the live traffic.
namespace quorate::zab {

using wire::PacketType;

void Lead::begin_sync(Learner& learner) {
  SyncPlan plan = choose_sync(learner.last, journal_, settings_.sync);
  if (snapshot_next_.erase(learner.sid) > 0) plan = {SyncKind::Snap, {}, "our log has a gap"};
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
  if (!follows(learner->disk_at, zxid)) return no_history(*learner);
  if (!learner->disk_began) send_diff(*learner);
  learner->disk_began = true;
  send(*learner, PacketType::Proposal, zxid, payload);
  send(*learner, PacketType::Commit, zxid);
  learner->disk_at = zxid;
  on_progress(*learner);
  drop_slow();
}

/// The journal may have moved on while the log was read: then there is a little more to read.
void Lead::on_history_end(LinkId link, Millis now) {
  now_ = std::max(now_, now);
  Learner* learner = find(link);
  if (learner == nullptr || learner->phase != LearnerPhase::AwaitingDisk) return;
  if (learner->disk_at != learner->disk_until) return no_history(*learner);
  if (journal_.base() > learner->disk_until) return ask_history(*learner, learner->disk_until);
  join(*learner, learner->disk_until);
}

void Lead::on_no_history(LinkId link, Millis now) {
  now_ = std::max(now_, now);
  Learner* learner = find(link);
  if (learner != nullptr && learner->phase == LearnerPhase::AwaitingDisk) no_history(*learner);
}

/// Learners keep nothing of a sync that broke off before NEWLEADER, so it may begin anew with a SNAP.
void Lead::no_history(Learner& learner) {
  if (!learner.disk_began) return send_tree(learner, "our log does not reach back to it without a gap");
  snapshot_next_.insert(learner.sid);
  drop(learner, fmt::format("our log has a gap behind zxid {}; next time it gets a snapshot", hex(learner.disk_at)));
}

void Lead::send_tree(Learner& learner, const char* why) {
  const Zxid tree = journal_.applied();
  say(Level::Info, fmt::format("Sending snapshot to learner sid: {}; last zxid of peer is {}, zxid of leader is {}: {}",
                               learner.sid.value, hex(learner.last), hex(tree), why));
  send(learner, PacketType::Snap, tree);
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
}

/// The rest of the history, and from this very moment the live traffic (rule 21). Before the leader is established
/// `committed` is the end of its log: all of that is what NEWLEADER commits.
void Lead::join(Learner& learner, Zxid from) {
  journal_.each_after(from, [&](Zxid zxid, std::string_view payload) {
    const bool committed = zxid <= journal_.committed();
    // An observer gets the others by INFORM, everybody what is only made by propose().
    if (zxid > last_proposed_ || (!committed && learner.observer)) return;
    send(learner, PacketType::Proposal, zxid, payload);
    if (committed) send(learner, PacketType::Commit, zxid);
  });
  learner.forwarding = true;
  send(learner, PacketType::NewLeader, epoch_start(), settings_.config_text);
  learner.queue_limit = learner.out.size() + learner.held.size() + settings_.max_queued_bytes;
  if (learner.phase != LearnerPhase::ReceivingTree) learner.phase = LearnerPhase::Synchronising;
  expect(learner, settings_.init_limit);
}

/// Counts whenever it comes (rule 24); the second one of a learner says nothing new (rule 40).
void Lead::on_new_leader_ack(Learner& learner) {
  if (learner.phase != LearnerPhase::Synchronising) return;
  learner.phase = LearnerPhase::Synced;
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
