#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/zab/follow.h"
#include "core/zab/zxid_text.h"
#include "wire/codes.h"
#include "wire/txn.h"

/// What the tests of a learner share: a leader's packets, a disk, and a shell of a few lines around one Follow. The
/// bench looks at each packet as it leaves and judges it by what a crash at that moment would leave on disk.
namespace quorate::zab::testing {

using wire::PacketType;

constexpr int64_t kEpoch = 2;  ///< Of the leader, where a test names no other.
constexpr Zxid zxid(int64_t epoch, int64_t counter) { return {(epoch << 32) | counter}; }

/// A txn of that type; a reconfig's text is `text`.
inline std::string txn(Zxid at, wire::Op type = wire::Op::SetData, std::string_view text = "x") {
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  wire::TxnHeader header;
  header.zxid = at;
  header.type = static_cast<int32_t>(type);
  wire::encode(out, header);
  wire::encode(out, wire::SetDataTxn{"/zookeeper/config", text, -1});
  return std::string(bytes.view());
}

inline std::string int64_bytes(int64_t value) {
  ByteBuffer bytes;
  wire::Encoder(bytes).i64(value);
  return std::string(bytes.view());
}

/// A packet that owns its data.
struct Packet {
  int32_t type = 0;
  Zxid zxid;
  std::optional<std::string> data{};

  wire::QuorumPacket view() const {
    wire::QuorumPacket packet;
    packet.type = type;
    packet.zxid = zxid;
    if (data) packet.data = *data;
    return packet;
  }
};

inline Packet packet(PacketType type, Zxid at, std::optional<std::string> data = {}) {
  return {static_cast<int32_t>(type), at, std::move(data)};
}
inline Packet leader_info(int64_t epoch = kEpoch) {
  return packet(PacketType::LeaderInfo, zxid(epoch, 0), std::string("\0\1\0\0", 4));
}
inline Packet proposal(Zxid at, wire::Op type = wire::Op::SetData) {
  return packet(PacketType::Proposal, at, txn(at, type));
}
inline Packet inform(Zxid at) { return packet(PacketType::Inform, at, txn(at)); }
inline Packet commit(Zxid at) { return packet(PacketType::Commit, at); }
inline Packet new_leader(int64_t epoch = kEpoch) { return packet(PacketType::NewLeader, zxid(epoch, 0), "version=0"); }
inline Packet up_to_date() { return packet(PacketType::UpToDate, {-1}); }

inline std::string name_of(int32_t type) {
  static const std::vector<std::string> kNames = {
      "",          "REQUEST",      "PROPOSAL",   "ACK",      "COMMIT",
      "PING",      "REVALIDATE",   "SYNC",       "INFORM",   "COMMITANDACTIVATE",
      "NEWLEADER", "FOLLOWERINFO", "UPTODATE",   "DIFF",     "TRUNC",
      "SNAP",      "OBSERVERINFO", "LEADERINFO", "ACKEPOCH", "INFORMANDACTIVATE"};
  return type > 0 && type < 20 ? kNames[static_cast<size_t>(type)] : fmt::format("type {}", type);
}

inline std::string text_of(const wire::QuorumPacket& packet) {
  std::string text = name_of(packet.type) + " " + hex(packet.zxid);
  if (packet.kind() == PacketType::AckEpoch) text += fmt::format(" epoch {}", wire::Decoder(packet.data).i32());
  return text;
}

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
        follow(settings, epochs, last, journal, Millis{0}) {}

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
      EXPECT_EQ(disk.epochs.accepted, leader_epoch_);
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

  int64_t leader_epoch_ = 0;
  Zxid history_end_;
  bool new_leader_came_ = false;
};

}  // namespace quorate::zab::testing
