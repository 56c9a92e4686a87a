#pragma once
#include <algorithm>
#include <memory>
#include <string>

#include "shell/env/stream.h"

/// A connection as its client sees it, and the stream that the node holds on it.
namespace quorate::fuzz {

/// Shared by the two ends; the server's may go first.
struct Wire {
  std::string to_server;
  std::string to_client;
  size_t window = SIZE_MAX;  ///< Bytes that the server may still send.
  bool client_gone = false;
  bool server_gone = false;
  bool readable_wanted = true;
  bool writable_wanted = false;
};

class MemoryStream : public env::Stream {
 public:
  explicit MemoryStream(std::shared_ptr<Wire> wire) : wire_(std::move(wire)) {}
  ~MemoryStream() override { wire_->server_gone = true; }

  Result<size_t> receive(std::span<char> into) override {
    if (wire_->to_server.empty() && wire_->client_gone) return fail(Fault::Closed, "");
    const size_t count = wire_->to_server.copy(into.data(), into.size());
    wire_->to_server.erase(0, count);
    return count;
  }
  Result<size_t> send(std::string_view bytes) override {
    if (wire_->client_gone) return fail(Fault::Closed, "");
    const size_t count = std::min(bytes.size(), wire_->window);
    wire_->window -= count;
    wire_->to_client.append(bytes.substr(0, count));
    return count;
  }
  void want_writable(bool wanted) override { wire_->writable_wanted = wanted; }
  void want_readable(bool wanted) override { wire_->readable_wanted = wanted; }
  void reset() override {}

 private:
  std::shared_ptr<Wire> wire_;
};

}  // namespace quorate::fuzz
