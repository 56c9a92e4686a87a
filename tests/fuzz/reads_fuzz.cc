#include <string>

#include "base/check.h"
#include "core/replica/reads.h"
#include "input.h"

/// Read requests of one connection against a small tree: each gets exactly one reply, behind whole notifications.
/// Pieces: an op (1 byte), then the record.
namespace quorate::fuzz {
namespace {

using wire::Op;

constexpr Op kOps[] = {Op::Exists,      Op::GetData,       Op::GetAcl,       Op::GetChildren,
                       Op::Sync,        Op::Ping,          Op::GetChildren2, Op::CheckWatches,
                       Op::MultiRead,   Op::RemoveWatches, Op::SetWatches,   Op::GetAllChildrenNumber,
                       Op::SetWatches2, Op::GetEphemerals, Op::AddWatch,     Op::WhoAmI};
constexpr int32_t kXid = 5;

struct World {
  tree::Tree tree{tree::HashKey{1, 2}};
  tree::WatchTables watches;
  auth::Auth auth = auth::Auth::make({}).value();
  replica::Reads reads{tree, watches, auth};
  replica::Connection connection;

  World() {
    connection.id = ConnId{1};
    connection.phase = replica::Phase::Live;
    connection.session = SessionId{77};
    connection.identities.push_back({"ip", "127.0.0.1"});
    for (const char* path : {"/a", "/a/b", "/c"}) {
      wire::StatPersisted stat;
      stat.mzxid = stat.pzxid = 9;
      stat.ephemeral_owner = path == std::string_view("/c") ? 77 : 0;
      tree.insert({.path = path, .data = "data", .acl = tree::kOpenAcl, .stat = stat});
    }
    tree.set_last_zxid(Zxid{9});
  }
};

/// Walks the frames that one request made; the last must be its reply.
void check_output(std::string_view out, Op op, wire::Code code) {
  for (;;) {
    wire::Decoder in(out);
    const auto length = static_cast<size_t>(in.i32());
    QUORATE_CHECK(in.ok() && length >= 16 && length <= out.size() - 4);
    wire::ReplyHeader header;
    QUORATE_CHECK(wire::decode(in, header));
    if (length == out.size() - 4) {
      QUORATE_CHECK(header.xid == (op == Op::Ping ? wire::kPingXid : kXid));
      QUORATE_CHECK(header.err == static_cast<int32_t>(code) && (header.err == 0 || length == 16));
      return;
    }
    QUORATE_CHECK(header.xid == wire::kNotificationXid && header.zxid == Zxid{-1} && header.err == 0);
    out.remove_prefix(length + 4);
  }
}

}  // namespace
}  // namespace quorate::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  fuzz::Input input(data, size);
  fuzz::World world;
  while (!input.empty()) {
    const wire::Op op = fuzz::kOps[input.byte() % std::size(fuzz::kOps)];
    world.connection.out.clear();
    const wire::Code code = world.reads.answer(world.connection, {op, fuzz::kXid, input.piece()});
    fuzz::check_output(world.connection.out.view(), op, code);
  }
  if (world.connection.watcher) world.watches.close(*world.connection.watcher);
  QUORATE_CHECK(world.watches.empty());
  return 0;
}
