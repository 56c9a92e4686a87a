#include "shell/admin/server_view.h"

#include <fmt/format.h>

namespace quorate::admin {

Version make_version(const std::string& revision, const std::string& built, const std::string& product) {
  return {fmt::format("3.9.5-{}, built on {} UTC", revision, built), product};
}

std::string ServerView::date_of(Millis monotonic) const {
  const int64_t wall_ms = now.wall_ms + (monotonic - now.monotonic).value;
  return java_date(wall_ms, zone_at(wall_ms));
}

}  // namespace quorate::admin
