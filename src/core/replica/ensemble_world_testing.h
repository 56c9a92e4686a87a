#pragma once
#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <ranges>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/replica/fake_server_testing.h"
#include "core/replica/member.h"
#include "core/replica/replica_testing.h"
#include "core/session/session_table.h"

/// What the tests of whole members share: an ensemble in one process, without sockets, disks or threads. Bytes between
/// servers wait in queues until they are delivered, a disk keeps what was persisted, clients are the peers of
/// replica_testing.h. Everything happens in a fixed order, and only when a test says so.
namespace quorate::replica::testing {

class EnsembleWorld {
 public:
  static constexpr int64_t kWallMs = 1795159393679;

  explicit EnsembleWorld(int64_t count, ReplicaSettings replica_settings = {}) : settings_(replica_settings) {
    for (int64_t id = 1; id <= count; ++id) servers_[id].id = id;
    for (auto& [id, server] : servers_) start(id);
  }

  Server& at(int64_t id) { return servers_.at(id); }
  Replica& replica(int64_t id) { return at(id).member->replica(); }
  bool runs(int64_t id) const { return servers_.at(id).member != nullptr; }
  std::vector<int64_t> running() const {
    std::vector<int64_t> ids;
    for (const auto& [id, server] : servers_)
      if (server.member) ids.push_back(id);
    return ids;
  }

  void start(int64_t id) {
    Server& server = at(id);
    Memory memory = replay(server.disk.history, digests_are_right);
    zab::QuorumRule rule;
    for (const auto& [other, unused] : servers_) rule.voters.push_back({.id = {other}});
    MemberSettings settings;
    settings.elect.self = settings.lead.self = settings.follow.self = {id};
    settings.kept_txns = kept_txns;
    ReplicaSettings replica_settings = settings_;
    replica_settings.server_id = id;
    server.member = std::make_unique<Member>(settings, replica_settings, auth::AuthSettings(), zab::Electorate(rule),
                                             MemberStart{std::move(memory.tree), std::move(memory.sessions),
                                                         server.disk.epochs, doubtful.contains(id), now(), 7});
  }

  /// Kill -9.
  void crash(int64_t id) {
    Server& server = at(id);
    for (Peer& peer : server.peers) {
      peer.closed = true;
      peer.connection = nullptr;
    }
    server.member.reset();
    server.dialing.reset();
    for (auto& [other, unused] : servers_) {
      votes_.erase({id, other});
      votes_.erase({other, id});
      if (runs(other)) at(other).member->on_reach({id}, zab::Reach::Refused);
    }
    for (const LinkId link : link_ids()) {
      if (links_.at(link).learner == id || links_.at(link).leader == id) close_link(link);
    }
  }

  /// Nothing passes between the two; connections stay.
  void cut(int64_t a, int64_t b) { cuts_.insert(std::minmax(a, b)); }
  void heal() { cuts_.clear(); }
  /// Its disk does nothing until it is told to go on.
  void stall_disk(int64_t id) { stalled_disks_.insert(id); }
  void release_disk(int64_t id) { stalled_disks_.erase(id); }
  bool is_cut(int64_t a, int64_t b) const { return cuts_.contains(std::minmax(a, b)); }

