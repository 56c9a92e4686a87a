#pragma once
#include <memory>
#include <optional>
#include <string>

#include "base/check.h"
#include "memory_stream.h"
#include "shell/node/node.h"
#include "wire/client.h"

/// One client of a fuzzed node: its end of the wire, and what it may expect of the answers.
namespace quorate::fuzz {

struct Peer {
  std::shared_ptr<Wire> wire;
  node::Client* client = nullptr;  ///< Dead once wire->server_gone.
  std::string held_back;           ///< The end of a frame that has not arrived yet.
  bool frames_only = false;        ///< Nothing but whole requests with rising xids was sent: answers can be checked.
  bool greeted = false;            ///< The ConnectResponse has come.
  SessionId session;
  int32_t last_sent = 0;
  int32_t last_answered = 0;

  bool open() const { return wire != nullptr && !wire->server_gone && !wire->client_gone; }

  void send(std::string_view bytes) {
    wire->to_server += held_back;
    held_back.clear();
    wire->to_server += bytes;
  }

  /// Takes whole frames off the wire and holds them against the rules of the protocol.
  void check_answers() {
    if (wire == nullptr || !frames_only) return;
    std::string_view unread = wire->to_client;
    while (const auto frame = take_frame(unread)) check(*frame);
    wire->to_client.erase(0, wire->to_client.size() - unread.size());
  }

 private:
  static std::optional<std::string_view> take_frame(std::string_view& bytes) {
    if (bytes.size() < 4) return std::nullopt;
    const size_t length = wire::load_be32(bytes.data());
    QUORATE_CHECK(length <= 64 << 20);
    if (bytes.size() - 4 < length) return std::nullopt;
    const std::string_view frame = bytes.substr(4, length);
    bytes.remove_prefix(4 + length);
    return frame;
  }

  void check(std::string_view frame) {
    wire::Decoder in(frame);
    if (!greeted) {
      wire::ConnectResponse response;
      QUORATE_CHECK(wire::decode(in, response));
      greeted = true;
      session = response.session_id;
      return;
    }
    wire::ReplyHeader header;
    QUORATE_CHECK(wire::decode(in, header));
    QUORATE_CHECK(header.err == 0 || in.ended());
    if (header.xid <= 0) return;
    // Clients drop a connection whose answers are out of order.
    QUORATE_CHECK(header.xid > last_answered && header.xid <= last_sent);
    last_answered = header.xid;
  }
};

}  // namespace quorate::fuzz
