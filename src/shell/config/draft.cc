#include "shell/config/draft.h"

#include <utility>

#include "shell/config/java_text.h"

namespace quorate::config {
namespace {

const Given* look_up(const std::map<std::string, Given>& in, const std::string& name) {
  const auto found = in.find(name);
  return found == in.end() ? nullptr : &found->second;
}

}  // namespace

void Draft::log(Level level, std::string text) { out.lines.push_back({level, "QuorumPeerConfig", std::move(text)}); }

void Draft::refuse(const Given& given, std::string message, std::string advice) {
  const bool secret = is_secret(given.name);
  // Apache's texts quote the value; not so for secrets.
  if (secret) message = "the value is not valid";
  const std::string own_file = given.line == 0 && options.contains(given.name) ? "option" : file;
  out.errors.push_back({given.file.empty() ? own_file : given.file, given.line, given.name,
                        shown_value(given.name, given.value), std::move(message), std::move(advice)});
}

void Draft::refuse(std::string key, std::string message, std::string advice) {
  out.errors.push_back({file, 0, std::move(key), "", std::move(message), std::move(advice)});
}

const Given* Draft::find(const Key& key) const {
  const std::string name(key.name);
  if (key.where != Where::Option) {
    if (const Given* given = look_up(values, name)) return given;
  }
  if (key.where == Where::File) return nullptr;
  if (key.where != Where::Property) return look_up(options, name);
  if (const Given* given = look_up(options, "zookeeper." + name)) return given;
  return key.bare_option_too ? look_up(options, name) : nullptr;
}

const Given* Draft::find(std::string_view name) const {
  const Key* key = find_key(name);
  return key == nullptr ? nullptr : find(*key);
}

bool Draft::is_on(std::string_view name) const {
  const Given* given = find(name);
  return given != nullptr && equals_ignoring_case(given->value, "true");
}

}  // namespace quorate::config
