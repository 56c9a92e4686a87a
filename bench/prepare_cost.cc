// prepare_cost: what it costs to turn a request into a txn. Prepares setData of 1 KiB over 1,000 keys and creates of
// 100 B under 32 parents, with so many requests in flight before they are applied, and prints the nanoseconds a
// prepare, an on_applied, and the allocations a request. A small tree: the caches are warm, as they are for the keys
// of a busy client.
//   prepare_cost [requests = 2000000] [in flight = 256]
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "core/replica/prepare.h"
#include "core/tree/apply.h"
#include "measure.h"
#include "wire/client.h"
#include "wire/log_record.h"

namespace {

size_t allocations = 0;

}  // namespace

void* operator new(size_t size) {
  ++allocations;
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace {

using namespace quorate;
using bench::cpu_seconds;

constexpr SessionId kSession{0x100000000000001};
constexpr std::string_view kOpenAcl("\0\0\0\1\0\0\0\x1f\0\0\0\5world\0\0\0\6anyone", 27);

struct Request {
  wire::Op op;
  std::string body;
};

template <class Record>
Request request_of(wire::Op op, const Record& record) {
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  wire::encode(out, record);
  return {op, std::string(bytes.view())};
}

Request set_data(std::string_view path, std::string_view data) {
  return request_of(wire::Op::SetData, wire::SetDataRequest{path, data, -1});
}

Request create(std::string_view path, std::string_view data) {
  return request_of(wire::Op::Create, wire::CreateRequest{path, data, wire::AclVector::trusted(kOpenAcl), 0});
}

struct World {
  replica::ReplicaSettings settings;
  tree::Tree tree{tree::HashKey{0x1234, 0x5678}};
  tree::SessionList sessions;
  session::SessionTable table{Millis{3000}};
  auth::Auth auth = *auth::Auth::make({});
  replica::Preparer preparer{tree, table, auth, settings};
  auth::Identities who = {{"ip", "127.0.0.1"}};
  tree::Applied applied;
  ByteBuffer batch;
  Now now{Millis{1000}, 1700000000000};
  Zxid zxid{};
  double prepare_seconds = 0;
  double applied_seconds = 0;
  size_t allocated = 0;
  size_t refused = 0;

  World() { table.add(kSession, 30000, now.monotonic); }

  void prepare(const std::vector<const Request*>& requests) {
    batch.clear();
    const size_t before = allocations;
    const double begin = cpu_seconds();
    for (const Request* request : requests) {
      zxid = zxid.next();
      const replica::Prepared prepared =
          preparer.prepare({request->op, 1, kSession, replica::Origin::Client, who, request->body}, zxid, now, batch);
      refused += prepared.code != wire::Code::Ok;
    }
    prepare_seconds += cpu_seconds() - begin;
    allocated += allocations - before;
  }

  /// The tree first, so that the forgetting can be measured alone: it does not look at the tree.
  void apply(size_t count) {
    const Zxid first{zxid.value - static_cast<int64_t>(count)};
    tree::TxnView txn;
    std::string why;
    for (size_t offset = 0; offset < batch.size();) {
      applied.clear();
      if (!tree::parse_txn(wire::next_payload(batch.view(), offset), txn, why)) std::abort();
      tree::apply(tree, sessions, txn, applied);
      if (!applied.digest_matches) std::abort();
    }
    const double begin = cpu_seconds();
    for (Zxid at = first; at < zxid;) preparer.on_applied(at = at.next());
    applied_seconds += cpu_seconds() - begin;
  }

  void run(const char* name, const std::vector<Request>& requests, size_t count, size_t in_flight) {
    std::vector<const Request*> group;
    prepare_seconds = applied_seconds = 0;
    allocated = refused = 0;
    for (size_t done = 0; done < count; done += group.size()) {
      group.clear();
      for (size_t i = done; i < count && group.size() < in_flight; ++i) group.push_back(&requests[i % requests.size()]);
      prepare(group);
      apply(group.size());
    }
    const auto each = static_cast<double>(count);
    std::printf("%-16s %8.1f ns a prepare %8.1f ns an on_applied %8.4f allocations, %zu refused\n", name,
                prepare_seconds / each * 1e9, applied_seconds / each * 1e9, static_cast<double>(allocated) / each,
                refused);
  }
};

}  // namespace

int main(int argc, char** argv) {
  const size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 2000000;
  const size_t in_flight = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 256;
  const std::string kilobyte(1024, 'x');
  const std::string hundred(100, 'y');
  World world;
  const std::vector<Request> top = {create("/zkload", "")};
  world.run("(first node)", top, 1, 1);

  std::vector<Request> keys, sets, parents, creates;
  for (int i = 0; i < 1000; ++i) {
    const std::string path = "/zkload/k" + std::to_string(i);
    keys.push_back(create(path, kilobyte));
    sets.push_back(set_data(path, kilobyte));
  }
  for (int i = 0; i < 32; ++i) parents.push_back(create("/zkload/p" + std::to_string(i), ""));
  for (size_t i = 0; i < count / 4; ++i) {
    creates.push_back(create("/zkload/p" + std::to_string(i % 32) + "/n" + std::to_string(i / 32), hundred));
  }
  world.run("(keys)", keys, keys.size(), in_flight);
  world.run("(parents)", parents, parents.size(), in_flight);
  world.run("set 1 KiB", sets, count, in_flight);
  world.run("set 1 KiB again", sets, count, in_flight);
  world.run("create 100 B", creates, creates.size(), in_flight);
  return 0;
}
