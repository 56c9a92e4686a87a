#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "wire/quorum_config.h"

/// The text of an ensemble's members, as a peer or a client may send it: refused with a reason, or it can be written
/// and read back as the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = wire::parse_quorum_config(text);
  if (!config) {
    QUORATE_CHECK(config.error().fault == Fault::Invalid && !config.error().detail.empty());
    return 0;
  }
  QUORATE_CHECK(config->voters() > 0);
  for (const wire::QuorumMember& member : config->members) QUORATE_CHECK(config->find(member.sid) == &member);
  const auto again = wire::parse_quorum_config(wire::to_text(*config));
  QUORATE_CHECK(again && *again == *config && wire::agree(*again, *config));
  return 0;
}
