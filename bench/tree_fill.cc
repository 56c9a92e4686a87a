// tree_fill: what a znode costs. Fills a tree and prints the resident bytes a node and the times of filling, finding
// (cold: in random order over all nodes), changing and erasing through apply(), taking a snapshot walk, and loading
// its bytes into a second tree.
//   tree_fill [nodes = 1500000] [data bytes = 100]
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/tree/apply.h"
#include "core/tree/loader.h"
#include "core/tree/snapshot_walk.h"
#include "measure.h"
#include "wire/record.h"

namespace {

using namespace quorate;
using bench::resident_bytes;
using bench::Timer;

/// Names of 11 bytes under ten parents with short names.
std::string path_of(size_t number) {
  char path[32];
  const int length = std::snprintf(path, sizeof path, "/p%zu/n%010zu", number % 10, number);
  return {path, static_cast<size_t>(length)};
}

struct World {
  tree::Tree tree{tree::HashKey{0x1234, 0x5678}};
  tree::SessionList sessions;
  tree::Applied applied;
  int64_t zxid = 0;

  void run(wire::Op op, const auto& record) {
    payload.clear();
    wire::Encoder out(payload);
    wire::encode(out, wire::TxnHeader{SessionId{1}, 1, Zxid{++zxid}, 1700000000000 + zxid, static_cast<int32_t>(op)});
    wire::encode(out, record);
    tree::TxnView txn;
    std::string why;
    if (!tree::parse_txn(payload.view(), txn, why)) std::abort();
    applied.clear();
    tree::apply(tree, sessions, txn, applied);
    if (applied.parts[0].code != wire::Code::Ok) std::abort();
  }
  void create(std::string_view path, std::string_view data) {
    const std::string raw(
        "\0\0\0\x01\0\0\0\x1f\0\0\0\x05world\0\0\0\x06"
        "anyone",
        27);
    run(wire::Op::Create, wire::CreateTxn{path, data, wire::AclVector::trusted(raw), false, -1});
  }

  ByteBuffer payload;
};

void fill(World& world, size_t nodes, const std::string& data) {
  for (int parent = 0; parent < 10; ++parent) world.create("/p" + std::to_string(parent), data);
  const size_t before = resident_bytes();
  {
    const Timer timer("fill (apply create)", nodes);
    for (size_t number = 0; number < nodes; ++number) world.create(path_of(number), data);
  }
  const auto used = static_cast<double>(resident_bytes() - before);
  std::printf("resident                     %8.1f bytes a node; the tree counts %.1f\n",
              used / static_cast<double>(nodes),
              static_cast<double>(world.tree.resident_bytes()) / static_cast<double>(nodes));
}

void look_up(const World& world, size_t nodes) {
  std::vector<std::string> paths;
  uint64_t state = 88172645463325252ULL;
  for (size_t i = 0; i < 1000000; ++i) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    paths.push_back(path_of(state % nodes));
  }
  const Timer timer("find, random order", paths.size());
  for (const std::string& path : paths) {
    if (world.tree.find(path) == tree::kNoNode) std::abort();
  }
}

void change(World& world, size_t nodes, const std::string& data) {
  const size_t stride = 7919;  // far apart: cold nodes
  const size_t count = nodes / 10;
  const Timer timer("set data (apply setData)", count);
  for (size_t i = 0; i < count; ++i) {
    world.run(wire::Op::SetData, wire::SetDataTxn{path_of(i * stride % nodes), data, 1});
  }
}

ByteBuffer walk(World& world) {
  ByteBuffer bytes;
  const size_t nodes = world.tree.node_count();
  const Timer timer("snapshot walk", nodes);
  tree::SnapshotWalk snapshot(world.tree, world.sessions);
  for (bool done = false; !done;) {
    done = snapshot.slice(size_t{1} << 20);
    bytes.append(snapshot.take().view());
  }
  return bytes;
}

void load(std::string_view bytes, size_t nodes, uint64_t digest) {
  const size_t before = resident_bytes();
  tree::Tree tree{tree::HashKey{9, 8}};
  tree::SessionList sessions;
  {
    const Timer timer("load (TreeLoader)", nodes);
    tree::TreeLoader loader(tree, sessions);
    wire::Decoder in(bytes.substr(16));
    if (in.i32() != 0) std::abort();
    for (int32_t lists = in.i32(); lists > 0; --lists) {
      const tree::AclId id{in.i64()};
      loader.acl(id, wire::AclVector::take(in).raw());
    }
    for (std::string_view path = in.view(); path != "/"; path = in.view()) {
      const std::string_view data = in.view();
      const tree::AclId acl{in.i64()};
      wire::StatPersisted stat;
      wire::decode(in, stat);
      if (!loader.node(path, data, acl, stat)) std::abort();
    }
    if (!loader.finish(Zxid{1})) std::abort();
  }
  if (tree.digest() != digest) std::abort();
  std::printf("resident after load          %8.1f bytes a node\n",
              static_cast<double>(resident_bytes() - before) / static_cast<double>(nodes));
}

void erase_all(World& world, size_t nodes) {
  const Timer timer("erase (apply delete)", nodes);
  for (size_t number = 0; number < nodes; ++number) world.run(wire::Op::Delete, wire::DeleteTxn{path_of(number)});
}

}  // namespace

int main(int argc, char** argv) {
  const size_t nodes = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1500000;
  const std::string data(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 100, 'x');
  World world;
  fill(world, nodes, data);
  look_up(world, nodes);
  change(world, nodes, data);
  const ByteBuffer bytes = walk(world);
  load(bytes.view(), world.tree.node_count(), world.tree.digest());
  erase_all(world, nodes);
  return 0;
}
