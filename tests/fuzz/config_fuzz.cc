#include <string>

#include "base/check.h"
#include "input.h"
#include "shell/config/load.h"
#include "shell/config/properties.h"

/// A configuration file and JVM flags: every text is either taken or refused with reasons, the same each time.
/// Two pieces: the flags, which are the dynamic file as well, and the file.
namespace quorate::fuzz {
namespace {

void check_outcome(const config::LoadOutcome& outcome) {
  QUORATE_CHECK((outcome.exit_code == 0) == outcome.errors.empty());
  for (const config::ConfigError& error : outcome.errors) QUORATE_CHECK(!config::to_text(error).empty());
}

void check_same(const config::LoadOutcome& a, const config::LoadOutcome& b) {
  QUORATE_CHECK(a.exit_code == b.exit_code && a.errors.size() == b.errors.size() && a.lines.size() == b.lines.size());
  for (size_t i = 0; i < a.errors.size(); ++i) {
    QUORATE_CHECK(config::to_text(a.errors[i]) == config::to_text(b.errors[i]));
  }
}

/// Lines are counted from 1 and never go back.
void check_properties(std::string_view text) {
  int last = 1;
  for (const config::Property& property : config::parse_properties(text).properties) {
    QUORATE_CHECK(property.line >= last);
    last = property.line;
  }
}

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  fuzz::Input input(data, size);
  const std::string_view flags = input.piece();
  const auto read = [&](const std::string& path) -> Result<std::string> {
    return path.ends_with("/myid") ? "1" : std::string(flags);
  };
  const config::Source source{"zoo.cfg", input.rest(), flags, read};
  fuzz::check_properties(source.text);
  const config::LoadOutcome outcome = config::load(source);
  fuzz::check_outcome(outcome);
  fuzz::check_same(outcome, config::load(source));
  fuzz::check_outcome(config::load_defaults(flags));
  return 0;
}
