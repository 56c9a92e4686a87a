#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "base/planted.h"
#include "core/replica/replica.h"
#include "core/replica/reply.h"
#include "wire/client.h"

/// What is durable is applied, in zxid order: tree, watches, then the reply, so that an event always leaves before any
/// answer that shows its change. Spec: client 6.2, 7.2, 7.4, 7.5, 8.6.
namespace quorate::replica {
namespace {

constexpr int64_t kDigestEvery = 128;
constexpr size_t kDigestsKept = 1024;

bool is_refusal(const tree::TxnView& txn) { return txn.header.type == static_cast<int32_t>(wire::Op::Error); }

}  // namespace

void Replica::on_persisted() {
  journal_.on_persisted();
  if (role_.lead != nullptr) {
    role_.lead->on_persisted(now_.monotonic);
  } else if (role_.follow != nullptr) {
    role_.follow->on_persisted(now_.monotonic);
  } else if (role_.alone()) {
    journal_.commit(journal_.durable());  // a quorum of one
  }
  apply_ready();
}

void Replica::apply_ready() {
  while (!following_ended() && journal_.applied() < apply_until_) {
    const std::string_view txn = journal_.next_to_apply();
    if (txn.empty()) break;
    apply_txn(txn);
    answer_own_syncs();
  }
  admit_stalled();
}

void Replica::apply_txn(std::string_view payload) {
  tree::TxnView txn;
  std::string why;
  const bool parsed = tree::parse_txn(payload, txn, why);
  QUORATE_CHECK(parsed);
  applied_.clear();
  tree::apply(*tree_, sessions_, txn, applied_);
  preparer_.on_applied(txn.header.zxid);
  ++stats_.commit_count;
  note_digest(txn);
  count_writes();
  if (!watches_.empty()) fire_watches(txn.header.zxid);

  if (!in_flight_.empty() && is_of(in_flight_.front(), txn)) {
    const InFlight write = in_flight_.pop();
    large_bytes_in_flight_ -= write.large_bytes;
    finish_write(write, txn);
  } else {
    // Asked for on another server, or before this role began.
    QUORATE_CHECK(!role_.alone());
    InFlight foreign;
    foreign.op = static_cast<wire::Op>(txn.header.type);
    finish_write(foreign, txn);
  }
  tree::release_acls(*tree_, applied_);
}

bool Replica::following_ended() const {
  return role_.follow != nullptr && role_.follow->phase() == zab::FollowPhase::Over;
}

/// What this server forwarded comes back in the order in which it went, so only the oldest can be meant. A client that
/// came from another server may have asked there under the same xid, as those do that count anew on each connection;
/// what the leader made of that was proposed before it confirmed the session here.
bool Replica::is_of(const InFlight& write, const tree::TxnView& txn) const {
  if (role_.follow == nullptr) return write.zxid == txn.header.zxid;
  const bool named = write.session == txn.header.client_id && write.xid == txn.header.cxid;
  return named && txn.header.zxid > write.after;
}

void Replica::note_digest(const tree::TxnView& txn) {
  const Zxid zxid = txn.header.zxid;
  const bool foreign = role_.follow != nullptr && role_.follow->digest_is_foreign();
  if (!applied_.digest_matches) ++stats_.digest_mismatches_count;
  if (!applied_.digest_matches && !foreign) {
    say(Level::Error, "DataTree",
        fmt::format("Digests are not matching. Value is Zxid. Value:0x{:x}", static_cast<uint64_t>(zxid.value)));
  }
  // Only what a leader says of its own tree can be wrong about ours; replay of our own log goes on (DESIGN,
  // Self-check).
  if (!applied_.digest_matches && settings_.digest && role_.follow != nullptr && zxid > role_.follow->fuzzy_until()) {
    role_.follow->on_digest_mismatch(zxid);
  }
  if (zxid.value % kDigestEvery != 0) return;
  digest_history_.emplace_back(zxid, static_cast<int64_t>(tree_->digest()));
  if (digest_history_.size() > kDigestsKept) digest_history_.pop_front();
}

void Replica::count_writes() {
  for (const tree::PartResult& part : applied_.parts) {
    const bool changed_data = part.op != wire::Op::SetAcl && part.op != wire::Op::Check;
    if (part.path.empty() || part.code != wire::Code::Ok || !changed_data) continue;
    ServerStats::note(stats_.write_per_namespace, part.path, part.stat.data_length);
  }
}

void Replica::fire_watches(Zxid zxid) {
  for (const tree::Change& change : applied_.changes) fire(change, zxid);
}

void Replica::fire(const tree::Change& change, Zxid zxid) {
  told_data_.clear();
  watches_.trigger(tree::WatchTable::Data, change.path, nullptr, told_data_);
  const auto told = static_cast<int64_t>(told_data_.size());
  tell(told_data_, change.event, change.path, change.acl, zxid);
  if (change.event == wire::Event::DataChanged) return stats_.node_changed_watch_count.add(told);
  if (change.event == wire::Event::Created) {
    stats_.node_created_watch_count.add(told);
  } else {
    told_child_.clear();
    watches_.trigger(tree::WatchTable::Child, change.path, &told_data_, told_child_);
    tell(told_child_, change.event, change.path, change.acl, zxid);
    stats_.node_deleted_watch_count.add(told + static_cast<int64_t>(told_child_.size()));
  }
  const size_t slash = change.path.rfind('/');
  const std::string_view parent = slash == 0 ? std::string_view("/") : change.path.substr(0, slash);
  told_child_.clear();
  watches_.trigger(tree::WatchTable::Child, parent, nullptr, told_child_);
  stats_.node_children_watch_count.add(static_cast<int64_t>(told_child_.size()));
  if (!told_child_.empty()) tell(told_child_, wire::Event::ChildrenChanged, parent, change.parent_acl, zxid);
}

void Replica::tell(const std::vector<ConnId>& connections, wire::Event event, std::string_view path, tree::AclId acl,
                   Zxid zxid) {
  for (const ConnId id : connections) {
    Connection* connection = find(id);
    if (connection == nullptr || connection->phase == Phase::Closed) continue;
    // No permission: nothing is sent, and a standard watch is gone all the same (HARDEN-9).
    const bool open = acl == tree::kOpenAcl;
    if (!open && !auth_.permits(tree_->acls().list(acl), wire::kPermRead, connection->identities)) continue;
    const size_t before = connection->out.size();
    notify(*connection, event, path, zxid);
    stats_.watch_bytes += static_cast<int64_t>(connection->out.size() - before);
    ++connection->stats.sent;
    ++stats_.packets_sent;
    mark_dirty(*connection);
  }
}

void Replica::finish_write(const InFlight& write, const tree::TxnView& txn) {
  Connection* connection = write.connection;
  if (write.op == wire::Op::CreateSession) on_session_created(write, txn);
  if (connection != nullptr) {
    --connection->writes_in_flight;
    if (connection->phase == Phase::Closed) {
      forget(*connection);
      connection = nullptr;
    }
  }
  if (connection != nullptr) {
    const Waiting turn = connection->waiting.pop();
    if (role_.follow != nullptr && !turn.frame.empty()) return role_.follow->on_closed("a write overtakes a SYNC");
    QUORATE_CHECK(turn.is_write && turn.zxid == write.zxid);
    // The session is somewhere else by now: this connection ends without an answer (known-faults R-N3).
    const bool moved = is_refusal(txn) && applied_.parts.front().code == wire::Code::SessionMoved;
    if (moved && !planted(Planted::MovedIsAnswered)) return begin_close(*connection);
    if (write.op != wire::Op::CreateSession) write_result(*connection, write, txn);
  }
  if (write.op == wire::Op::CloseSession) {
    on_session_closed(connection, txn.header.client_id);
  }
  if (connection != nullptr && connection->phase != Phase::Closed) answer_waiting(*connection);
}

namespace {

/// The result type of a multi's part as clients know it. Spec: client 6.2.
wire::Op reply_type(wire::Op logged, bool was_create2) {
  if (was_create2 || logged == wire::Op::CreateContainer || logged == wire::Op::CreateTtl) return wire::Op::Create2;
  return logged;
}

void write_part(wire::Encoder& out, wire::Op op, const tree::PartResult& part) {
  switch (op) {
    case wire::Op::Create:
      return out.view(part.path);
    case wire::Op::Create2:
    case wire::Op::CreateContainer:
    case wire::Op::CreateTtl:
      out.view(part.path);
      return wire::encode(out, part.stat);
    case wire::Op::SetData:
    case wire::Op::SetAcl:
      return wire::encode(out, part.stat);
    case wire::Op::Error:
      return out.i32(static_cast<int32_t>(part.code));
    default:
      return;  // delete, check: nothing
  }
}

void write_multi(wire::Encoder& out, const std::vector<tree::PartResult>& parts,
                 const std::vector<uint16_t>& create2_parts) {
  const bool failed = std::ranges::any_of(parts, [](const auto& part) { return part.op == wire::Op::Error; });
  for (size_t i = 0; i < parts.size(); ++i) {
    const bool was_create2 = std::ranges::find(create2_parts, i) != create2_parts.end();
    const wire::Op type = failed ? wire::Op::Error : reply_type(parts[i].op, was_create2);
    const auto code = static_cast<int32_t>(failed ? parts[i].code : wire::Code::Ok);
    wire::encode(out, wire::MultiHeader{static_cast<int32_t>(type), false, code});
    write_part(out, type, parts[i]);
  }
  wire::encode(out, wire::MultiHeader{-1, true, -1});
}

}  // namespace

void Replica::write_result(Connection& connection, const InFlight& write, const tree::TxnView& txn) {
  const bool refused = is_refusal(txn);
  const tree::PartResult first = applied_.parts.empty() ? tree::PartResult() : applied_.parts.front();
  const bool multi = write.op == wire::Op::Multi;
  ReplyFrame reply(connection.out, write.xid, txn.header.zxid, refused ? first.code : wire::Code::Ok);
  if (!refused) {
    wire::Encoder out = reply.body();
    if (multi) {
      write_multi(out, applied_.parts, write.create2_parts);
    } else {
      write_part(out, write.op, first);
    }
  }
  const size_t bytes = reply.close();
  stats_.update_latency.add((now_.monotonic - write.received).value);
  finish_reply(connection, {write.xid, write.op, {}, write.received}, bytes);
}

void Replica::on_session_created(const InFlight& write, const tree::TxnView& txn) {
  const SessionId id = txn.header.client_id;
  const auto created = sessions_.all().find(id);
  QUORATE_CHECK(created != sessions_.all().end());
  if (role_.follow != nullptr) {
    touched_[id] = created->second;
  } else {
    session_table_.add(id, created->second, now_.monotonic);
  }
  say(Level::Debug, "ZooKeeperServer",
      fmt::format("Established session 0x{:x} with negotiated timeout {}", static_cast<uint64_t>(id.value),
                  created->second));
  Connection* connection = write.connection;
  if (connection == nullptr || connection->phase != Phase::Confirming) return;
  connection->phase = Phase::Live;
  note_reply(*connection, {0, wire::Op::CreateSession, {}, write.received});
  send_connect_response(*connection, id, connection->timeout_ms);
  outbox_.gates.push_back(connection);
}

void Replica::on_session_closed(Connection* asker, SessionId session) {
  session_table_.remove(session);
  owners_.remove(session);
  const auto bound = bound_.find(session);
  const bool elsewhere = bound != bound_.end() && bound->second != asker;
  if (elsewhere && !planted(Planted::OwnerNotTold)) begin_close(*bound->second);
  if (asker != nullptr) begin_close(*asker);
}

}  // namespace quorate::replica
