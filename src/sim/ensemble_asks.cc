#include "sim/ensemble_asks.h"

#include <fmt/format.h>

namespace quorate::sim {
namespace {

using wire::CreateMode;
using wire::Op;

constexpr const char* kParents[] = {"/a", "/b", "/c"};
constexpr size_t kMostNames = 12;

AclPtr open_acl() {
  static const AclPtr open = std::make_shared<Acl>(Acl{{wire::kPermAll, "world", "anyone"}});
  return open;
}

Ask ask_of(Op op, const std::string& path) {
  Ask ask;
  ask.op = op;
  ask.path = path;
  return ask;
}

Request request_of(Ask ask) {
  Request request;
  request.op = ask.op;
  request.ask = std::move(ask);
  return request;
}

}  // namespace

DataPtr EnsembleAsks::new_data() {
  return std::make_shared<const std::string>(
      fmt::format("{}.{}{}", client_, ++written_, std::string(rng_.one_in(8) ? rng_.skewed(9) : 0, '+')));
}

void EnsembleAsks::learn_name(const std::string& path) {
  names_.push_back(path);
  if (names_.size() > kMostNames) names_.erase(names_.begin());
}

Request EnsembleAsks::create(const std::string& path, int32_t flags) {
  Ask ask = ask_of(rng_.percent(50) ? Op::Create : Op::Create2, path);
  ask.data = new_data();
  ask.acl = open_acl();
  ask.flags = flags;
  return request_of(std::move(ask));
}

Request EnsembleAsks::set(const std::string& path, int32_t version) {
  Ask ask = ask_of(Op::SetData, path);
  ask.data = new_data();
  ask.version = version;
  return request_of(std::move(ask));
}

Request EnsembleAsks::remove(const std::string& path) { return request_of(ask_of(Op::Delete, path)); }

Request EnsembleAsks::read(Op op, const std::string& path, bool watch) {
  Request request = request_of(ask_of(op, path));
  request.watch = watch;
  return request;
}

std::string EnsembleAsks::some_path() {
  const std::string parent = rng_.pick(kParents);
  if (rng_.percent(35)) return parent;
  if (!names_.empty() && rng_.percent(25)) return rng_.pick(names_);
  return fmt::format("{}/{}", parent, rng_.below(4));
}

int32_t EnsembleAsks::some_version(const std::string& path) {
  const auto known = versions_.find(path);
  if (known == versions_.end() || rng_.percent(50)) return -1;
  return known->second;
}

Request EnsembleAsks::draw_create() {
  const std::string parent = rng_.pick(kParents);
  if (rng_.percent(25)) return create(parent);
  if (rng_.percent(50)) {
    return create(fmt::format("{}/{}", parent, rng_.below(4)),
                  static_cast<int32_t>(rng_.percent(40) ? CreateMode::Ephemeral : CreateMode::Persistent));
  }
  const CreateMode mode = rng_.percent(50) ? CreateMode::EphemeralSequential : CreateMode::PersistentSequential;
  return create(parent + "/q-", static_cast<int32_t>(mode));
}

Request EnsembleAsks::multi() {
  Request request;
  request.op = request.ask.op = Op::Multi;
  for (uint64_t parts = 2 + rng_.below(2); parts > 0; --parts) {
    const std::string path = some_path();
    const uint64_t draw = rng_.below(10);
    Ask part = draw < 6 ? set(path, some_version(path)).ask : draw < 8 ? draw_create().ask : remove(path).ask;
    request.parts.push_back(std::move(part));
  }
  return request;
}

Request EnsembleAsks::draw_write() {
  const uint64_t draw = rng_.below(100);
  if (draw < 40) return draw_create();
  if (draw < 75) {
    const std::string path = some_path();
    return set(path, some_version(path));
  }
  return draw < 88 ? remove(some_path()) : multi();
}

Request EnsembleAsks::draw_read() {
  constexpr Op kReads[] = {Op::GetData, Op::GetData, Op::Exists, Op::GetChildren, Op::GetChildren2};
  if (rng_.percent(12)) return read(Op::Sync, "/a");
  const Op op = rng_.pick(kReads);
  const bool of_children = op == Op::GetChildren || op == Op::GetChildren2;
  return read(op, of_children ? rng_.pick(kParents) : some_path(), rng_.percent(40));
}

Request EnsembleAsks::next() { return rng_.percent(55) ? draw_write() : draw_read(); }

}  // namespace quorate::sim
