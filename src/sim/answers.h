#pragma once
#include <string>
#include <string_view>

#include "sim/model.h"

/// What a read must answer, by the naive model at the zxid of the reply. Spec: client 4.7, 6.5.
namespace quorate::sim {

/// Empty when `body` and `code` are right; else what is wrong.
std::string wrong_read(const Model& model, const Request& request, int64_t zxid, wire::Code code,
                       std::string_view body);

}  // namespace quorate::sim
