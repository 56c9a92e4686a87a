#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include "core/zab/lead_testing.h"

/// Recorded conversations of an Apache leader, played again with ours: the learner says what it said then, and each
/// packet of the leader has to be the same, byte by byte and in its place between the learner's.
namespace quorate::zab::lead_testing {
namespace {

std::string read_golden(const std::string& name) {
  std::ifstream in(std::string(QUORATE_GOLDEN) + "/quorum/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// A message of a conversation.
struct Row {
  std::string side;
  size_t begin = 0;
  size_t end = 0;
  std::string kind;
  std::string bytes;
};

std::vector<Row> read_rows(const std::string& name) {
  const std::map<std::string, std::string> bytes = {{"dialer", read_golden(name + ".dialer.bin")},
                                                    {"acceptor", read_golden(name + ".acceptor.bin")}};
  std::istringstream table(read_golden(name + ".index.tsv"));
  std::vector<Row> rows;
  std::string line;
  std::getline(table, line);
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    Row row;
    std::string time;
    fields >> time >> row.side >> row.begin >> row.end >> row.kind;
    row.bytes = bytes.at(row.side).substr(row.begin, row.end - row.begin);
    rows.push_back(std::move(row));
  }
  return rows;
}

struct Conversation {
  const char* name;
  int64_t sid;  ///< The learner's.
  Start start;
  int64_t made = 0;        ///< Txns that the leader has made before the learner came.
  const char* until = "";  ///< The kind of packet where the replay ends: what is not ours yet.
  int64_t helper = 0;      ///< Another voter.
  size_t rows = 0;         ///< That are played; a table that was not read is no success.
};

void PrintTo(const Conversation& conversation, std::ostream* out) { *out << conversation.name; }

std::vector<Conversation> conversations() {
  const Zxid start{0};
  return {
      {"q01-follower1-ops", 1, {.self = 2, .epochs = {0, 0}, .base = start}, 0, "", 3, 97},
      {"q02-follower3-snap-revalidate", 3, {.self = 2, .epochs = {0, 0}, .base = zxid(1, 0)}, 0, "", 1, 112},
      {"q03-observer4", 4, {.self = 2, .epochs = {0, 0}, .base = zxid(1, 0)}, 0, "", 1, 65},
      {"q04-follower1-diff", 1, {.self = 2, .epochs = {0, 0}, .base = start}, 0x14, "", 3, 17},
      {"q05-follower1-snap-with-data", 1, {.self = 2, .epochs = {0, 0}, .base = start, .keep = 0}, 0x17, "", 3, 11},
      {"q06-follower1-new-epoch-reconfig", 1, {.self = 3, .base = zxid(1, 0x17)}, 0, "COMMITANDACTIVATE", 2, 29},
      {"q08-follower2-diff-reconfig-request", 2, {.self = 3, .base = zxid(1, 0x17)}, 2, "COMMITANDACTIVATE", 1, 27},
      {"q10-nonvoting-follower3-ping-before-uptodate",
       3,
       {.self = 1, .voters = 2, .epochs = {2, 2}, .base = zxid(2, 7)},
       0,
       "",
       2,
       27},
      {"q11-local-session-upgrade", 1, {.self = 3, .epochs = {0, 0}, .base = start}, 0, "", 2, 65},
      {"q13-trunc-old-leader3", 3, {.self = 2, .base = zxid(1, 10)}, 0, "", 1, 17},
  };
}

/// Makes our leader come to the packets that the recorded one sent.
class Replay {
 public:
  Replay(const Conversation& given, std::vector<Row> rows) : given_(given), rows_(std::move(rows)), bench_(started()) {}

  void run() {
    prepare();
    for (const Row& row : rows_) {
      if (row.kind == given_.until) break;
      SCOPED_TRACE(row.side + " " + std::to_string(row.begin) + " " + row.kind);
      row.side == "dialer" ? bench_.say(given_.sid, row.bytes) : answer(row);
      if (testing::Test::HasFailure()) return;
      ++played_;
    }
    EXPECT_EQ(played_, given_.rows);
  }

 private:
  Start started() const {
    Start start = given_.start;
    start.settings.tick = {1000};
    start.settings.config_version = INT64_MAX;
    for (const Row& row : rows_) {
      if (row.kind == "NEWLEADER") start.settings.config_text = view(row).data;
    }
    return start;
  }
  static wire::QuorumPacket view(const Row& row) {
    wire::QuorumPacket packet;
    EXPECT_EQ(wire::cut_packet(row.bytes, 1 << 20, packet).bytes, row.bytes.size());
    return packet;
  }

  /// The leader, established with the other voter, and the txns that are older than the conversation.
  void prepare() {
    std::map<Zxid, std::string> recorded;
    for (const Row& row : rows_) {
      if (row.kind == "PROPOSAL") recorded[view(row).zxid] = view(row).data;
    }
    bench_.finish_disk();
    bench_.join(given_.helper);
    ASSERT_EQ(bench_.lead.phase(), LeadPhase::Broadcast);
    for (int64_t count = 0; count < given_.made; ++count) {
      const Zxid next = *bench_.lead.next_zxid();
      bench_.propose(next, recorded.contains(next) ? recorded[next] : txn(next));
      commit(next);
    }
    bench_.arrive(given_.sid);
  }

  void commit(Zxid zxid) {
    bench_.persist();
    bench_.say(given_.helper, ack(zxid));
    bench_.persist();
  }

  std::string& sent() { return bench_.sent[Bench::link(given_.sid)]; }

  void answer(const Row& row) {
    if (row.kind == "SNAPSTREAM") return bench_.send_tree(given_.sid);
    if (sent().empty()) cause(row);
    ASSERT_EQ(sent().substr(0, row.bytes.size()), row.bytes);
    sent().erase(0, row.bytes.size());
  }

  void cause(const Row& row) {
    const wire::QuorumPacket packet = view(row);
    if (row.kind == "SNAP") bench_.lead.on_no_history(Bench::link(given_.sid), bench_.now);
    if (row.kind == "PING") {
      bench_.say(given_.helper, ping());
      bench_.beat();
    }
    if (row.kind == "PROPOSAL" || row.kind == "INFORM") bench_.propose(packet.zxid, std::string(packet.data));
    if (row.kind == "COMMIT" || row.kind == "INFORM") commit(packet.zxid);
    if (row.kind == "SYNC") bench_.lead.sync(Bench::link(given_.sid));
    if (row.kind == "REVALIDATE") {
      wire::Revalidated answer;
      wire::Decoder in(packet.data);
      ASSERT_TRUE(wire::decode(in, answer));
      bench_.lead.answer_revalidate(Bench::link(given_.sid), answer.session, answer.valid);
    }
    bench_.look();
  }

  Conversation given_;
  std::vector<Row> rows_;
  Bench bench_;
  size_t played_ = 0;
};

class LeadGolden : public testing::TestWithParam<Conversation> {};

TEST_P(LeadGolden, SendsWhatApacheSent) { Replay(GetParam(), read_rows(GetParam().name)).run(); }

INSTANTIATE_TEST_SUITE_P(All, LeadGolden, testing::ValuesIn(conversations()),
                         [](const auto& given) { return std::string(given.param.name).substr(0, 3); });

}  // namespace
}  // namespace quorate::zab::lead_testing
