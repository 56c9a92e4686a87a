#include "wire/stream_testing.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iterator>
#include <random>
#include <sstream>

namespace quorate::wire {
namespace {

GoldenMessage golden_message(std::istream& row) {
  GoldenMessage message;
  row >> message.begin >> message.end;
  for (std::string field; row >> field;) message.text += (message.text.empty() ? "" : " ") + field;
  return message;
}

/// How many bytes arrive next.
using NextPiece = std::function<size_t()>;

std::vector<GoldenMessage> read_in_pieces(const GoldenStream& golden, const NextPiece& next_piece,
                                          const CutOne& cut_one) {
  std::vector<GoldenMessage> found;
  size_t begin = 0;
  for (size_t arrived = 0; begin < golden.bytes.size();) {
    const ExactBytes bytes(std::string_view(golden.bytes).substr(begin, arrived - begin));
    std::string text;
    const PacketCut cut = cut_one(begin, bytes.view(), text);
    if (cut.cut == Cut::Incomplete) {
      EXPECT_GT(cut.needed, bytes.view().size());
      EXPECT_LE(cut.needed, golden.message_at(begin).end - begin);
      if (arrived == golden.bytes.size()) break;
      arrived = std::min(arrived + next_piece(), golden.bytes.size());
      continue;
    }
    EXPECT_EQ(cut.why, "");
    if (cut.cut == Cut::Malformed) break;
    found.push_back({begin, begin + cut.bytes, text});
    begin += cut.bytes;
  }
  EXPECT_EQ(begin, golden.bytes.size());
  return found;
}

}  // namespace

std::string read_stream(const std::string& name) {
  std::ifstream file(QUORATE_GOLDEN "/quorum/" + name + ".bin", std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<GoldenStream> golden_streams(char kind) {
  std::vector<GoldenStream> streams;
  std::ifstream table(QUORATE_GOLDEN "/quorum/expected.tsv");
  EXPECT_TRUE(table);
  for (std::string line; std::getline(table, line);) {
    if (line.front() != kind || line.starts_with("stream\t")) continue;
    std::istringstream row(line);
    std::string name, side;
    row >> name >> side;
    name += "." + side;
    auto stream = std::ranges::find(streams, name, &GoldenStream::name);
    if (stream == streams.end()) stream = streams.insert(stream, {name, read_stream(name), {}});
    stream->messages.push_back(golden_message(row));
  }
  return streams;
}

std::string golden_stream_name(const testing::TestParamInfo<GoldenStream>& golden) {
  std::string name = golden.param.name;
  std::ranges::replace_if(name, [](unsigned char c) { return !isalnum(c); }, '_');
  return name;
}

void expect_golden_messages(const GoldenStream& golden, const std::function<CutOne()>& reader) {
  EXPECT_EQ(read_in_pieces(golden, [&] { return golden.bytes.size(); }, reader()), golden.messages);
  EXPECT_EQ(read_in_pieces(golden, [] { return 1; }, reader()), golden.messages);
  for (uint32_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    EXPECT_EQ(read_in_pieces(golden, [&] { return 1 + random() % 60; }, reader()), golden.messages);
  }
}

}  // namespace quorate::wire
