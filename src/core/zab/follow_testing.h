#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/zab/follow.h"
#include "core/zab/learner_packets_testing.h"

/// What the tests of a learner share: a disk, and a shell of a few lines around one Follow. The bench looks at each
/// packet as it leaves and judges it by what a crash at that moment would leave on disk.
namespace quorate::zab::follow_testing {

using Phase = FollowPhase;
using Texts = std::vector<std::string>;

constexpr FollowSettings kFollower{{1}, {9}};
constexpr FollowSettings kObserver{{1}, {9}, true};

/// What a crash leaves.
struct Disk {
  Epochs epochs;
  Zxid base;              ///< Of the newest snapshot.
  std::vector<Zxid> log;  ///< What is behind it.
  Zxid last() const { return log.empty() ? base : log.back(); }
};

class Bench {
 public:
  explicit Bench(FollowSettings settings = {{1}, {9}}, Epochs epochs = {1, 1}, Zxid last = zxid(1, 5))
      : disk{epochs, last == kInDoubt ? Zxid{} : last, {}},
        journal(disk.base, 0),
        follow(settings, epochs, last, journal, Millis{0}),
        observer_(settings.observer) {}

  /// Takes the outputs, and judges each promise by what is on disk now.
  void look() {
    ByteBuffer& packets = follow.out().packets;
    sent_bytes.append(packets.view());
    for (wire::Decoder in(packets.view()); !in.ended();) {
      wire::QuorumPacket left;
      ASSERT_TRUE(wire::decode(in, left));
      sent.push_back(text_of(left));
      page.push_back("> " + sent.back());
      judge(left);
    }
    packets.clear();
    for (const FollowEvent& event : follow.out().events) events.push_back(event);
    follow.out().events.clear();
  }

  // The leader.
  void receive(const Packet& given) { receive(given.view()); }
  void receive(const wire::QuorumPacket& given) {
    note(given);
    page.push_back("< " + text_of(given));
    follow.on_packet(given, now);
    look();
  }
  void receive(const std::vector<Packet>& all) {
    for (const Packet& each : all) receive(each);
  }
  void connect() {
    follow.on_connected(now);
    look();
  }

  // The shell.
  bool has_order() { return follow.out().disk.has_value() && at_log == nullptr; }
  void finish_order() {
    carry_out(*follow.out().disk);
    follow.on_disk_done(now);
    look();
  }
  bool can_log() const { return at_log == nullptr && follow.may_log() && journal.has_batch(); }
  void take_batch() { at_log = &journal.take_batch(); }
  void persist() {
    const std::string_view records = at_log->records.view();
    for (size_t offset = 0; offset < records.size();) write(Journal::zxid_of(wire::next_payload(records, offset)));
    page.push_back("    durable " + hex(at_log->last));
    at_log = nullptr;
    journal.on_persisted();
    follow.on_persisted(now);
    look();
  }
  bool can_apply() const { return journal.applied() < std::min(journal.committed(), journal.durable()); }
  void apply() {
    while (!journal.next_to_apply().empty()) continue;
    follow.on_persisted(now);
    look();
  }
  void receive_tree() {
    page.push_back("< the tree");
    follow.on_tree_received(now);
    look();
  }
  /// All that the shell can do by itself.
  void work() {
    for (;;) {
      if (has_order()) {
        finish_order();
      } else if (at_log != nullptr) {
        persist();
      } else if (can_apply()) {
        apply();
      } else if (can_log()) {
        take_batch();
      } else {
        return;
      }
    }
  }

  /// The conversation is over, or the server is: what a shell does before the next one. Memory and disk must agree
  /// then, or it must be said that they do not.
  void leave() {
    follow.on_closed("the test has ended");
    if (has_order()) finish_order();
    if (at_log != nullptr) persist();
    look();
    if (follow.must_reload()) return;
    journal.settle();
    while (!journal.next_to_apply().empty()) continue;
    EXPECT_EQ(journal.applied(), disk.last());
    EXPECT_EQ(journal.last_made(), disk.last());
  }

  /// What was sent since the last call.
  std::vector<std::string> take_sent() { return std::exchange(sent, {}); }

  Millis now{0};
  Disk disk;
  Journal journal;
  Follow follow;
  LogBatch* at_log = nullptr;
  std::vector<std::string> sent;
  std::string sent_bytes;
  std::vector<std::string> page;  ///< All that happened, one line each.
  std::vector<FollowEvent> events;

