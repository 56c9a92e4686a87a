#include "sim/sim_content.h"

#include <algorithm>
#include <bit>

namespace quorate::sim {
namespace {

constexpr uint64_t kSectorBytes = 512;

void put(std::string& image, uint64_t offset, std::string_view bytes) {
  if (image.size() < offset + bytes.size()) image.resize(offset + bytes.size());
  std::copy(bytes.begin(), bytes.end(), image.begin() + static_cast<std::ptrdiff_t>(offset));
}

}  // namespace

void SimContent::apply(const Change& change, std::string& image) {
  if (change.truncates) {
    image.resize(change.offset);
  } else {
    put(image, change.offset, change.bytes);
  }
}

size_t SimContent::read(uint64_t offset, std::span<char> into) const {
  if (offset >= current_.size()) return 0;
  return current_.copy(into.data(), into.size(), offset);
}

void SimContent::write(uint64_t offset, std::string_view bytes) {
  put(current_, offset, bytes);
  pending_.push_back({offset, std::string(bytes), false, current_.size()});
}

void SimContent::truncate(uint64_t size) {
  current_.resize(size);
  pending_.push_back({size, {}, true, size});
}

void SimContent::sync() {
  for (const Change& change : pending_) apply(change, durable_);
  pending_.clear();
}

/// Each sector as it was after some number of the changes, and a size likewise.
std::string SimContent::torn_image(Rng& rng) const {
  const uint64_t count = pending_.size();
  const uint64_t style = rng.below(8);
  if (style == 0) return durable_;
  if (style == 1) return current_;
  const uint64_t sized_by = rng.percent(60) ? count : rng.below(count + 1);
  std::string image = durable_;
  std::vector<uint64_t> kept;  // a sector, to how many changes got to the disk, plus one; 0: not drawn yet
  for (uint64_t i = 0; i < count; ++i) {
    const Change& change = pending_[i];
    if (change.truncates) {
      if (i < sized_by) image.resize(change.offset);
      continue;
    }
    const uint64_t end = change.offset + change.bytes.size();
    for (uint64_t at = change.offset; at < end;) {
      const uint64_t sector = at / kSectorBytes;
      const uint64_t next = std::min(end, (sector + 1) * kSectorBytes);
      if (kept.size() <= sector) kept.resize(sector + 1);
      if (kept[sector] == 0) kept[sector] = 1 + rng.below(count + 1);
      const bool arrives = style == 2 ? i < sized_by : i + 1 < kept[sector];
      if (arrives) put(image, at, std::string_view(change.bytes).substr(at - change.offset, next - at));
      at = next;
    }
  }
  image.resize(sized_by == 0 ? durable_.size() : pending_[sized_by - 1].size_after);
  return image;
}

void SimContent::restore_single_bits(std::string& image) const {
  for (const Change& change : pending_) {
    const uint64_t first = change.offset / kSectorBytes * kSectorBytes;
    const uint64_t end = std::min({change.offset + change.bytes.size(), image.size(), current_.size()});
    for (uint64_t sector = first; sector < end; sector += kSectorBytes) {
      const uint64_t bytes = std::min({kSectorBytes, image.size() - sector, current_.size() - sector});
      int bits = 0;
      for (uint64_t at = sector; at < sector + bytes && bits < 2; ++at) {
        bits += std::popcount(static_cast<uint8_t>(image[at] ^ current_[at]));
      }
      if (bits == 1) image.replace(sector, bytes, current_, sector, bytes);
    }
  }
}

void SimContent::fail_sync(Rng& rng) {
  if (pending_.empty()) return;
  durable_ = torn_image(rng);
  restore_single_bits(durable_);
  pending_.clear();
  evicts_ = true;
}

void SimContent::power_cut(Rng& rng) {
  if (!pending_.empty()) durable_ = torn_image(rng);
  restore_single_bits(durable_);
  pending_.clear();
  current_ = durable_;
  evicts_ = false;
}

void SimContent::process_end() {
  if (!evicts_) return;
  for (const Change& change : pending_) apply(change, durable_);
  pending_.clear();
  current_ = durable_;
  evicts_ = false;
}

void SimContent::flip(uint64_t offset, uint8_t mask) {
  const auto damage = [mask](std::string& bytes, uint64_t at) {
    if (at < bytes.size()) bytes[at] = static_cast<char>(static_cast<uint8_t>(bytes[at]) ^ mask);
  };
  damage(current_, offset);
  damage(durable_, offset);
  for (Change& change : pending_) {
    if (offset >= change.offset) damage(change.bytes, offset - change.offset);
  }
}

}  // namespace quorate::sim
