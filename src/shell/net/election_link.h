#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_buffer.h"
#include "base/ids.h"
#include "base/result.h"
#include "shell/env/stream.h"
#include "shell/net/unread.h"
#include "wire/election.h"

/// One connection of the election port, as the port keeps it: who dialed, how far it got, and its bytes. An idle one
/// holds none. Loop thread. Spec: quorum 1.1, 1.3.
namespace quorate::net {

/// One connection of the election port, as this process counts them; never reused.
using ElectionLinkId = Id<struct ElectionLinkIdTag, uint64_t>;

class ElectionLink {
 public:
  enum class Stage : uint8_t {
    AwaitingHello,  ///< Accepted; who dialed is not known.
    Challenging,    ///< Our hello leaves, then it is closed: the peer's sid is larger, it calls back.
    Open,
  };

  ElectionLink(std::unique_ptr<env::Stream> stream, std::string peer)
      : stream_(std::move(stream)), peer_(std::move(peer)) {}

  Stage stage = Stage::AwaitingHello;
  ServerId sid;                    ///< Not while AwaitingHello.
  std::optional<Millis> deadline;  ///< A hello must have come, or gone, by then.

  /// Receives once, while a hello is awaited no more than one needs. Errors: Closed, Io.
  Result<size_t> receive();
  /// The dialer's hello, once it is whole. Malformed with the reason, also for what other protocols begin with.
  wire::PacketCut take_hello(wire::ElectionHello& hello);
  /// The next whole message; its view is valid until receive() or settle(). Malformed with the reason.
  wire::PacketCut take_message(std::string_view& message);
  void settle();
  /// What came in is of no use.
  void discard();

  /// What is being sent: a hello or one message.
  ByteBuffer& out() { return out_; }
  /// True when nothing is left; else the stream says when to go on. Errors: Closed, Io.
  Result<bool> flush();

  /// Something of out() has not left.
  bool sends() const { return !out_.empty(); }

  const std::string& peer() const { return peer_; }  ///< As a line names it: "/10.0.0.7:41234".
  size_t unread_bytes() const { return unread_.size(); }

 private:
  std::unique_ptr<env::Stream> stream_;
  std::string peer_;
  Unread unread_;
  ByteBuffer out_;
  bool first_ = true;  ///< No message was taken yet.
  bool writable_wanted_ = false;
};

}  // namespace quorate::net
