#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "shell/admin/server_view.h"

/// The four-letter words. Each is one row of a table; its answer is a pure function of the view. What a word changes is
/// said in the answer and done by the caller. Spec: operations 2; client 1.3.
namespace quorate::admin {

/// What the caller is to do after sending the text.
enum class Effect : uint8_t {
  None,
  ResetConnections,  ///< crst: reset_stats() of every connection.
  ResetServer,       ///< srst: ServerStats and Metrics start afresh.
  SetTraceMask,      ///< stmk
};

struct Answer {
  std::string text;
  Effect effect = Effect::None;
  int64_t trace_mask = 0;
};

struct Word {
  std::string_view bytes;  ///< As they come: "ruok".
  std::string_view name;   ///< In whitelist and texts.
  size_t argument_bytes = 0;
  bool always_allowed = false;
  bool reads_surroundings = false;  ///< Fill ServerView::around first.
  /// While the server does not serve: null says so in a sentence.
  Answer (*not_serving)(const ServerView& view, std::string_view argument) = nullptr;
  Answer (*serving)(const ServerView& view, std::string_view argument) = nullptr;
};

std::span<const Word> words();
/// The word that a connection's first four bytes are; null: they are the length of a frame.
const Word* find_word(std::string_view opening);
/// Bytes of the word and its argument; 0: not a word.
size_t word_length(std::string_view opening);
bool is_allowed(const Word& word, const WordRules& rules);

/// `bytes` is a word with its argument. Requires: word_length(bytes) <= bytes.size().
Answer answer_word(std::string_view bytes, const ServerView& view);

/// crst for one connection.
void reset_stats(replica::Connection& connection);

}  // namespace quorate::admin
