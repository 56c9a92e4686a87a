#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "sim/ensemble_checks.h"
#include "sim/ensemble_world.h"

/// How a run ends: everything heals, and then all must be well.
namespace quorate::sim {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr size_t kFairWindow = 1 << 16;

/// As it is walked, for the comparison of whole trees: path, data, stat and list of each node.
void dump(const tree::Tree& tree, tree::NodeRef at, std::map<std::string, std::string>& nodes) {
  const wire::StatPersisted stat = tree.stored_stat(at);
  const tree::AclId acl = tree.acl_of(at);
  nodes[tree.path_of(at)] = fmt::format(
      "data \"{}\" czxid {:x} mzxid {:x} ctime {} mtime {} version {} cversion {} aversion {} owner {:x} pzxid {:x} "
      "acl \"{}\"",
      tree.data_of(at), stat.czxid, stat.mzxid, stat.ctime, stat.mtime, stat.version, stat.cversion, stat.aversion,
      stat.ephemeral_owner, stat.pzxid, acl == tree::kOpenAcl ? std::string_view() : tree.acls().raw(acl));
}

const char* name_of(wire::PeerState state) {
  constexpr const char* kNames[] = {"looks", "follows", "leads", "observes"};
  return kNames[static_cast<size_t>(state)];
}

std::string first_difference(const std::string& one, const std::string& other) {
  const size_t at = static_cast<size_t>(std::ranges::mismatch(one, other).in1 - one.begin());
  const size_t line = at == 0 ? 0 : one.rfind('\n', at - 1) + 1;
  return fmt::format("\"{}\" and \"{}\"", one.substr(line, 200), other.substr(std::min(line, other.size()), 200));
}

}  // namespace

Outcome EnsembleWorld::finish() {
  heal();
  wait_for_service();
  prove_service();
  let_clients_leave();
  if (!verdict_.failed()) check_left();
  if (!verdict_.failed()) record_.finish(plan_.settings);
  if (!verdict_.failed()) {
    std::vector<uint32_t> all(plan_.servers);
    std::iota(all.begin(), all.end(), 1U);
    const std::string wrong = check_converged(record_.history(), all);
    if (!wrong.empty()) verdict_.fail("{}", wrong);
  }
  Outcome outcome;
  outcome.failure = verdict_.text();
  outcome.trace_hash = trace_.hash();
  Counts& counts = outcome.counts;
  counts.txns = record_.txns();
  counts.ensemble_hits = record_.hits();
  counts.hits = trace_.hits();
  for (const auto& each : servers_) {
    counts.restarts += each->starts();
    counts.snapshots += each->snapshots();
    for (size_t i = 0; i < kCrashPoints; ++i) {
      counts.reached[i] += each->disk().reached[i];
      counts.crashed_there[i] += each->disk().crashed_there[i];
    }
  }
  return outcome;
}

void EnsembleWorld::heal() {
  if (verdict_.failed()) return;
  trace_.say("all heals");
  for (HostId one = 0; one < fabric_.host_count(); ++one) {
    for (HostId other = 0; other < fabric_.host_count(); ++other) {
      if (one == other) continue;
      fabric_.set_cut(one, other, false);
      // Some links are too narrow for the load as such.
      LinkQuality quality = fabric_.quality(one, other);
      quality.window_bytes = std::max(quality.window_bytes, kFairWindow);
      fabric_.set_quality(one, other, quality);
    }
    fabric_.resume(one);
  }
  for (const auto& each : servers_) {
    each->calm();
    each->boot();
  }
  // Servers have to come up under load, too.
  if (rng_.percent(30)) return;
  for (const auto& each : clients_) each->settle_down();
}

/// I-16: with nothing wrong any more a leader is found, and every server serves.
void EnsembleWorld::wait_for_service() {
  const int64_t tick = plan_.settings.replica.tick.value;
  const int64_t patience_ms = 20 * plan_.init_limit * tick + 4 * plan_.max_notification_interval.value + 60'000;
  const int64_t from = agenda_.now();
  const bool serve = run_until([this] { return leader() != 0 && all_serve(); }, patience_ms * 1000);
  if (!serve && !verdict_.failed()) {
    verdict_.fail("{} s after all has healed not every server serves: {}", patience_ms / 1000, describe());
  }
  trace_.say("all serve, {} ms after all has healed", (agenda_.now() - from) / 1000);
}

