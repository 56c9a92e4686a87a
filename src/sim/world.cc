#include "sim/world.h"

#include <algorithm>
#include <functional>
#include <set>

#include "sim/start_directory.h"
#include "sim/state_check.h"

namespace quorate::sim {
namespace {

constexpr uint64_t kMostEvents = 400'000;
constexpr int64_t kPatienceAtEnd = 1'000'000;
// Long enough for the slowest cleaner.
constexpr int64_t kLeaveTime = 20'000'000;
// More than any client of ours has under way, and what a slow one may let pile up.
constexpr size_t kMostWaiting = 64;
constexpr size_t kMostOutBytes = 5 << 20;

/// What the server has for it was seen by its tap.
bool is_settled(const Link& link) {
  return link.server_open && link.node_client != nullptr && link.node_client->connection->out.empty();
}

}  // namespace

Outcome run_seed(uint64_t seed, bool verbose) { return World(seed, verbose).run(); }

World::World(uint64_t seed, bool verbose)
    : rng_(seed),
      trace_(verbose),
      plan_(make_plan(rng_)),
      disk_(clock_, rng_, trace_),
      history_(verdict_, trace_),
      network_(rng_, trace_,
               [this](int64_t at, NetEvent event, uint32_t link) {
                 schedule_at(at, event == NetEvent::ToServer ? What::ToServer : What::ToClient, link);
               }),
      workload_(rng_, history_.model, plan_.settings.replica.max_frame_bytes),
      requests_left_(plan_.requests) {
  const replica::ReplicaSettings& settings = plan_.settings.replica;
  history_.model.rules = {settings.extended_types, settings.enforce_quota, plan_.settings.recovery.max_buffer_bytes};
  disk_.take_whole_pages(seed % 2 == 0);
  disk_.on_log_bytes = [this](std::string_view bytes) { history_.on_log_bytes(bytes, clock_.micros()); };
  const ClientWorld world{
      {history_, verdict_, trace_, clock_}, network_, workload_, rng_, plan_, requests_left_, [this](Link& link) {
        link.last_to_server = clock_.micros() + link.base_delay;
        schedule_at(link.last_to_server, What::Accept, link.id);
      }};
  for (uint32_t i = 0; i < plan_.clients; ++i) clients_.push_back(std::make_unique<SimClient>(world, i));
}

World::~World() = default;

void World::schedule_at(int64_t at, What what, uint32_t number) { events_.push({at, next_order_++, what, number}); }
void World::schedule(int64_t delay, What what, uint32_t number) { schedule_at(clock_.micros() + delay, what, number); }

Outcome World::run() {
  if (plan_.start_zxid != 0) {
    write_start(disk_, plan_.settings, Zxid{plan_.start_zxid});
    history_.start_at(plan_.start_zxid);
  }
  boot();
  for (uint32_t i = 0; i < plan_.clients; ++i) schedule(rng_.between(0, 50'000), What::Client, i);
  uint64_t events = 0;
  while (!verdict_.failed() && ending_ != Ending::Done) {
    if (events_.empty() || ++events > kMostEvents) {
      verdict_.fail("the run does not come to its end");
      break;
    }
    const Event event = events_.top();
    events_.pop();
    clock_.advance_to(event.at);
    network_.set_time(event.at);
    trace_.set_time(event.at);
    trace_.note(static_cast<uint64_t>(event.at) ^ static_cast<uint64_t>(event.what) << 56);
    handle(event);
  }
  counts_.reached = disk_.reached;
  counts_.crashed_there = disk_.crashed_there;
  counts_.hits = trace_.hits();
  counts_.txns = history_.txns().size();
  return {verdict_.text(), trace_.hash(), counts_};
}

void World::handle(const Event& event) {
  if (handle_outside(event) || event.number != life_) return;  // the rest is of a process, which may be gone
  node_ == nullptr ? boot() : handle_node(event);
}

/// What goes on whether or not there is a server.
bool World::handle_outside(const Event& event) {
  switch (event.what) {
    case What::ToServer: {
      Link& link = network_.link(event.number);
      network_.arrive_at_server(link);
      if (link.server_open) wake(rng_.between(0, 100));
      return true;
    }
    case What::ToClient: {
      Link& link = network_.link(event.number);
      const Chunk chunk = network_.arrive_at_client(link);
      if (link.window_opened) wake(0);
      if (!chunk.bytes.empty() || chunk.end) clients_[link.client]->on_chunk(link, chunk);
      return true;
    }
    case What::Accept:
      accept(network_.link(event.number));
      return true;
    case What::Client: {
      const int64_t pause = clients_[event.number]->act();
      if (pause >= 0) schedule(pause, What::Client, event.number);
      if (requests_left_ == 0) advance_ending();
      return true;
    }
    case What::End:
      advance_ending();
      return true;
    default:
      return false;
  }
}

void World::handle_node(const Event& event) {
  switch (event.what) {
    case What::LogPerform:
      node_->log().perform();
      schedule(rng_.between(0, 100), What::LogDone, life_);
      return after_disk_work();
    case What::BackPerform:
      node_->background().perform();
      schedule(rng_.between(0, 100), What::BackDone, life_);
      return after_disk_work();
    case What::LogDone:
      log_done_ = true;
      return wake(0);
    case What::BackDone:
      background_done_ = true;
      return wake(0);
    case What::Stop:
      disk_.crash();
      return after_disk_work();
    default:
      if (event.at >= round_at_) round();
  }
}

void World::accept(Link& link) {
  if (node_ == nullptr || link.silent) {
    if (!link.silent && link.client_open) clients_[link.client]->on_chunk(link, {{}, true});
    return;
  }
  node_->set_now();
  link.node_client = node_->accept(network_.server_end(link), {"10.0.0.1", "/10.0.0.1:4711", false});
}

/// Requests are all made: let everything be answered, look; let all clients leave, look again.
void World::advance_ending() {
  const int64_t now = clock_.micros();
  if (ending_ == Ending::Work) {
    ending_ = Ending::Drain;
    ending_since_ = now;
    plan_.max_restarts = 0;
    disk_.calm();
    disk_.lift_limit();
    for (auto& client : clients_) client->settle_down();
  }
  if (ending_ == Ending::Drain && now - ending_since_ > kPatienceAtEnd && is_quiet()) {
    check_quiet();
    ending_ = Ending::Leave;
    ending_since_ = now;
    for (auto& client : clients_) client->leave();
    const replica::ReplicaSettings& settings = plan_.settings.replica;
    const int64_t expiry_ms = std::max(plan_.session_timeout_ms, settings.timeouts.min_ms) + settings.tick.value * 4;
    schedule(expiry_ms * 1000 + kLeaveTime, What::End, 0);
    return;
  }
  if (ending_ == Ending::Leave && now - ending_since_ > kLeaveTime) {
    check_quiet();
    check_left();
    stop(true);
    boot();
    ending_ = Ending::Done;
  }
}

bool World::is_quiet() {
  return node_ != nullptr && node_->replica().requests_in_process() == 0 &&
         std::ranges::all_of(clients_, [](const auto& client) { return client->quiet(); });
}

/// Of clients that are gone nothing is left, and what was to be cleaned away is gone.
void World::check_left() {
  replica::Replica& replica = node_->replica();
  if (!replica.sessions().all().empty()) verdict_.fail("sessions are left behind clients that are gone");
  if (replica.tree().ephemeral_count() > 0) verdict_.fail("ephemerals are left behind their sessions");
  if (!replica.watches().empty()) verdict_.fail("watches are left behind their connections");
  if (node_->client_count() > 0) verdict_.fail("connections are left behind clients that are gone");
  for (const std::string& path : history_.model.all(INT64_MAX)) {
    const NodeVersion& node = *history_.model.newest(path);
    const bool used_up = node.stat.ephemeral_owner == wire::kContainerOwner && node.stat.cversion > 0;
    if (used_up && node.children == 0) verdict_.fail("container {} was not cleaned away", path);
  }
}

void World::check_quiet() {
  const std::string wrong = compare_state(node_->replica().tree(), node_->replica().sessions(), history_.model,
                                          node_->replica().tree().last_zxid().value);
  if (!wrong.empty()) verdict_.fail("the live tree is wrong: {}", wrong);
  check_tables();
  check_watches();
  const std::string logs = check_logs(disk_, plan_.settings, history_);
  if (!logs.empty()) verdict_.fail("the logs: {}", logs);
}

/// What the tables hold belongs to the living. Spec: known-faults MUST-9.
void World::check_tables() {
  replica::Replica& replica = node_->replica();
  std::set<uint64_t> live;
  for (const replica::Connection* connection : replica.connections()) live.insert(connection->id.value);
  for (const auto& [path, connections] : replica.watches().by_path()) {
    for (const ConnId id : connections) {
      if (!live.contains(id.value))
        return verdict_.fail("a watch on {} of connection {}, which is closed", path, id.value);
    }
  }
  for (const SessionId owner : replica.tree().sessions_with_ephemerals()) {
    if (!replica.sessions().contains(owner)) return verdict_.fail("an ephemeral without a session");
  }
  // A session is tracked from its proposal on, and listed once that is applied.
  const size_t tracked = replica.session_table().size();
  const size_t listed = replica.sessions().size();
  if (tracked < listed || tracked > listed + replica.requests_in_process()) {
    verdict_.fail("{} sessions are tracked, {} are in the list", tracked, listed);
  }
  for (const replica::Connection* connection : replica.connections()) {
    if (connection->waiting.size() > kMostWaiting || connection->out.size() > kMostOutBytes) {
      return verdict_.fail("connection {} has {} requests waiting and {} bytes to be sent", connection->id.value,
                           connection->waiting.size(), connection->out.size());
    }
  }
  if (replica.stats().digest_mismatches_count > 0) verdict_.fail("the digest of a txn is not its tree's");
}

/// With nothing under way the server's tables are exactly what the connections' twins have.
void World::check_watches() {
  replica::Replica& replica = node_->replica();
  size_t in_data = 0;
  size_t in_child = 0;
  bool all_settled = true;
  for (const auto& link : network_.links()) {
    if (!link->server_open) continue;
    if (!is_settled(*link)) {
      all_settled = false;
      continue;
    }
    link->tap.settle(replica.tree().last_zxid().value);
    in_data += link->tap.twin().data().size();
    in_child += link->tap.twin().child().size();
    check_watches_of(*link);
  }
  if (!all_settled) return;
  if (replica.watches().data_watches() != in_data || replica.watches().child_watches() != in_child) {
    verdict_.fail("{} and {} watches are in the tables, clients have {} and {}", replica.watches().data_watches(),
                  replica.watches().child_watches(), in_data, in_child);
  }
}

void World::check_watches_of(const Link& link) {
  const WatchTwin& twin = link.tap.twin();
  const auto& watcher = link.node_client->connection->watcher;
  const auto check = [&](const std::string& path) {
    // Each kind by its number on the wire; 3 is any.
    for (const int32_t type : {1, 2, 4, 5}) {
      const bool there = watcher && node_->replica().watches().contains(*watcher, path, type);
      if (there == twin.contains(path, type)) continue;
      verdict_.fail("client {}: a watch of type {} on {} is {}", link.client, type, path, there ? "left" : "missing");
    }
  };
  for (const auto& [path, modes] : twin.data()) check(path);
  for (const auto& [path, modes] : twin.child()) check(path);
}

}  // namespace quorate::sim
