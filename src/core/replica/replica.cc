#include "core/replica/replica.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace quorate::replica {
namespace {

// Any fixed number will do: dropping needs to be even, not secret.
constexpr uint64_t kThrottleSeed = 0x51C6D660ULL;

}  // namespace

Replica::Replica(ReplicaSettings settings, auth::Auth auth, StartingPoint start, zab::Journal& journal)
    : settings_(settings),
      auth_(std::move(auth)),
      now_(start.now),
      tree_(std::move(start.tree)),
      sessions_(std::move(start.sessions)),
      role_(start.role),
      serving_(role_.alone()),
      session_table_(settings_.tick),
      local_sessions_(settings_.tick),
      watches_(start.seed),
      journal_(journal),
      preparer_(*tree_, session_table_, auth_, settings_),
      reads_(*tree_, watches_, auth_),
      throttle_(settings_.connection_throttle, kThrottleSeed),
      cleaner_(settings_.cleaner, now_),
      next_session_id_(session::first_session_id(Millis{now_.wall_ms}, settings_.server_id).value) {
  if (serving_) begin_serving();
}

void Replica::begin_serving() {
  serving_ = true;
  if (role_.follow != nullptr) return;
  // Every session gets its full time from a new leader (known-faults R-N8).
  for (const auto& [id, timeout_ms] : sessions_.all()) session_table_.add(id, timeout_ms, now_.monotonic);
  // An owner without a session has nobody whose close would remove its nodes: end it by a txn (known-faults MUST-5).
  for (const SessionId owner : tree_->sessions_with_ephemerals()) {
    if (!sessions_.contains(owner)) submit_own(wire::Op::CloseSession, owner, {});
  }
}

Replica::~Replica() = default;

std::pair<std::unique_ptr<tree::Tree>, tree::SessionList> Replica::release() {
  return {std::move(tree_), std::move(sessions_)};
}

Connection& Replica::open(PeerAddress peer) {
  auto connection = std::make_unique<Connection>();
  connection->id = ConnId{next_conn_id_++};
  connection->remote_ip = std::move(peer.ip);
  connection->remote_text = std::move(peer.text);
  connection->secure = peer.secure;
  connection->stats.established_wall_ms = now_.wall_ms;
  connection->identities.push_back({"ip", connection->remote_ip});
  Connection& opened = *connection;
  connections_.emplace(opened.id, std::move(connection));
  return opened;
}

void Replica::on_frame(Connection& connection, std::string_view frame) {
  ++connection.stats.received;
  ++stats_.packets_received;
  stats_.bytes_received_count += static_cast<int64_t>(frame.size()) + 4;
  if (connection.phase == Phase::New) return connect(connection, frame);
  request(connection, frame);
}

void Replica::close(Connection& connection) {
  if (connection.phase == Phase::Closed) return;
  connection.phase = Phase::Closed;
  if (connection.watcher) {
    watches_.close(*connection.watcher);
    connection.watcher.reset();
  }
  const auto bound = bound_.find(connection.session);
  if (bound != bound_.end() && bound->second == &connection) bound_.erase(bound);
  waiting_reads_ -= static_cast<size_t>(std::ranges::count(connection.waiting, false, &Waiting::is_write));
  connection.waiting.clear();
}

void Replica::begin_close(Connection& connection) {
  if (connection.phase == Phase::Closed) return;
  close(connection);
  outbox_.closes.push_back(&connection);
}

void Replica::close_all() {
  serving_ = false;
  reading_only_ = false;
  // What was asked in a role that has ended is never answered.
  for (InFlight& write : in_flight_) {
    if (write.connection != nullptr) --write.connection->writes_in_flight;
    write.connection = nullptr;
  }
  while (!syncs_.empty()) --syncs_.pop()->writes_in_flight;
  while (!own_syncs_.empty()) --own_syncs_.pop().connection->writes_in_flight;
  while (!stalled_.empty()) --stalled_.pop().connection->writes_in_flight;
  // Clients that have gone were kept for their writes only.
  boost::unordered::erase_if(connections_, [](const auto& entry) { return entry.second->released; });
  for (Connection* connection : connections()) begin_close(*connection);
}

void Replica::release(Connection& connection) {
  QUORATE_CHECK(connection.phase == Phase::Closed);
  connection.released = true;
  forget(connection);
}

void Replica::forget(Connection& connection) {
  if (!connection.released || connection.writes_in_flight > 0) return;
  std::erase(outbox_.dirty, &connection);
  std::erase(outbox_.closes, &connection);
  std::erase(outbox_.gates, &connection);
  connections_.erase(connection.id);
}

void Replica::on_tick() {
  expire_local();
  if (!serving_ || role_.follow != nullptr) return;
  for (const SessionId id : session_table_.expire(now_.monotonic)) {
    if (!sessions_.contains(id)) {
      wait_for_creation(id);
      continue;
    }
    ++stats_.stale_sessions_expired;
    say(Level::Info, "SessionTracker",
        fmt::format("Expiring session 0x{:x}, timeout of {}ms exceeded", static_cast<uint64_t>(id.value),
                    session_table_.timeout_ms(id)));
    submit_own(wire::Op::CloseSession, id, {});
  }
  for (const std::string& path : cleaner_.due(*tree_, now_)) {
    ByteBuffer body;
    wire::Encoder(body).view(path);
    submit_own(wire::Op::DeleteContainer, SessionId{0}, body.view());
  }
}

/// Its client has not been told of it yet, so slow is the log: its time begins when it is.
void Replica::wait_for_creation(SessionId session) {
  const int32_t timeout_ms = session_table_.timeout_ms(session);
  session_table_.remove(session);
  session_table_.add(session, timeout_ms, now_.monotonic);
}

Millis Replica::next_tick() const {
  return std::min({session_table_.next_expiry(), local_sessions_.next_expiry(), cleaner_.next()});
}

std::vector<Connection*> Replica::connections() const {
  std::vector<Connection*> all;
  all.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) {
    if (connection->phase != Phase::Closed) all.push_back(connection.get());
  }
  std::ranges::sort(all, {}, [](const Connection* c) { return c->id; });
  return all;
}

void Replica::mark_dirty(Connection& connection) {
  if (std::exchange(connection.dirty, true)) return;
  outbox_.dirty.push_back(&connection);
}

void Replica::say(Level level, const char* component, std::string text) {
  outbox_.lines.push_back({level, component, std::move(text)});
}

Connection* Replica::find(ConnId id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : found->second.get();
}

}  // namespace quorate::replica
