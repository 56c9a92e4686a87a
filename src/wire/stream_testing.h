#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "wire/quorum.h"
#include "wire/record_testing.h"

/// For tests of the ports between servers: recorded streams, and a reader to which they arrive in pieces.
namespace quorate::wire {

/// One message of a stream, as an independent decoder read it.
struct GoldenMessage {
  size_t begin = 0;
  size_t end = 0;
  std::string text;  ///< Kind and fields, a blank between them.

  friend bool operator==(const GoldenMessage&, const GoldenMessage&) = default;
  friend void PrintTo(const GoldenMessage& message, std::ostream* out) {
    *out << message.begin << ".." << message.end << " " << message.text;
  }
};

/// All bytes of one connection in one direction.
struct GoldenStream {
  std::string name;
  std::string bytes;
  std::vector<GoldenMessage> messages;

  const GoldenMessage& message_at(size_t begin) const {
    const auto found = std::ranges::find(messages, begin, &GoldenMessage::begin);
    static const GoldenMessage kNone;
    return found == messages.end() ? kNone : *found;
  }
  friend void PrintTo(const GoldenStream& golden, std::ostream* out) { *out << golden.name; }
};

std::string read_stream(const std::string& name);
/// The streams whose name begins with `kind`: 'e' or 'q'.
std::vector<GoldenStream> golden_streams(char kind);
std::string golden_stream_name(const testing::TestParamInfo<GoldenStream>& golden);

/// Cuts a message off what has arrived of it; `text` is its kind and fields when it is whole. `begin` is its offset.
using CutOne = std::function<PacketCut(size_t begin, std::string_view arrived, std::string& text)>;

/// What `reader` makes finds the messages of the table whether the stream arrives whole, byte by byte, or in many
/// random pieces, and never asks for bytes behind the message's end.
void expect_golden_messages(const GoldenStream& golden, const std::function<CutOne()>& reader);

}  // namespace quorate::wire
