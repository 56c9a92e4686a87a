#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/byte_buffer.h"
#include "base/ids.h"
#include "wire/record.h"
#include "wire/vectors.h"

/// What leader and learners say to each other on the quorum port. Views point into the bytes they were decoded from.
/// Spec: quorum 3.1, 4.1, 4.4.
namespace quorate::wire {

enum class PacketType : int32_t {
  Request = 1,
  Proposal = 2,
  Ack = 3,
  Commit = 4,
  Ping = 5,
  Revalidate = 6,
  Sync = 7,
  Inform = 8,
  CommitAndActivate = 9,
  NewLeader = 10,
  FollowerInfo = 11,
  UpToDate = 12,
  Diff = 13,
  Trunc = 14,
  Snap = 15,
  ObserverInfo = 16,
  LeaderInfo = 17,
  AckEpoch = 18,
  InformAndActivate = 19,
};

constexpr int32_t kLearnerProtocol = 0x10000;
constexpr size_t kSmallestPacketBytes = 20;  ///< Neither data nor identities.

/// An identity of the client whose request is forwarded.
struct AuthItem {
  std::string_view scheme;
  std::string_view id;

  static void skip(Decoder& in) {
    in.view();
    in.view();
  }
  static AuthItem read(Decoder& in) {
    AuthItem item;
    item.scheme = in.view();
    item.id = in.view();
    return item;
  }
};
using AuthVector = VectorView<AuthItem>;

/// Not framed: its own lengths delimit it.
struct QuorumPacket {
  int32_t type = 0;
  Zxid zxid;
  std::string_view data;
  AuthVector auth;

  PacketType kind() const { return static_cast<PacketType>(type); }
  static void walk(auto& record, auto&& field) {
    field("type", record.type);
    field("zxid", record.zxid);
    field("data", record.data);
    field("authinfo", record.auth);
  }
};

/// Data of FOLLOWERINFO and OBSERVERINFO.
struct LearnerInfo {
  int64_t server_id = 0;
  int32_t protocol_version = kLearnerProtocol;
  int64_t config_version = 0;

  static void walk(auto& record, auto&& field) {
    field("serverid", record.server_id);
    field("protocolVersion", record.protocol_version);
    field("configVersion", record.config_version);
  }
};
/// Compat: shorter shapes of old learners are read too; what is missing is 0, also the protocol version.
/// False: fewer than 8 bytes, among them null; `info` is as it was.
bool decode_learner_info(std::string_view data, LearnerInfo& info);

/// First 16 bytes of REQUEST's data; the client's record follows.
struct ForwardedHeader {
  SessionId session;
  int32_t cxid = 0;
  int32_t op = 0;

  static void walk(auto& record, auto&& field) {
    field("sessionId", record.session);
    field("cxid", record.cxid);
    field("type", record.op);
  }
};

/// REVALIDATE of a learner, and each item of its PING.
struct SessionTimeout {
  SessionId session;
  int32_t timeout_ms = 0;

  static void walk(auto& record, auto&& field) {
    field("sessionId", record.session);
    field("timeout", record.timeout_ms);
  }
};

/// The leader's answer to REVALIDATE.
struct Revalidated {
  SessionId session;
  bool valid = false;

  static void walk(auto& record, auto&& field) {
    field("sessionId", record.session);
    field("valid", record.valid);
  }
};

enum class Cut : uint8_t { Incomplete, Whole, Malformed };

/// What a stream that may end anywhere begins with. What was to be decoded is set when it is Whole only.
struct PacketCut {
  Cut cut = Cut::Incomplete;
  size_t bytes = 0;   ///< Whole: so many of the stream were used.
  size_t needed = 0;  ///< Incomplete: with fewer bytes it cannot be whole; more than there are.
  std::string why;    ///< Malformed: the stream is of no use any more.

  // Incomplete, where the next call goes on: cut_packet's alone.
  size_t walked = 0;
  size_t strings_left = 0;

  static PacketCut incomplete(size_t needed) { return {.needed = needed, .why = {}}; }
  static PacketCut whole(size_t bytes) { return {.cut = Cut::Whole, .bytes = bytes, .why = {}}; }
  static PacketCut malformed(std::string why) { return {.cut = Cut::Malformed, .why = std::move(why)}; }
};

/// All identities of one packet together. Compat: Apache bounds each string only, and a client may gather as many
/// identities as it likes; without any bound one packet could take all memory.
constexpr size_t kMaxAuthBytes = 64 << 20;

/// Cuts the first packet off `stream`. Malformed as early as the bytes there allow: a length is judged before what it
/// announces arrives. `max_data_bytes` bounds the data and each string of the identities. Types are not judged.
/// `before` is what the last call said, if it was about the beginning of the same packet or about an earlier one.
/// Cost: constant for data of any size. Identities are walked string by string: each once in all with `before`, and
/// from the first again in each call without it; once more when the packet is whole. Spec: quorum 0, 3.1.
PacketCut cut_packet(std::string_view stream, size_t max_data_bytes, QuorumPacket& packet,
                     const PacketCut& before = {});

/// Appends a packet without identities; `data` kAbsent is null. With identities: encode() a QuorumPacket.
void append_packet(ByteBuffer& out, PacketType type, Zxid zxid, std::string_view data = kAbsent);

}  // namespace quorate::wire