  /// Until nothing more happens at this time.
  void settle() {
    for (int round = 0; step(); ++round) ASSERT_LT(round, 100000);
  }
  /// One small piece of everything that can happen. False: there was nothing.
  bool step() {
    bool did = false;
    for (const int64_t id : running()) did |= pump(at(id));
    for (const int64_t id : running()) did |= use_disk(id);
    for (const auto& ends : vote_ends()) did |= deliver_vote(ends);
    for (const LinkId link : link_ids()) {
      did |= deliver_to_learner(link);
      did |= deliver_to_leader(link);
    }
    return did;
  }
  /// One thing of those that could happen next, as `pick(n)`, below n, has it.
  template <class Pick>
  void stumble(Pick&& pick) {
    const std::vector<int64_t> ids = running();
    if (ids.empty()) return;
    switch (pick(8)) {
      case 0:
        pump(at(ids[pick(ids.size())]));
        return;
      case 1:
      case 2:
        use_disk(ids[pick(ids.size())]);
        return;
      case 3:
        if (const auto all = vote_ends(); !all.empty()) deliver_vote(all[pick(all.size())]);
        return;
      default:
        if (const auto all = link_ids(); !all.empty()) {
          const LinkId link = all[pick(all.size())];
          pick(2) == 0 ? deliver_to_learner(link) : deliver_to_leader(link);
        }
    }
  }
  void tick(int64_t ms) {
    ms_ += ms;
    for (const int64_t id : running()) {
      at(id).member->set_now(now());
      at(id).member->on_time(false);
      pump(at(id));
      give_up_dial(at(id));
    }
  }
  void advance(int64_t ms, int64_t step_ms = 50) {
    for (const int64_t end = ms_ + ms; ms_ < end;) {
      tick(std::min(end - ms_, step_ms));
      settle();
    }
  }
  Now now() const { return {Millis{ms_}, kWallMs + ms_}; }
  size_t kept_txns = 500;
  bool digests_are_right = true;  ///< Of the leaders.
  std::set<int64_t> doubtful;     ///< Start in doubt of their histories.
  /// Bytes of that learner to the leader are held back, though the connection stays.
  std::set<int64_t> held_learners;
  /// Whoever dials from first to second is refused at once.
  std::set<std::pair<int64_t, int64_t>> refused;
  size_t dials = 0;

 protected:
  void feed(int64_t id, Peer& peer) {
    while (!peer.closed && !peer.unread.empty() && peer.connection->accepts_frames()) {
      const std::string frame = std::move(peer.unread.front());
      peer.unread.pop_front();
      replica(id).on_frame(*peer.connection, frame);
    }
  }
  void let_go(int64_t id, Peer& peer) {
    peer.closed = true;
    replica(id).release(*std::exchange(peer.connection, nullptr));
  }