/// Every client gets a write done, and nobody's session ends meanwhile.
void EnsembleWorld::prove_service() {
  if (verdict_.failed()) return;
  for (const auto& each : clients_) each->settle_down();
  const auto all_settled = [this] {
    return std::ranges::all_of(clients_, [](const auto& each) { return each->settled(); }) && is_level();
  };
  const int64_t patience_us = 60 * kSecond + int64_t{40} * plan_.settings.replica.timeouts.max_ms * 1000;
  if (!run_until(all_settled, patience_us) && !verdict_.failed()) {
    verdict_.fail("not every client is served though every server serves: {}", describe());
  }
  for (const auto& each : clients_) {
    if (!verdict_.failed()) trace_.say("client {} is served by server {}", each->number(), each->server());
  }
}

/// All have come equally far, and nothing is under way.
bool EnsembleWorld::is_level() const {
  std::set<int64_t> zxids;
  for (const auto& each : servers_) {
    replica::Member* member = each->member();
    if (member == nullptr || !member->serving()) return false;
    zxids.insert(member->journal().applied().value);
    zxids.insert(member->journal().last_made().value);
  }
  return zxids.size() == 1;
}

void EnsembleWorld::let_clients_leave() {
  if (verdict_.failed()) return;
  for (const auto& each : clients_) each->leave();
  const auto none_left = [this] {
    return is_level() && std::ranges::all_of(servers_, [](const auto& each) {
             replica::Replica& replica = each->member()->replica();
             return replica.sessions().size() == 0 && replica.connection_count() == 0;
           });
  };
  const int64_t tick = plan_.settings.replica.tick.value;
  // A session that was given up lives on for its timeout, on a leader that may have been found just now.
  const int64_t patience_ms = 3 * plan_.settings.replica.timeouts.max_ms + 20 * tick + 60'000;
  if (!run_until(none_left, patience_ms * 1000) && !verdict_.failed()) {
    verdict_.fail("sessions or connections of clients that have gone are left: {}", describe());
  }
}

void EnsembleWorld::check_left() {
  std::string first;
  for (const auto& each : servers_) {
    check_server_left(*each);
    const std::string text = canonical(*each);
    if (first.empty()) first = text;
    if (text == first) continue;
    verdict_.fail("servers 1 and {} differ in the end: {}", each->id(), first_difference(first, text));
  }
}

/// I-5, I-10, I-11: nothing of anybody who has gone.
void EnsembleWorld::check_server_left(EnsembleServer& server) {
  replica::Replica& replica = server.member()->replica();
  const tree::WatchTables& watches = replica.watches();
  if (replica.tree().ephemeral_count() > 0) {
    verdict_.fail("server {} has {} ephemerals of nobody", server.id(), replica.tree().ephemeral_count());
  }
  if (!watches.empty() || watches.data_watches() + watches.child_watches() > 0) {
    verdict_.fail("server {} has {} watches of nobody", server.id(), watches.data_watches() + watches.child_watches());
  }
  if (replica.session_table().size() > 0) {
    verdict_.fail("server {} tracks {} sessions of nobody", server.id(), replica.session_table().size());
  }
  if (replica.requests_in_process() > 0) {
    verdict_.fail("server {} has {} requests of nobody", server.id(), replica.requests_in_process());
  }
}

std::string EnsembleWorld::canonical(EnsembleServer& server) const {
  const tree::Tree& tree = server.member()->replica().tree();
  std::map<std::string, std::string> nodes;
  dump(tree, tree::kRoot, nodes);
  for (tree::NodeRef at = tree.next_below(tree::kRoot, tree::kRoot); at != tree::kNoNode;
       at = tree.next_below(tree::kRoot, at)) {
    dump(tree, at, nodes);
  }
  std::string text;
  for (const auto& [path, node] : nodes) text += path + ": " + node + "\n";
  return text;
}

std::string EnsembleWorld::describe() const {
  std::string text;
  for (const auto& each : servers_) {
    replica::Member* member = each->member();
    text += fmt::format("{}server {}", text.empty() ? "" : "; ", each->id());
    if (member == nullptr) {
      text += " is down";
      continue;
    }
    text += fmt::format(" {}{}, applied 0x{:x}, made 0x{:x}, {} sessions, {} connections", name_of(member->state()),
                        member->serving() ? ", serving" : "", member->journal().applied().value,
                        member->journal().last_made().value, member->replica().sessions().size(),
                        member->replica().connection_count());
  }
  for (const auto& each : clients_) {
    text += fmt::format("; client {} {}, session 0x{:x}", each->number(),
                        each->connected() ? "connected" : "not connected", each->session());
  }
  return text;
}

}  // namespace quorate::sim
