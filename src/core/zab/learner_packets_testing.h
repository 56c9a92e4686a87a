#pragma once
#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/zab/zxid_text.h"
#include "wire/codes.h"
#include "wire/quorum.h"
#include "wire/txn.h"

/// For tests of a learner: what a leader sends, and packets as text.
namespace quorate::zab::follow_testing {

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
inline Packet diff(Zxid at) { return packet(PacketType::Diff, at); }
inline Packet trunc(Zxid at) { return packet(PacketType::Trunc, at); }
inline Packet snap(Zxid at) { return packet(PacketType::Snap, at); }
inline Packet ping(Zxid at) { return packet(PacketType::Ping, at); }
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

/// A packet of that type as it would be right, if it came at the right time.
inline Packet plausible(PacketType type, Zxid next) {
  switch (type) {
    case PacketType::Proposal:
    case PacketType::Inform:
      return packet(type, next, txn(next));
    case PacketType::CommitAndActivate:
      return packet(type, next, int64_bytes(9));
    case PacketType::InformAndActivate:
      return packet(type, next, int64_bytes(9) + txn(next, wire::Op::Reconfig));
    case PacketType::LeaderInfo:
      return leader_info();
    case PacketType::NewLeader:
      return new_leader();
    case PacketType::Diff:
    case PacketType::Trunc:
    case PacketType::Snap:
      return packet(type, zxid(1, 5));
    case PacketType::Revalidate:
      return packet(type, {-1}, int64_bytes(77) + "\1");
    default:
      return packet(type, next);
  }
}

}  // namespace quorate::zab::follow_testing
