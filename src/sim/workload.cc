#include "sim/workload.h"

#include <fmt/format.h>

#include <algorithm>

namespace quorate::sim {
namespace {

using wire::CreateMode;
using wire::Op;

constexpr const char* kNames[] = {"a", "b", "c", "d", "e", "longer-name"};

constexpr size_t kSmallFrame = 4000;
constexpr size_t kLongName = 240;

AclPtr list(int32_t perms, const char* scheme, const char* id) {
  return std::make_shared<const Acl>(Acl{{perms, scheme, id}});
}

/// As many entries as there can be; stored, each is three times as long.
AclPtr long_list() {
  Acl acl;
  for (int32_t perms = wire::kPermAll; perms > 0; --perms) acl.push_back({perms, "auth", ""});
  return std::make_shared<const Acl>(std::move(acl));
}

bool is_server_made(const std::string& path) { return path.starts_with("/zookeeper"); }

int32_t version_of(const NodeVersion* node) { return node == nullptr ? 0 : node->stat.version; }

}  // namespace

Workload::Workload(Rng& rng, const Model& model, int32_t longest_frame)
    : rng_(rng),
      model_(model),
      longest_frame_(static_cast<size_t>(longest_frame)),
      open_(list(wire::kPermAll, "world", "anyone")),
      read_only_(list(wire::kPermRead, "world", "anyone")),
      mine_(list(wire::kPermAll, "auth", "")),
      long_(long_list()),
      empty_(std::make_shared<const Acl>()) {}

Request Workload::next() {
  while (true) {
    Request request = any();
    ByteBuffer frame;
    encode_request(request, frame);
    if (frame.size() - 4 <= longest_frame_ || rng_.percent(15)) return request;
  }
}

Request Workload::any() {
  const uint64_t draw = rng_.below(100);
  if (draw < 55) return write();
  if (draw < 90) return read();
  return watch_request();
}

Request Workload::write() {
  Request request;
  const uint64_t draw = rng_.below(100);
  if (draw < 12) return multi();
  if (draw < 50) {
    request.ask = create();
  } else if (draw < 72) {
    request.ask = set_data();
  } else if (draw < 94) {
    request.ask = remove();
  } else {
    request.ask = set_acl();
  }
  request.op = request.ask.op;
  return request;
}

Request Workload::multi() {
  Request request;
  request.op = Op::Multi;
  const uint64_t parts = rng_.below(6);
  for (uint64_t i = 0; i < parts; ++i) {
    const uint64_t draw = rng_.below(10);
    if (draw < 4) {
      request.parts.push_back(create());
    } else if (draw < 6) {
      request.parts.push_back(set_data());
    } else if (draw < 8) {
      request.parts.push_back(remove());
    } else {
      Ask check;
      check.op = Op::Check;
      check.path = some_path();
      check.version = some_version(-1);
      request.parts.push_back(check);
    }
  }
  return request;
}

/// One of the nodes that a shell makes and removes for a quota. Spec: client 11.2.
Ask Workload::quota_node(Op op) {
  constexpr const char* kLeaves[] = {"", "/zookeeper_limits", "/zookeeper_stats"};
  Ask ask;
  ask.op = op;
  ask.path = fmt::format("/zookeeper/quota/{}{}", rng_.one_in(3) ? "b" : "a", rng_.pick(kLeaves));
  ask.acl = open_;
  std::string limits = fmt::format("count={},bytes={}", rng_.between(-1, 9), rng_.between(-1, 3000));
  if (rng_.percent(60)) limits += fmt::format("=;countHardLimit={}", rng_.between(-1, 9));
  if (rng_.percent(40)) limits += fmt::format("=;byteHardLimit={}", rng_.between(-1, 5000));
  ask.data = std::make_shared<const std::string>(std::move(limits));
  return ask;
}

/// What is missing first, mostly, in the order of a shell.
Ask Workload::quota_step() {
  Ask ask = quota_node(Op::Create);
  const std::string root = ask.path.substr(0, sizeof("/zookeeper/quota/a") - 1);
  for (const char* leaf : {"", "/zookeeper_limits", "/zookeeper_stats"}) {
    if (rng_.percent(20) || model_.newest(root + leaf) != nullptr) continue;
    ask.path = root + leaf;
    break;
  }
  return ask;
}

Ask Workload::create() {
  if (rng_.one_in(model_.rules.enforce_quota ? 8 : 25)) return quota_step();
  Ask ask;
  ask.path = rng_.percent(15) ? some_path() : new_path();
  ask.data = some_data();
  ask.acl = some_acl();
  const uint64_t draw = rng_.below(20);
  ask.flags = static_cast<int32_t>(draw < 8 ? 0 : draw < 13 ? 1 : draw < 15 ? 2 : draw < 17 ? 3 : draw < 19 ? 4 : 5);
  if (ask.flags == 5 && rng_.percent(40)) ask.flags = 6;
  if (ask.path.ends_with("nn") && rng_.percent(70)) ask.flags = static_cast<int32_t>(CreateMode::EphemeralSequential);
  switch (static_cast<CreateMode>(ask.flags)) {
    case CreateMode::Container:
      ask.op = Op::CreateContainer;
      break;
    case CreateMode::PersistentTtl:
    case CreateMode::PersistentSequentialTtl:
      ask.op = Op::CreateTtl;
      ask.ttl = rng_.between(1, 3000);
      break;
    default:
      ask.op = rng_.percent(50) ? Op::Create : Op::Create2;
  }
  return ask;
}

Ask Workload::set_data() {
  if (rng_.one_in(40)) {
    Ask limits = quota_node(Op::SetData);
    if (limits.path.ends_with("limits")) return limits;
  }
  Ask ask;
  ask.op = Op::SetData;
  ask.path = some_path();
  ask.data = some_data();
  ask.version = some_version(version_of(model_.newest(ask.path)));
  return ask;
}

Ask Workload::remove() {
  if (rng_.one_in(40)) return quota_node(Op::Delete);
  Ask ask;
  ask.op = Op::Delete;
  ask.path = some_path();
  ask.version = some_version(version_of(model_.newest(ask.path)));
  return ask;
}

Ask Workload::set_acl() {
  Ask ask;
  ask.op = Op::SetAcl;
  ask.path = some_path();
  // A root that nobody may write to would end the run's story.
  ask.acl = ask.path == "/" ? open_ : some_acl();
  ask.version = rng_.percent(80) ? -1 : static_cast<int32_t>(rng_.below(3));
  return ask;
}

Request Workload::read() {
  constexpr Op kOps[] = {Op::GetData,      Op::GetData, Op::Exists, Op::Exists,        Op::GetChildren,
                         Op::GetChildren2, Op::GetAcl,  Op::Sync,   Op::GetEphemerals, Op::GetAllChildrenNumber,
                         Op::MultiRead,    Op::WhoAmI};
  Request request;
  request.op = rng_.pick(kOps);
  request.ask.op = request.op;
  request.ask.path = some_path();
  request.watch = rng_.percent(50);
  if (request.op == Op::GetEphemerals) request.ask.path = rng_.percent(50) ? "/" : "/a";
  for (uint64_t i = request.op == Op::MultiRead ? rng_.below(4) : 0; i > 0; --i) {
    Ask part;
    part.op = rng_.percent(50) ? Op::GetData : Op::GetChildren;
    part.path = some_path();
    request.parts.push_back(part);
  }
  return request;
}

Request Workload::watch_request() {
  Request request;
  const uint64_t draw = rng_.below(10);
  request.op = draw < 5 ? Op::AddWatch : draw < 8 ? Op::RemoveWatches : Op::CheckWatches;
  request.ask.op = request.op;
  request.ask.path = some_path();
  request.mode = static_cast<int32_t>(request.op == Op::AddWatch ? rng_.below(2) : rng_.between(1, 5));
  return request;
}

std::string Workload::existing_path() {
  std::vector<std::string> all = model_.all(INT64_MAX);
  std::erase_if(all, is_server_made);
  return all.empty() || rng_.one_in(20) ? "/" : rng_.pick(all);
}

std::string Workload::some_path() { return rng_.percent(70) ? existing_path() : new_path(); }

std::string Workload::new_path() {
  std::string parent = rng_.percent(50) ? "/" : existing_path();
  // Shallow, so that names meet again.
  while (std::count(parent.begin(), parent.end(), '/') > 2) parent = parent_path(parent);
  // Long names fill small frames, and what a session's end lists.
  const bool is_long = longest_frame_ < kSmallFrame && rng_.one_in(4);
  return (parent == "/" ? "/" : parent + "/") + (is_long ? std::string(kLongName, 'n') : rng_.pick(kNames));
}

DataPtr Workload::some_data() {
  const uint64_t draw = rng_.below(20);
  if (draw == 0) return nullptr;
  uint64_t bytes = draw < 14 ? rng_.below(60) : draw < 19 ? rng_.below(1500) : rng_.below(9000);
  std::string data(bytes, '\0');
  uint64_t word = rng_.next();
  for (char& byte : data) {
    word = word * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<char>('!' + (word >> 58));
  }
  return std::make_shared<const std::string>(std::move(data));
}

AclPtr Workload::some_acl() {
  if (longest_frame_ < kSmallFrame && rng_.one_in(12)) return long_;
  const uint64_t draw = rng_.below(40);
  return draw < 34 ? open_ : draw < 36 ? read_only_ : draw < 39 ? mine_ : empty_;
}

int32_t Workload::some_version(int32_t current) {
  const uint64_t draw = rng_.below(10);
  return draw < 6 ? -1 : draw < 9 ? current : static_cast<int32_t>(rng_.below(4));
}

}  // namespace quorate::sim
