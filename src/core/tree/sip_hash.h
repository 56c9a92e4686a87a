#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

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

inline uint64_t sip_hash(const HashKey& key, std::string_view bytes) {
  sip::Words state{key.k0 ^ 0x736f6d6570736575ULL, key.k1 ^ 0x646f72616e646f6dULL, key.k0 ^ 0x6c7967656e657261ULL,
                   key.k1 ^ 0x7465646279746573ULL};
  const auto absorb = [&state](uint64_t word) {
    state.d ^= word;
    state.round();
    state.a ^= word;
  };
  for (size_t at = 0; at + 8 <= bytes.size(); at += 8) absorb(sip::load_le64(bytes.data() + at));
  absorb(sip::tail_word(bytes));
  state.c ^= 0xff;
  for (int i = 0; i < 3; ++i) state.round();
  return state.a ^ state.b ^ state.c ^ state.d;
}

}  // namespace quorate::tree
