#pragma once
#include <fmt/format.h>

#include <string>
#include <utility>

/// The first thing that was wrong in a run. Checkers report here and go on; the world stops at its next event.
namespace quorate::sim {

class Verdict {
 public:
  bool failed() const { return !text_.empty(); }
  const std::string& text() const { return text_; }
  template <class... Args>
  void fail(fmt::format_string<Args...> format, Args&&... args) {
    if (text_.empty()) text_ = fmt::format(format, std::forward<Args>(args)...);
  }

 private:
  std::string text_;
};

}  // namespace quorate::sim
