#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_buffer.h"
#include "base/ids.h"
#include "wire/quorum.h"

/// What servers say to each other on the election port. Spec: quorum 1.1, 1.3, 2.1.
namespace quorate::wire {

enum class PeerState : int32_t { Looking = 0, Following = 1, Leading = 2, Observing = 3 };

constexpr int32_t kMaxNotificationBytes = 512 << 10;
constexpr int32_t kNotificationVersion = 2;

struct Notification {
  int32_t state = 0;  ///< A PeerState, when in range; anything else is dropped by the receiver (quorum 2.1).
  int64_t leader = 0;
  Zxid zxid;
  int64_t round = 0;  ///< electionEpoch
  int64_t peer_epoch = 0;
  int32_t version = kNotificationVersion;
  std::string_view config;  ///< kAbsent: the sender is too old to send one.
};

/// A message without its length, in all the shapes that are in use: 28, 40, or 44 bytes and a config. False: to be
/// skipped, the connection lives on. Compat: 40 bytes are version 0, whatever they say, and bytes behind are ignored.
bool decode_notification(std::string_view message, Notification& notification);
/// Appends length and message. Requires: a version above 1 with its config; nobody needs the older shapes any more.
void append_notification(ByteBuffer& out, const Notification& notification);

struct HostPort {
  std::string host;  ///< Without brackets.
  int32_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// The dialer's first bytes.
struct ElectionHello {
  ServerId sid;
  std::vector<HostPort> addresses;  ///< Empty: the acceptor's own configuration counts. Wildcards are left out.
};

/// What V1 and V2 have room for.
constexpr int32_t kMaxHelloAddressBytes = 2048;

/// Cuts a hello off a stream: V1, V2, or the bare sid of before 3.5. Host names are not resolved. Spec: quorum 1.1.
PacketCut cut_hello(std::string_view stream, ElectionHello& hello);
/// V1 with one address, V2 with several. Requires: at least one; behind it, those that do not fit are left out.
/// To be sent in one piece: Apache's acceptor reads the addresses with a single call.
void append_hello(ByteBuffer& out, const ElectionHello& hello);

/// Cuts length and message off a stream in constant time; a length out of range is Malformed. Spec: quorum 1.3.
PacketCut cut_message(std::string_view stream, std::string_view& message);

}  // namespace quorate::wire
