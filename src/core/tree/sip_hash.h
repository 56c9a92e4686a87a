#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

/// SipHash-1-3: a short keyed hash. Clients choose paths, so the index must not let them choose collisions.
namespace quorate::tree {

/// Key of the path hash; the shell draws it at random.
struct HashKey {
  uint64_t k0 = 0;
  uint64_t k1 = 0;
};

namespace sip {

struct Words {
  uint64_t a, b, c, d;

  void round() {
    a += b, b = std::rotl(b, 13) ^ a, a = std::rotl(a, 32);
    c += d, d = std::rotl(d, 16) ^ c;
    a += d, d = std::rotl(d, 21) ^ a;
    c += b, b = std::rotl(b, 17) ^ c, c = std::rotl(c, 32);
  }
};

inline uint64_t load_le64(const char* at) {
  uint64_t word;
  std::memcpy(&word, at, 8);
  return word;
}

/// The last 0 to 7 bytes with the length's low byte on top.
inline uint64_t tail_word(std::string_view bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes.data() + (bytes.size() & ~size_t{7}), bytes.size() & 7);
  return word | static_cast<uint64_t>(bytes.size()) << 56;
}

}  // namespace sip

static_assert(std::endian::native == std::endian::little);

/// The running state over whole words, and its end.
class SipState {
 public:
  explicit SipState(const HashKey& key)
      : words_{key.k0 ^ 0x736f6d6570736575ULL, key.k1 ^ 0x646f72616e646f6dULL, key.k0 ^ 0x6c7967656e657261ULL,
               key.k1 ^ 0x7465646279746573ULL} {}

  void absorb(uint64_t word) {
    words_.d ^= word;
    words_.round();
    words_.a ^= word;
  }
  uint64_t finish(uint64_t tail_word) {
    absorb(tail_word);
    words_.c ^= 0xff;
    for (int i = 0; i < 3; ++i) words_.round();
    return words_.a ^ words_.b ^ words_.c ^ words_.d;
  }

 private:
  sip::Words words_;
};

inline uint64_t sip_hash(const HashKey& key, std::string_view bytes) {
  SipState state(key);
  for (size_t at = 0; at + 8 <= bytes.size(); at += 8) state.absorb(sip::load_le64(bytes.data() + at));
  return state.finish(sip::tail_word(bytes));
}

/// sip_hash of a growing text: asking after each piece costs no second pass over what came before.
class SipPrefix {
 public:
  explicit SipPrefix(const HashKey& key) : state_(key) {}

  void add(std::string_view bytes) {
    for (const char byte : bytes) {
      tail_ |= uint64_t{static_cast<unsigned char>(byte)} << (size_ % 8 * 8);
      if (++size_ % 8 == 0) state_.absorb(std::exchange(tail_, 0));
    }
  }
  uint64_t value() const { return SipState(state_).finish(tail_ | uint64_t{size_} << 56); }

 private:
  SipState state_;
  uint64_t tail_ = 0;
  size_t size_ = 0;
};

}  // namespace quorate::tree
