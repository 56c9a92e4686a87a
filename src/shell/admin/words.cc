#include "shell/admin/words.h"

#include <fmt/format.h>

#include <algorithm>

#include "shell/admin/texts.h"
#include "wire/archive.h"

namespace quorate::admin {
namespace {

constexpr std::string_view kNotServing = "This ZooKeeper instance is not currently serving requests";

using Text = std::string (*)(const ServerView&);

/// A word that only shows something.
template <Text text>
Answer show(const ServerView& view, std::string_view) {
  return {.text = text(view)};
}

/// Scripts ask whether the answer is "imok": a server that waits for a whole new history must not say so, alive as it
/// is.
std::string imok(const ServerView& view) {
  if (view.member == nullptr || !view.member->in_doubt) return "imok";
  return "in doubt: the history of this server is not to be trusted; it has no vote and serves nobody until it has got "
         "a snapshot (SNAP) from a leader\n";
}
std::string mntr_without_service(const ServerView& view) {
  std::string text = std::string(kNotServing) + "\n";
  if (view.member != nullptr && view.member->in_doubt) text += self_check_text(*view.member);
  return text;
}
std::string trace_mask(const ServerView& view) { return std::to_string(view.trace_mask); }
std::string read_only(const ServerView& view) { return view.mode == Mode::ReadOnly ? "ro" : "rw"; }
std::string null_text(const ServerView&) { return "null"; }
std::string sentence_without_newline(const ServerView&) { return std::string(kNotServing); }
std::string nothing(const ServerView&) { return ""; }

Answer set_trace_mask(const ServerView&, std::string_view argument) {
  const auto mask = static_cast<int64_t>(wire::load_be64(argument.data()));
  return {.text = std::to_string(mask), .effect = Effect::SetTraceMask, .trace_mask = mask};
}
Answer reset_connections(const ServerView&, std::string_view) {
  return {.text = "Connection stats reset.\n", .effect = Effect::ResetConnections};
}
Answer reset_server(const ServerView&, std::string_view) {
  return {.text = "Server stats reset.\n", .effect = Effect::ResetServer};
}

bool is_whitelisted(std::string_view name, const WordRules& rules) {
  return std::ranges::any_of(rules.whitelist, [&](const std::string& item) { return item == "*" || item == name; });
}

}  // namespace

std::span<const Word> words() {
  static constexpr Word table[] = {
      {.bytes = "conf", .name = "conf", .reads_surroundings = true, .serving = show<conf_text>},
      {.bytes = "cons", .name = "cons", .serving = show<cons_text>},
      {.bytes = "crst", .name = "crst", .serving = reset_connections},
      {.bytes = "dirs", .name = "dirs", .reads_surroundings = true, .serving = show<dirs_text>},
      {.bytes = "dump", .name = "dump", .serving = show<dump_text>},
      {.bytes = "envi",
       .name = "envi",
       .reads_surroundings = true,
       .not_serving = show<envi_text>,
       .serving = show<envi_text>},
      {.bytes = "gtmk", .name = "gtmk", .not_serving = show<trace_mask>, .serving = show<trace_mask>},
      {.bytes = "hash", .name = "hash", .not_serving = show<sentence_without_newline>, .serving = show<hash_text>},
      {.bytes = "isro", .name = "isro", .not_serving = show<null_text>, .serving = show<read_only>},
      {.bytes = "mntr",
       .name = "mntr",
       .reads_surroundings = true,
       .not_serving = show<mntr_without_service>,
       .serving = show<mntr_text>},
      {.bytes = "ruok", .name = "ruok", .not_serving = show<imok>, .serving = show<imok>},
      {.bytes = "srst", .name = "srst", .serving = reset_server},
      {.bytes = "srvr", .name = "srvr", .always_allowed = true, .serving = show<srvr_text>},
      {.bytes = "stat", .name = "stat", .serving = show<stat_text>},
      {.bytes = "stmk", .name = "stmk", .argument_bytes = 8, .not_serving = set_trace_mask, .serving = set_trace_mask},
      {.bytes = "wchc", .name = "wchc", .serving = show<wchc_text>},
      {.bytes = "wchp", .name = "wchp", .serving = show<wchp_text>},
      {.bytes = "wchs", .name = "wchs", .serving = show<wchs_text>},
      {.bytes = "\xFF\xF4\xFF\xFD", .name = "telnet close", .not_serving = show<nothing>, .serving = show<nothing>},
  };
  return table;
}

const Word* find_word(std::string_view opening) {
  const auto found = std::ranges::find(words(), opening.substr(0, 4), &Word::bytes);
  return found == words().end() ? nullptr : &*found;
}

size_t word_length(std::string_view opening) {
  const Word* word = find_word(opening);
  return word == nullptr ? 0 : word->bytes.size() + word->argument_bytes;
}

bool is_allowed(const Word& word, const WordRules& rules) {
  return word.always_allowed || (word.name == "isro" && rules.read_only_word) || is_whitelisted(word.name, rules);
}

Answer answer_word(std::string_view bytes, const ServerView& view) {
  const Word* word = find_word(bytes);
  if (word == nullptr) return {};
  if (!is_allowed(*word, view.rules)) {
    return {.text = fmt::format("{} is not executed because it is not in the whitelist.\n", word->name)};
  }
  const std::string_view argument = bytes.substr(word->bytes.size());
  if (argument.size() < word->argument_bytes) return {};
  if (view.serving) return word->serving(view, argument);
  return word->not_serving ? word->not_serving(view, argument) : Answer{.text = std::string(kNotServing) + "\n"};
}

void reset_stats(replica::Connection& connection) {
  const int64_t established = connection.stats.established_wall_ms;
  connection.stats = {};
  connection.stats.established_wall_ms = established;
}

}  // namespace quorate::admin
