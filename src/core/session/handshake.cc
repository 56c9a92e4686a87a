#include <array>

#include "core/session/session_table.h"

namespace quorate::session {

namespace {

constexpr uint64_t kMask48 = (uint64_t{1} << 48) - 1;
constexpr uint64_t kFactor = 0x5DEECE66DULL;
constexpr uint64_t kSalt = 0xB3415C00ULL;
constexpr size_t kPasswordBytes = 16;

std::array<char, kPasswordBytes> make_password(SessionId id) {
  std::array<char, kPasswordBytes> password;
  uint64_t seed = (static_cast<uint64_t>(id.value) ^ kSalt ^ kFactor) & kMask48;
  for (size_t at = 0; at < kPasswordBytes; at += 4) {
    seed = (seed * kFactor + 0xB) & kMask48;
    for (size_t byte = 0; byte < 4; ++byte) {
      password[at + byte] = static_cast<char>(seed >> (16 + 8 * byte));
    }
  }
  return password;
}

}  // namespace

std::string password_of(SessionId id) {
  const auto password = make_password(id);
  return {password.data(), password.size()};
}

bool password_matches(SessionId id, std::string_view password) {
  const auto right = make_password(id);
  return password == std::string_view(right.data(), right.size());
}

SessionId first_session_id(Millis monotonic, int64_t server_id) {
  const uint64_t counter = static_cast<uint64_t>(monotonic.value) << 24 >> 8;
  const uint64_t first = counter | static_cast<uint64_t>(server_id) << 56;
  // The one value that stands for "container" as the owner of a node.
  const bool reserved = first == uint64_t{1} << 63;
  return {static_cast<int64_t>(reserved ? first + 1 : first)};
}

int32_t granted_timeout(int32_t wanted_ms, TimeoutLimits limits) {
  int32_t granted = wanted_ms;
  if (granted < limits.min_ms) granted = limits.min_ms;
  if (granted > limits.max_ms) granted = limits.max_ms;
  return granted;
}

}  // namespace quorate::session