 private:
  void note(const wire::QuorumPacket& given) {
    if (given.kind() == PacketType::LeaderInfo) leader_epoch_ = given.zxid.epoch();
    const bool carries_txn = given.kind() == PacketType::Proposal || given.kind() == PacketType::Inform ||
                             given.kind() == PacketType::InformAndActivate;
    if (carries_txn && !new_leader_came_) history_end_ = given.zxid;
    if (given.kind() == PacketType::NewLeader) new_leader_came_ = true;
  }

  void judge(const wire::QuorumPacket& left) const {
    SCOPED_TRACE(text_of(left));
    if (left.kind() == PacketType::AckEpoch) {
      const int32_t epoch = wire::Decoder(left.data).i32();
      EXPECT_GE(disk.epochs.accepted, leader_epoch_);
      EXPECT_TRUE(observer_ || disk.epochs.accepted == leader_epoch_);
      EXPECT_TRUE(epoch == -1 || epoch == disk.epochs.current);
      EXPECT_TRUE(left.zxid == kInDoubt || left.zxid == disk.last());
    }
    if (left.kind() != PacketType::Ack) return;
    if (left.zxid.counter() != 0) {
      EXPECT_LE(left.zxid, disk.last());
      return;
    }
    EXPECT_EQ(left.zxid.epoch(), leader_epoch_);
    EXPECT_EQ(disk.epochs.current, leader_epoch_);
    EXPECT_GE(disk.last(), history_end_);
  }

  void write(Zxid at) {
    const bool continues = at.value == disk.last().value + 1 || (at.epoch() > disk.last().epoch() && at.counter() == 1);
    EXPECT_TRUE(continues || at == disk.last()) << hex(at) << " behind " << hex(disk.last());
    disk.log.push_back(at);
  }

  void carry_out(const DiskOrder& order) {
    EXPECT_EQ(at_log, nullptr);
    switch (order.kind) {
      case DiskOrder::Kind::AcceptedEpoch:
        disk.epochs.accepted = order.epoch;
        return page.push_back(fmt::format("    acceptedEpoch {}", order.epoch));
      case DiskOrder::Kind::CurrentEpoch:
        EXPECT_GE(disk.last(), history_end_) << "a crash now would claim a history that is not there";
        disk.epochs.current = order.epoch;
        return page.push_back(fmt::format("    currentEpoch {}", order.epoch));
      case DiskOrder::Kind::Truncate:
        disk.base = std::min(disk.base, order.zxid);
        std::erase_if(disk.log, [&](Zxid at) { return at > order.zxid; });
        return page.push_back("    truncate to " + hex(order.zxid));
      case DiskOrder::Kind::StoreSnapshot:
        disk.base = order.zxid;
        disk.log.clear();
        return page.push_back("    store snapshot " + hex(order.zxid));
    }
  }

  bool observer_;
  int64_t leader_epoch_ = 0;
  Zxid history_end_;
  bool new_leader_came_ = false;
};

/// A learner whose log ends at 1:5, just come to `phase` under a leader of epoch 2.
inline std::unique_ptr<Bench> learner_in(Phase phase, FollowSettings settings = kFollower) {
  auto bench = std::make_unique<Bench>(settings);
  const auto there = [&] { return bench->follow.phase() == phase; };
  if (there()) return bench;
  bench->connect();
  if (there()) return bench;
  bench->receive(leader_info());
  if (there()) return bench;
  bench->finish_order();
  if (there()) return bench;
  if (phase == Phase::Truncating) bench->receive(trunc(zxid(1, 4)));
  if (phase == Phase::ReceivingTree || phase == Phase::StoringTree) bench->receive(snap(zxid(2, 0)));
  if (phase == Phase::StoringTree) bench->receive_tree();
  if (there()) return bench;
  bench->receive(diff(zxid(1, 5)));
  if (there()) return bench;
  bench->receive({proposal(zxid(2, 1)), commit(zxid(2, 1)), new_leader()});
  if (there()) return bench;
  bench->take_batch();
  bench->persist();
  bench->apply();
  if (there()) return bench;
  bench->finish_order();
  if (there()) return bench;
  bench->receive(up_to_date());
  if (there()) return bench;
  bench->follow.on_closed("the leader went away");
  EXPECT_TRUE(there());
  return bench;
}

inline constexpr Phase kPhases[] = {Phase::Connecting,   Phase::Discovery,        Phase::PromisingEpoch,
                                    Phase::AwaitingSync, Phase::Truncating,       Phase::ReceivingTree,
                                    Phase::StoringTree,  Phase::CatchingUp,       Phase::MakingDurable,
                                    Phase::TakingEpoch,  Phase::AwaitingUpToDate, Phase::Broadcast,
                                    Phase::Over};

}  // namespace quorate::zab::follow_testing
