#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/fabric.h"

/// For tests: a world that is a fabric only, and users of streams that take whatever comes.
namespace quorate::sim {

/// A user of one stream. Sends what is given to it as there is room.
class Talker {
 public:
  explicit Talker(SimStreamPtr stream) : stream_(std::move(stream)), number_(stream_->number()) {
    stream_->watch([this] { receive(); }, [this] { push(); });
  }

  void say(std::string bytes) {
    said_ += bytes;
    to_send_ += bytes;
    push();
  }
  void hang_up() { end(); }
  void reset() { stream_->reset(); }
  void stop_reading() { stream_->want_readable(false); }
  void go_on_reading() { stream_->want_readable(true); }

  uint32_t number() const { return number_; }
  const std::string& said() const { return said_; }
  const std::string& heard() const { return heard_; }
  size_t unsent() const { return to_send_.size(); }
  /// Also when its process has ended, which nobody has told it.
  bool is_over() const { return over_ || !stream_->send({}); }
  SimStream& stream() { return *stream_; }

 private:
  void receive() {
    char bytes[1000];
    const auto count = stream_->receive(bytes);
    if (!count) return end();
    heard_.append(bytes, *count);
  }
  void push() {
    if (over_) return;
    const auto count = stream_->send(to_send_);
    if (!count) return end();
    to_send_.erase(0, *count);
    stream_->want_writable(!to_send_.empty());
  }
  void end() {
    over_ = true;
    stream_.reset();
  }

  SimStreamPtr stream_;
  uint32_t number_;
  std::string said_;
  std::string heard_;
  std::string to_send_;
  bool over_ = false;
};

/// Three hosts, each of them listening on port 1; all that is dialed or accepted talks.
struct FabricWorld {
  explicit FabricWorld(uint64_t seed = 1) : rng(seed) {
    for (const char* name : {"a", "b", "c"}) serve(fabric.add_host(name));
  }

  void serve(HostId host) {
    fabric.listen({host, 1},
                  [this](SimStreamPtr stream) { accepted.push_back(std::make_unique<Talker>(std::move(stream))); });
  }
  /// Returns where the outcome will be.
  size_t dial(HostId from, Address to, int64_t patience_us = 5'000'000) {
    const size_t place = dialed.size();
    dialed.emplace_back();
    failures.emplace_back();
    numbers.push_back(fabric.dial(from, to, patience_us, [this, place](auto outcome) {
      if (!outcome) {
        failures[place] = outcome.error();
      } else {
        dialed[place] = std::make_unique<Talker>(std::move(*outcome));
      }
    }));
    return place;
  }
  /// A connection from a to b, or between others: the ends of who dialed, and of who was. Nulls: none came to be.
  std::pair<Talker*, Talker*> connect(HostId from = 0, HostId to = 1) {
    const size_t place = dial(from, {to, 1});
    const size_t before = accepted.size();
    for (int turn = 0; turn < 50 && (dialed[place] == nullptr || accepted.size() == before); ++turn) run(100'000);
    if (dialed[place] == nullptr || accepted.size() == before) return {};
    return {dialed[place].get(), accepted.back().get()};
  }
  void cut_both(HostId one, HostId other, bool cut) {
    fabric.set_cut(one, other, cut);
    fabric.set_cut(other, one, cut);
  }
  void run(int64_t micros) { agenda.run_until(agenda.now() + micros); }

  Rng rng;
  Trace trace;
  SimClock clock;
  Agenda agenda{clock, trace};
  Fabric fabric{agenda, rng, trace};
  std::vector<std::unique_ptr<Talker>> accepted;
  std::vector<std::unique_ptr<Talker>> dialed;
  std::vector<std::optional<DialFailure>> failures;
  std::vector<uint32_t> numbers;
};

inline constexpr int64_t kSecond = 1'000'000;

}  // namespace quorate::sim
