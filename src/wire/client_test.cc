#include "wire/client.h"

#include <map>
#include <set>
#include <string>

#include "wire/record_testing.h"

// Goal: what real clients and Apache's server send reads as an independent decoder read it, and we write the same
// bytes. Method: each frame of tests/golden/client is taken apart into the records that its index names.
namespace quorate::wire {
namespace {

// Bodies of replies are written piece by piece by those who answer; these records are their layouts. Spec: client 3.3.
struct ReadOnlyFlag {
  bool read_only = false;
  static void walk(auto& record, auto&& field) { field("readOnly", record.read_only); }
};

struct PathReply {
  std::string_view path;
  static void walk(auto& record, auto&& field) { field("path", record.path); }
};

struct PathStatReply {
  std::string_view path;
  Stat stat;
  static void walk(auto& record, auto&& field) {
    field("path", record.path);
    field("stat", record.stat);
  }
};

struct DataReply {
  std::string_view data;
  Stat stat;
  static void walk(auto& record, auto&& field) {
    field("data", record.data);
    field("stat", record.stat);
  }
};

struct AclReply {
  AclVector acl;
  Stat stat;
  static void walk(auto& record, auto&& field) {
    field("acl", record.acl);
    field("stat", record.stat);
  }
};

struct ChildrenReply {
  StringVector children;
  static void walk(auto& record, auto&& field) { field("children", record.children); }
};

struct Children2Reply {
  StringVector children;
  Stat stat;
  static void walk(auto& record, auto&& field) {
    field("children", record.children);
    field("stat", record.stat);
  }
};

struct NumberReply {
  int32_t number = 0;
  static void walk(auto& record, auto&& field) { field("number", record.number); }
};

struct ErrorReply {
  int32_t err = 0;
  static void walk(auto& record, auto&& field) { field("err", record.err); }
};

/// One identity of a connection.
struct Client {
  std::string_view scheme;
  std::string_view user;
  static void skip(Decoder& in) {
    in.view();
    in.view();
  }
  static Client read(Decoder& in) {
    Client client;
    client.scheme = in.view();
    client.user = in.view();
    return client;
  }
};

std::string text_of(const Client& client) {
  std::string out;
  const TextField field{out};
  field("scheme", client.scheme);
  field("user", client.user);
  return "{" + out + "}";
}

struct WhoAmIReply {
  VectorView<Client> clients;
  static void walk(auto& record, auto&& field) { field("clients", record.clients); }
};

using Expect = void (*)(Decoder&, const std::string&);

const std::map<std::string, Expect> kRecords = {
    {"RequestHeader", expect_record<RequestHeader>},
    {"ReplyHeader", expect_record<ReplyHeader>},
    {"ConnectRequest", expect_record<ConnectRequest>},
    {"ConnectResponse", expect_record<ConnectResponse>},
    {"ReadOnlyFlag", expect_record<ReadOnlyFlag>},
    {"CreateRequest", expect_record<CreateRequest>},
    {"CreateTtlRequest", expect_record<CreateTtlRequest>},
    {"PathRequest", expect_record<PathRequest>},
    {"PathWatchRequest", expect_record<PathWatchRequest>},
    {"PathVersionRequest", expect_record<PathVersionRequest>},
    {"SetDataRequest", expect_record<SetDataRequest>},
    {"SetAclRequest", expect_record<SetAclRequest>},
    {"WatcherTypeRequest", expect_record<WatcherTypeRequest>},
    {"AddWatchRequest", expect_record<AddWatchRequest>},
    {"SetWatchesRequest", expect_record<SetWatchesRequest>},
    {"SetWatches2Request", expect_record<SetWatches2Request>},
    {"AuthRequest", expect_record<AuthRequest>},
    {"ReconfigRequest", expect_record<ReconfigRequest>},
    {"MultiHeader", expect_record<MultiHeader>},
    {"WatcherEvent", expect_record<WatcherEvent>},
    {"Stat", expect_record<Stat>},
    {"PathReply", expect_record<PathReply>},
    {"PathStatReply", expect_record<PathStatReply>},
    {"DataReply", expect_record<DataReply>},
    {"AclReply", expect_record<AclReply>},
    {"ChildrenReply", expect_record<ChildrenReply>},
    {"Children2Reply", expect_record<Children2Reply>},
    {"NumberReply", expect_record<NumberReply>},
    {"ErrorReply", expect_record<ErrorReply>},
    {"WhoAmIReply", expect_record<WhoAmIReply>},
};

class GoldenClient : public testing::TestWithParam<GoldenFile> {};

TEST_P(GoldenClient, ReadsAndWritesTheSame) {
  const ExactBytes frame(GetParam().bytes);
  Decoder in(frame.view());
  for (const GoldenPart& part : GetParam().parts) {
    SCOPED_TRACE(part.record + part.fields);
    const auto record = kRecords.find(part.record);
    ASSERT_NE(record, kRecords.end());
    record->second(in, part.fields);
  }
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.ended());
}

INSTANTIATE_TEST_SUITE_P(All, GoldenClient, testing::ValuesIn(golden_files("client")), golden_name);

/// A record read off the front of a golden file.
template <class Record>
Record golden_record(const std::string& name, size_t skipped_bytes = 0) {
  static const std::vector<GoldenFile> files = golden_files("client");
  Record record;
  for (const GoldenFile& golden : files) {
    if (golden.name != name) continue;
    Decoder in(std::string_view(golden.bytes).substr(skipped_bytes));
    EXPECT_TRUE(decode(in, record)) << name;
    return record;
  }
  ADD_FAILURE() << "no " << name;
  return record;
}

// Each request of a type of its own must be there, so that renewing the captures cannot lose one.
TEST(GoldenClientIndex, HoldsEveryRequestType) {
  std::set<int32_t> requests;
  for (const GoldenFile& golden : golden_files("client")) {
    if (golden.parts[0].record == "RequestHeader") requests.insert(golden_record<RequestHeader>(golden.name).type);
  }
  for (const Op op : {Op::Create,
                      Op::Delete,
                      Op::Exists,
                      Op::GetData,
                      Op::SetData,
                      Op::GetAcl,
                      Op::SetAcl,
                      Op::GetChildren,
                      Op::Sync,
                      Op::Ping,
                      Op::GetChildren2,
                      Op::Multi,
                      Op::Create2,
                      Op::Reconfig,
                      Op::CheckWatches,
                      Op::RemoveWatches,
                      Op::CreateContainer,
                      Op::CreateTtl,
                      Op::MultiRead,
                      Op::Auth,
                      Op::SetWatches,
                      Op::GetEphemerals,
                      Op::GetAllChildrenNumber,
                      Op::SetWatches2,
                      Op::AddWatch,
                      Op::WhoAmI,
                      Op::CloseSession}) {
    EXPECT_TRUE(requests.contains(static_cast<int32_t>(op))) << "type " << static_cast<int32_t>(op);
  }
}

TEST(GoldenClientIndex, NotificationsAreNumberedAsOurs) {
  constexpr size_t reply_header_bytes = 16;
  const std::map<std::string, Event> events = {{"created", Event::Created},
                                               {"deleted", Event::Deleted},
                                               {"dataChanged", Event::DataChanged},
                                               {"childrenChanged", Event::ChildrenChanged}};
  for (const auto& [name, event] : events) {
    const std::string file = "notification-" + name + ".bin";
    EXPECT_EQ(golden_record<ReplyHeader>(file).xid, kNotificationXid);
    const auto told = golden_record<WatcherEvent>(file, reply_header_bytes);
    EXPECT_EQ(told.type, static_cast<int32_t>(event));
    EXPECT_EQ(told.state, kSyncConnected);
  }
}

TEST(GoldenClientIndex, RefusalsAreNumberedAsOurs) {
  const std::map<std::string, Code> codes = {
      {"create-refused", Code::NodeExists},         {"exists-refused", Code::NoNode},
      {"reconfig-refused", Code::ReconfigDisabled}, {"auth-failed", Code::AuthFailed},
      {"removeWatches-refused", Code::NoWatcher},   {"create-null-acl", Code::InvalidAcl},
      {"multi-refused", Code::MarshallingError},    {"multi-failed", Code::Ok}};
  for (const auto& [name, code] : codes) {
    EXPECT_EQ(golden_record<ReplyHeader>(name + ".reply.bin").err, static_cast<int32_t>(code)) << name;
  }
}

TEST(GoldenClientIndex, SpecialXidsAreOurs) {
  EXPECT_EQ(golden_record<RequestHeader>("ping.request.bin").xid, kPingXid);
  EXPECT_EQ(golden_record<RequestHeader>("auth.request.bin").xid, kAuthXid);
}

}  // namespace
}  // namespace quorate::wire