 private:
  /// What the server wants done. True: there was something.
  bool pump(Server& server) {
    bool did = flush_clients(server);
    server.member->go_on();
    MemberOutput out = server.member->take();
    for (LogLine& line : out.lines) server.lines.push_back(std::move(line.text));
    for (zab::ElectionMessage& message : out.votes)
      votes_[{server.id, message.to.value}].push_back(message.notification);
    for (const LinkId link : out.closes) close_link(link);
    if (out.hang_up) hang_up_leader(server);
    if (out.dial) {
      server.dialing = out.dial;
      server.dial_ends = ms_ + 2000;
    }
    if (out.reload) reload(server);
    for (const auto& wish : out.histories) serve_history(server, wish);
    did |= !out.votes.empty() || !out.closes.empty() || out.hang_up || out.reload || !out.histories.empty();
    did |= send_packets(server, out);
    return dial(server) || did;
  }
  bool flush_clients(Server& server) {
    bool did = false;
    Outbox& outbox = server.member->replica().outbox();
    for (size_t i = 0; i < outbox.gates.size(); ++i) {
      if (outbox.gates[i]->phase != Phase::Closed) feed(server.id, *static_cast<Peer*>(outbox.gates[i]->shell));
    }
    did |= !outbox.gates.empty() || !outbox.dirty.empty() || !outbox.closes.empty();
    outbox.gates.clear();
    for (Connection* connection : outbox.dirty) {
      connection->dirty = false;
      static_cast<Peer*>(connection->shell)->received += connection->out.view();
      connection->out.clear();
    }
    outbox.dirty.clear();
    for (Connection* connection : std::exchange(outbox.closes, {})) {
      let_go(server.id, *static_cast<Peer*>(connection->shell));
    }
    for (LogLine& line : outbox.lines) server.lines.push_back(std::move(line.text));
    outbox.lines.clear();
    return did;
  }
  bool send_packets(Server& server, const MemberOutput& out) {
    bool did = !out.trees.empty();
    for (auto& [link, ends] : links_) {
      if (ends.leader == server.id) {
        zab::Learner* learner = server.member->learner(link);
        if (learner == nullptr || learner->out.empty()) continue;
        ends.to_learner.emplace_back(std::string(learner->out.view()));
        learner->out.clear();
        did = true;
      } else if (ends.learner == server.id) {
        ByteBuffer* packets = server.member->to_leader();
        if (packets == nullptr || packets->empty()) continue;
        ends.to_leader += packets->view();
        packets->clear();
        did = true;
      }
    }
    for (const LinkId link : out.trees) {
      if (!links_.contains(link)) continue;
      const Zxid applied = server.member->journal().applied();
      links_.at(link).to_learner.emplace_back(TreeInFlight{server.disk.up_to(applied)});
      EXPECT_EQ(server.disk.last() >= applied, true);
      server.member->on_tree_sent(link);
    }
    return did;
  }
  bool dial(Server& server) {
    if (!server.dialing) return false;
    const int64_t to = server.dialing->value;
    if (refused.contains({server.id, to})) {
      ++dials;
      server.dialing.reset();
      server.member->on_leader_lost("refused");
      return true;
    }
    if (is_cut(server.id, to) || !runs(to) || !at(to).member->listening()) return false;
    server.dialing.reset();
    const LinkId link{next_link_++};
    links_[link] = {server.id, to, {}, {}};
    at(to).member->on_learner(link);
    server.member->on_leader_connected();
    return true;
  }
  void give_up_dial(Server& server) {
    if (!server.dialing || ms_ < server.dial_ends) return;
    server.dialing.reset();
    server.member->on_leader_lost("cannot be reached");
  }
  void hang_up_leader(Server& server) {
    server.dialing.reset();
    for (const LinkId link : link_ids()) {
      if (links_.at(link).learner == server.id) close_link(link);
    }
  }
  void close_link(LinkId link) {
    const auto found = links_.find(link);
    if (found == links_.end()) return;
    const QuorumLink ends = std::move(found->second);
    links_.erase(found);
    if (runs(ends.leader)) at(ends.leader).member->on_learner_lost(link);
    if (runs(ends.learner)) at(ends.learner).member->on_leader_lost("connection closed");
  }
  void reload(Server& server) {
    Memory memory = replay(server.disk.history, digests_are_right);
    server.member->on_reloaded(
        {std::move(memory.tree), std::move(memory.sessions), server.disk.epochs, false, now(), 7});
  }
  void serve_history(Server& server, const zab::LeadOutput::HistoryWish& wish) {
    if (!server.disk.holds(wish.after)) return server.member->on_no_history(wish.link);
    for (const std::string& txn : server.disk.up_to(wish.until)) {
      const Zxid zxid = zab::Journal::zxid_of(txn);
      if (zxid > wish.after) server.member->on_history(wish.link, zxid, txn);
    }
    server.member->on_history_end(wish.link);
  }

  bool use_disk(int64_t id) {
    Server& server = at(id);
    Member& member = *server.member;
    if (stalled_disks_.contains(id)) return false;
    if (member.order() != nullptr) {
      carry_out(server, *member.order());
    } else if (member.has_batch()) {
      const zab::LogBatch& batch = member.take_batch();
      for (size_t offset = 0; offset < batch.records.size();) {
        server.disk.history.emplace_back(wire::next_payload(batch.records.view(), offset));
      }
      member.on_persisted();
    } else {
      return false;
    }
    pump(server);
    return true;
  }
  void carry_out(Server& server, const zab::DiskOrder order) {
    switch (order.kind) {
      case zab::DiskOrder::Kind::AcceptedEpoch:
        server.disk.epochs.accepted = order.epoch;
        break;
      case zab::DiskOrder::Kind::CurrentEpoch:
        server.disk.epochs.current = order.epoch;
        break;
      case zab::DiskOrder::Kind::StoreSnapshot:
        server.disk.history = server.tree_history;
        break;
      case zab::DiskOrder::Kind::Truncate: {
        server.disk.cut_behind(order.zxid);
        if (server.disk.last() != order.zxid) return server.member->on_order_refused("no such txn");
        Memory memory = replay(server.disk.history, digests_are_right);
        return server.member->on_truncated(std::move(memory.tree), std::move(memory.sessions));
      }
    }
    server.member->on_order_done();
  }

