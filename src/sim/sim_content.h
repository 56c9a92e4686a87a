#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/rng.h"

/// The bytes of one simulated file: what the page cache shows, what is durable, and the writes in between. A power cut
/// keeps or loses each dirty sector on its own, in the state after any of the writes that touched it; but for those
/// that would differ from what was written in one bit: nobody can tell that from damage.
namespace quorate::sim {

class SimContent {
 public:
  const std::string& bytes() const { return current_; }
  bool dirty() const { return !pending_.empty(); }
  /// Returns how many bytes there were.
  size_t read(uint64_t offset, std::span<char> into) const;

  void write(uint64_t offset, std::string_view bytes);
  void truncate(uint64_t size);
  /// All that was written is durable from now on.
  void sync();
  /// A sync that failed: the kernel wrote some sectors, dropped the others, and calls the pages clean. They stay
  /// readable until the process goes.
  void fail_sync(Rng& rng);
  /// The power went. What is left is current and durable.
  void power_cut(Rng& rng);
  /// The process went; its pages stay, save those that a failed sync has let go.
  void process_end();
  /// Damage of a byte, wherever it is kept; a second time undoes it. What was not durable is not yet.
  void flip(uint64_t offset, uint8_t mask);

 private:
  struct Change {
    uint64_t offset;
    std::string bytes;
    bool truncates;
    uint64_t size_after;
  };
  static void apply(const Change& change, std::string& image);
  std::string torn_image(Rng& rng) const;
  void restore_single_bits(std::string& image) const;

  std::string current_;
  std::string durable_;
  std::vector<Change> pending_;
  bool evicts_ = false;
};

}  // namespace quorate::sim
