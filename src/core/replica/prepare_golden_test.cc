#include <libdeflate.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/replica/prepare_testing.h"
#include "wire/txn.h"

// Goal: what is logged is what Apache logs, byte for byte, digests included.
// Method: a log that Apache 3.9.5 wrote is turned back into requests; each is prepared, compared with the record that
// Apache made of it, and that record applied.
namespace quorate::replica {
namespace {

using namespace prepare_testing;
using wire::Code;
using wire::Op;

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string gunzip(const std::string& packed) {
  EXPECT_GT(packed.size(), 18u) << "no such file";
  if (packed.size() <= 18) return {};
  std::string plain(__builtin_bswap32(wire::load_be32(packed.data() + packed.size() - 4)), '\0');
  libdeflate_decompressor* decompressor = libdeflate_alloc_decompressor();
  const libdeflate_result result =
      libdeflate_gzip_decompress(decompressor, packed.data(), packed.size(), plain.data(), plain.size(), nullptr);
  libdeflate_free_decompressor(decompressor);
  EXPECT_EQ(result, LIBDEFLATE_SUCCESS);
  return plain;
}

std::string member(const std::string& tar, const std::string& name) {
  for (size_t at = 0; at + 512 <= tar.size() && tar[at] != '\0';) {
    const size_t size = std::stoul(tar.substr(at + 124, 11), nullptr, 8);
    if (std::string(tar.c_str() + at).ends_with(name)) return tar.substr(at + 512, size);
    at += 512 + (size + 511) / 512 * 512;
  }
  ADD_FAILURE() << name << " is not in the archive";
  return {};
}

std::vector<std::string> payloads(const std::string& log) {
  std::vector<std::string> result;
  for (size_t at = wire::kLogHeaderBytes; at + wire::kRecordPrefixBytes < log.size();) {
    const size_t length = wire::load_be32(log.data() + at + 8);
    if (length == 0) break;
    result.push_back(log.substr(at + wire::kRecordPrefixBytes, length));
    at += wire::kRecordPrefixBytes + length + 1;
  }
  return result;
}

Part asked(Op op, std::string_view record);

/// Some request that is refused with that code on the tree of that log.
Part refused(int32_t err) {
  switch (static_cast<Code>(err)) {
    case Code::NoNode:
      return {Op::SetData, set_data("/no-such-node", "")};
    case Code::BadVersion:
      return {Op::SetData, set_data("/", "", 99)};
    case Code::NodeExists:
      return {Op::Create, create("/")};
    case Code::NotEmpty:
      return {Op::Delete, path_version("/seq")};
    case Code::NoChildrenForEphemerals:
      return {Op::Create, create("/eph/x")};
    case Code::InvalidAcl:
      return {Op::Create, create({.path = "/x", .acl = kEmptyAcl})};
    default:
      return {Op::Create, create("x")};
  }
}

template <class Txn>
Txn decoded(std::string_view record) {
  Txn txn;
  wire::Decoder in(record);
  EXPECT_TRUE(wire::decode(in, txn));
  return txn;
}

/// Flags and a ttl where the record has them.
Part asked_create(Op op, std::string_view record) {
  if (op == Op::CreateTtl) {
    const auto txn = decoded<wire::CreateTtlTxn>(record);
    const CreateFields fields{txn.path, txn.data, std::string(txn.acl.raw()), 5};
    return {op, create(fields) + bytes_of([&](wire::Encoder& out) { out.i64(txn.ttl); })};
  }
  if (op == Op::CreateContainer) {
    const auto txn = decoded<wire::CreateContainerTxn>(record);
    return {op, create(CreateFields{txn.path, txn.data, std::string(txn.acl.raw()), 4})};
  }
  const auto txn = decoded<wire::CreateTxn>(record);
  return {op, create(CreateFields{txn.path, txn.data, std::string(txn.acl.raw()), txn.ephemeral ? 1 : 0})};
}

Part asked_multi(std::string_view record) {
  std::vector<Part> parts;
  decoded<wire::MultiTxn>(record).parts.each(
      [&](const wire::TxnPart& part) { parts.push_back(asked(static_cast<Op>(part.type), part.data)); });
  return {Op::Multi, multi(parts)};
}

/// The request that such a txn came from.
Part asked(Op op, std::string_view record) {
  switch (op) {
    case Op::Create:
    case Op::Create2:
    case Op::CreateContainer:
    case Op::CreateTtl:
      return asked_create(op, record);
    case Op::Delete:
      return {op, path_version(decoded<wire::DeleteTxn>(record).path)};
    case Op::Check: {
      const auto txn = decoded<wire::CheckVersionTxn>(record);
      return {op, path_version(txn.path, txn.version - 1)};
    }
    case Op::SetData: {
      const auto txn = decoded<wire::SetDataTxn>(record);
      return {op, set_data(txn.path, txn.data, txn.version - 1)};
    }
    case Op::SetAcl: {
      const auto txn = decoded<wire::SetAclTxn>(record);
      return {op, set_acl(txn.path, std::string(txn.acl.raw()), txn.version - 1)};
    }
    case Op::Multi:
      return asked_multi(record);
    case Op::Error:
      return refused(decoded<wire::ErrorTxn>(record).err);
    default:
      return {op, std::string(record)};
  }
}

World::Asker asker_of(const wire::TxnHeader& header) {
  const Op op = static_cast<Op>(header.type);
  const bool own = op == Op::CreateSession || op == Op::DeleteContainer;
  return {header.client_id, nullptr, own ? Origin::Server : Origin::Client, header.cxid};
}

/// Apache lists the ephemerals of a session in the order of a hash table; ours are sorted.
std::string with_sorted_list(const std::string& payload) {
  const auto txn = decoded<wire::CloseSessionTxn>(std::string_view(payload).substr(32));
  std::vector<std::string> paths;
  txn.paths_to_delete.each([&](const wire::StringItem& item) { paths.emplace_back(item.text); });
  std::ranges::sort(paths);
  const std::string list = bytes_of([&](wire::Encoder& out) {
    out.i32(static_cast<int32_t>(paths.size()));
    for (const std::string& path : paths) out.view(path);
  });
  return payload.substr(0, 32) + list + payload.substr(32 + list.size());
}

void compare(const std::string& archive) {
  World world(with([](ReplicaSettings& s) { s.extended_types = true; }), auth::AuthSettings{.skip_acl = true});
  const std::string tar = gunzip(read_file(QUORATE_GOLDEN "/data/" + archive + "/data.tar.gz"));
  const std::vector<std::string> golden = payloads(member(tar, "version-2/log.1"));
  EXPECT_GT(golden.size(), 70u);
  for (const std::string& payload : golden) {
    tree::TxnView txn;
    std::string why;
    ASSERT_TRUE(tree::parse_txn(payload, txn, why)) << why;
    if (txn.header.type == static_cast<int32_t>(Op::CreateSession)) {
      world.table.add(txn.header.client_id, 30000, world.now.monotonic);
    }
    const auto [op, body] = asked(static_cast<Op>(txn.header.type), txn.body);
    world.now.wall_ms = txn.header.time;
    world.zxid = Zxid{txn.header.zxid.value - 1};
    const Made& made = world.ask(op, body, asker_of(txn.header));
    ASSERT_EQ(made.payload, op == Op::CloseSession ? with_sorted_list(payload) : payload)
        << "zxid " << std::hex << txn.header.zxid.value;
    world.apply();
  }
}

TEST(PrepareGolden, EveryKindOfTxnIsApaches) {
  compare("all-ops-3.9.5");
  compare("all-ops-3.8.0");
}

}  // namespace
}  // namespace quorate::replica
