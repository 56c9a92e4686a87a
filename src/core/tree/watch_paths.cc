#include "core/tree/watch_paths.h"

#include <cstring>

namespace quorate::tree {

namespace {

__extension__ using Product = unsigned __int128;

uint64_t mix(uint64_t a, uint64_t b) {
  const Product product = static_cast<Product>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// Arbitrary odd numbers; they keep words and tails from being taken for each other.
constexpr uint64_t kWordSalt = 0x9E3779B97F4A7C15ULL;
constexpr uint64_t kTailSalt = 0xD6E8FEB86659FD93ULL;

}  // namespace

WatchPathHash::WatchPathHash(uint64_t seed)
    : factor_(mix(seed ^ kTailSalt, kWordSalt) | 1), state_(mix(seed ^ kWordSalt, kTailSalt)) {}

void WatchPathHash::add(std::string_view component) {
  const char* at = component.data();
  size_t left = component.size();
  for (; left >= 8; left -= 8, at += 8) {
    uint64_t word;
    std::memcpy(&word, at, 8);
    state_ = mix(state_ ^ word, factor_) + kWordSalt;
  }
  uint64_t tail = 0;
  if (left > 0) std::memcpy(&tail, at, left);
  state_ = mix(state_ ^ tail ^ (uint64_t{left + 1} << 56), factor_) + kTailSalt;
}

WatchPaths::WatchPaths(uint64_t hash_seed) : hash_seed_(hash_seed), root_hash_(hash_of("/")) {}

uint32_t WatchPaths::hash_of(std::string_view path) const {
  WatchPathHash hash(hash_seed_);
  size_t begin = 0;
  for (size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', begin)) {
    hash.add(path.substr(begin, slash - begin));
    begin = slash + 1;
  }
  hash.add(path.substr(begin));
  return hash.value();
}

uint32_t WatchPaths::find(std::string_view path, uint32_t hash) const {
  return index_.find(hash, [&](uint32_t ref) { return paths_[ref].hash == hash && text(ref) == path; });
}

uint32_t WatchPaths::intern(std::string_view path) {
  const uint32_t hash = hash_of(path);
  if (const uint32_t known = find(path, hash); known != 0) return known;
  const uint32_t ref = paths_.take();
  paths_[ref].hash = hash;
  paths_[ref].text = text_.put(path);
  index_.insert(ref, [this](uint32_t item) { return paths_[item].hash; });
  return ref;
}

void WatchPaths::drop(uint32_t ref) {
  index_.erase(ref, [this](uint32_t item) { return paths_[item].hash; });
  text_.drop(paths_[ref].text);
  paths_.give_back(ref);
}

size_t WatchPaths::resident_bytes() const {
  return text_.resident_bytes() + paths_.resident_bytes() + index_.resident_bytes();
}

}  // namespace quorate::tree