  std::vector<std::pair<int64_t, int64_t>> vote_ends() const {
    std::vector<std::pair<int64_t, int64_t>> all;
    for (const auto& [ends, queue] : votes_) {
      if (!queue.empty()) all.push_back(ends);
    }
    return all;
  }
  std::vector<LinkId> link_ids() const {
    const auto ids = std::views::keys(links_);
    return {ids.begin(), ids.end()};
  }
  bool deliver_vote(std::pair<int64_t, int64_t> ends) {
    const auto [from, to] = ends;
    auto& queue = votes_[ends];
    if (queue.empty() || is_cut(from, to)) return false;
    const wire::Notification notification = queue.front();
    queue.pop_front();
    if (!runs(to)) return true;
    at(to).member->on_reach({from}, zab::Reach::Open);
    at(to).member->on_notification({from}, notification);
    pump(at(to));
    return true;
  }
  bool may_deliver(LinkId link) const {
    const auto found = links_.find(link);
    return found != links_.end() && !is_cut(found->second.learner, found->second.leader);
  }
  bool deliver_to_learner(LinkId link) {
    if (!may_deliver(link)) return false;
    QuorumLink& ends = links_.at(link);
    Server& learner = at(ends.learner);
    Member& member = *learner.member;
    if (ends.to_learner.empty() || member.follow() == nullptr) return false;
    if (auto* tree = std::get_if<TreeInFlight>(&ends.to_learner.front())) {
      if (member.follow()->phase() != zab::FollowPhase::ReceivingTree) return false;
      learner.tree_history = std::move(tree->history);
      ends.to_learner.pop_front();
      Memory memory = replay(learner.tree_history, digests_are_right);
      member.on_tree_received(std::move(memory.tree), std::move(memory.sessions));
      pump(learner);
      return true;
    }
    if (!member.follow()->takes_packets()) return false;
    std::string& bytes = std::get<std::string>(ends.to_learner.front());
    wire::QuorumPacket packet;
    const wire::PacketCut cut = wire::cut_packet(bytes, 8 << 20, packet);
    EXPECT_EQ(cut.cut, wire::Cut::Whole);
    const std::string whole = bytes.substr(0, cut.bytes);
    bytes.erase(0, cut.bytes);
    if (bytes.empty()) ends.to_learner.pop_front();
    wire::cut_packet(whole, 8 << 20, packet);
    member.on_leader_packet(packet);
    pump(learner);
    return true;
  }
  bool deliver_to_leader(LinkId link) {
    if (!may_deliver(link)) return false;
    QuorumLink& ends = links_.at(link);
    if (ends.to_leader.empty() || held_learners.contains(ends.learner)) return false;
    Server& leader = at(ends.leader);
    wire::QuorumPacket packet;
    const wire::PacketCut cut = wire::cut_packet(ends.to_leader, 8 << 20, packet);
    EXPECT_EQ(cut.cut, wire::Cut::Whole);
    const std::string whole = ends.to_leader.substr(0, cut.bytes);
    ends.to_leader.erase(0, cut.bytes);
    wire::cut_packet(whole, 8 << 20, packet);
    leader.member->on_learner_packet(link, packet);
    pump(leader);
    return true;
  }

  ReplicaSettings settings_;
  std::map<int64_t, Server> servers_;
  std::map<std::pair<int64_t, int64_t>, std::deque<wire::Notification>> votes_;
  std::map<LinkId, QuorumLink> links_;
  std::set<std::pair<int64_t, int64_t>> cuts_;
  std::set<int64_t> stalled_disks_;
  uint64_t next_link_ = 1;
  int64_t ms_ = 0;
};

}  // namespace quorate::replica::testing
