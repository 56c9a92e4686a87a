#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "sim/model.h"

/// Quotas over the naive model: limits are texts that clients wrote, usage is counted anew whenever it is asked for.
/// No quota of a run lies below another one. Spec: client 11.2, 11.3.
namespace quorate::sim {

struct Usage {
  int64_t nodes = 0;
  int64_t bytes = 0;
};

/// Nothing where it cannot be told: changes before the limits were there are not counted, so usage nodes older than
/// their limits are off until the next start.
std::optional<Usage> usage_below(const Model& model, const std::string& root, int64_t zxid);

enum class QuotaAnswer : uint8_t { Within, Over, Either };
/// May that much be added at `path`? At `zxid` the server had come when it decided.
QuotaAnswer ask_quota(const Model& model, const std::string& path, const Usage& added, int64_t zxid);

/// Are these bytes what the node shows? What a usage node shows is counted, not written. Requires: the node exists.
bool shows_data(const Model& model, const std::string& path, int64_t zxid, std::string_view bytes);

}  // namespace quorate::sim
