#pragma once
#include <utility>
#include <vector>

#include "base/log_line.h"

/// How a member collects what its parts put out. For member*.cc.
namespace quorate::replica {

inline void take_lines(std::vector<LogLine>& from, std::vector<LogLine>& to) {
  for (LogLine& line : from) to.push_back(std::move(line));
  from.clear();
}

template <class Item>
void take_items(const std::vector<Item>& from, std::vector<Item>& to) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace quorate::replica
