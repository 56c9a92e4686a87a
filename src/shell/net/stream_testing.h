#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shell/env/stream.h"

/// For tests: a stream in memory, and the other side's view of it, which outlives the stream.
namespace quorate::net {

struct Line {
  std::string incoming;  ///< Towards the stream.
  size_t taken = 0;      ///< Of incoming.
  std::string outgoing;
  std::vector<size_t> writes;  ///< How many bytes each send took.
  size_t piece = SIZE_MAX;     ///< One receive gives at most so many.
  size_t window = SIZE_MAX;    ///< So many bytes may still be sent.
  bool ended = false;          ///< The other side has closed.
  bool gone = false;           ///< The stream was destroyed.
  bool readable_wanted = true;
  bool writable_wanted = false;

  bool readable() const { return !gone && readable_wanted && (taken < incoming.size() || ended); }
};

class LineStream : public env::Stream {
 public:
  explicit LineStream(std::shared_ptr<Line> line) : line_(std::move(line)) {}
  ~LineStream() override { line_->gone = true; }

  Result<size_t> receive(std::span<char> into) override {
    const size_t n = std::min({into.size(), line_->piece, line_->incoming.size() - line_->taken});
    if (n == 0 && line_->ended) return fail(Fault::Closed, "the other side closed the connection");
    std::copy_n(line_->incoming.data() + line_->taken, n, into.data());
    line_->taken += n;
    return n;
  }
  Result<size_t> send(std::string_view bytes) override {
    if (line_->ended) return fail(Fault::Closed, "Broken pipe");
    const size_t n = std::min(bytes.size(), line_->window);
    if (line_->window != SIZE_MAX) line_->window -= n;
    line_->outgoing.append(bytes.substr(0, n));
    line_->writes.push_back(n);
    return n;
  }
  void want_writable(bool wanted) override { line_->writable_wanted = wanted; }
  void want_readable(bool wanted) override { line_->readable_wanted = wanted; }
  void reset() override {}

 private:
  std::shared_ptr<Line> line_;
};

}  // namespace quorate::net
