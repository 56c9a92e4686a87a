#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <set>

#include "core/zab/follow.h"
#include "core/zab/lead_testing.h"

/// Leaders and learners together: servers with disks that lose what was not written, links that break, candidates that
/// should not lead. What anybody was served as committed has to stay, everywhere, and all servers have to end equal.
namespace quorate::zab::lead_testing {
namespace {

using Txns = std::vector<std::string>;

/// What a crash leaves.
struct Disk {
  Epochs epochs{};
  Zxid base{};
  Txns tree{};  ///< As of `base`.
  Txns log{};

  bool holds(Zxid zxid) const {
    const auto is = [&](const std::string& txn) { return Journal::zxid_of(txn) == zxid; };
    return zxid == base || std::ranges::any_of(log, is);
  }
};

/// A run of bytes, or the tree between them.
struct Item {
  std::string bytes;
  std::optional<Txns> tree{};
  Zxid zxid{};
};

struct Link {
  LinkId id;
  size_t leader = 0;
  size_t learner = 0;
  std::deque<Item> to_leader;
  std::deque<Item> to_learner;
  bool tree_on_its_way = false;
};

struct Server {
  int64_t id = 0;
  bool observer = false;
  bool up = true;
  Disk disk;
  Txns tree;
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Lead> lead;
  std::unique_ptr<Follow> follow;
  LogBatch* at_log = nullptr;
  bool serves = false;
  bool wants_tree = false;
  std::optional<Zxid> serves_from;
  std::optional<Txns> incoming;
  std::vector<LeadOutput::HistoryWish> wishes;

  bool has_role() const { return lead != nullptr || follow != nullptr; }
  Zxid last_on_disk() const { return disk.log.empty() ? disk.base : Journal::zxid_of(disk.log.back()); }
};

class World {
 public:
  explicit World(uint32_t seed) : random_(seed), voters_(3 + seed % 2) {
    for (int64_t id = 1; id <= kServers; ++id) {
      servers_.push_back(std::make_unique<Server>());
      servers_.back()->id = id;
      servers_.back()->observer = id == kServers;
      start(*servers_.back());
    }
  }

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      step_at_random();
      clear_up();
    }
  }

  /// No more faults: the best server leads, the others follow, until there is nothing left to do.
  void heal() {
    while (!links_.empty()) cut(links_.begin()->first);
    clear_up();
    for (auto& server : servers_) {
      if (!server->up) start(*server);
      if (server->lead) server->lead->resign("healing");
      if (server->follow) server->follow->on_closed("healing");
      for (int count = 0; count < 100 && server->has_role(); ++count) {
        work(*server);
        clear_up();
      }
      ASSERT_FALSE(server->has_role());
    }
    const auto rank = [this](const auto& server) {
      return std::tuple(may_lead(*server), server->disk.epochs.current, server->last_on_disk());
    };
    Server& best = **std::ranges::max_element(servers_, {}, rank);
    begin_leading(best);
    for (int round = 0; round < 2000 && !testing::Test::HasFailure(); ++round) {
      for (size_t at = 0; at < servers_.size(); ++at) {
        if (!servers_[at]->has_role()) connect(at);
        work(*servers_[at]);
        apply(*servers_[at]);
        clear_up();
      }
      deliver_all();
      if (round % 100 == 99) pass_time(1000);
      if (round == 1500) propose(best);
      clear_up();
    }
    for (const auto& server : servers_) {
      SCOPED_TRACE(server->id);
      EXPECT_TRUE(server->serves);
      EXPECT_EQ(server->tree, truth_);
    }
  }

  /// How often each kind of sync was seen.
  std::map<std::string, int> seen;
  size_t committed() const { return truth_.size(); }

 private:
  static constexpr int64_t kServers = 5;  ///< The last one is an observer, those before it may be no voters.

  int64_t below(int64_t limit) { return std::uniform_int_distribution<int64_t>(0, limit - 1)(random_); }
  Server& any() { return *servers_[static_cast<size_t>(below(static_cast<int64_t>(servers_.size())))]; }
  size_t index_of(const Server& server) const { return static_cast<size_t>(server.id - 1); }

  void step_at_random() {
    const int64_t what = below(1000);
    Server& server = any();
    if (!server.up) {
      if (below(10) == 0) start(server);
    } else if (what < 550) {
      deliver_one();
    } else if (what < 750) {
      work(server);
    } else if (what < 850) {
      apply(server);
    } else if (what < 920) {
      propose(server);
    } else if (what < 970) {
      server.has_role() ? void() : begin_role(server);
    } else if (what < 990) {
      pass_time(below(500));
    } else if (what < 995) {
      if (!links_.empty()) cut(std::next(links_.begin(), below(static_cast<int64_t>(links_.size())))->first);
    } else if (what < 998) {
      crash(server);
    } else if (server.lead) {
      server.lead->resign("bored");
      look(server);
    }
  }

  // Roles.
  void start(Server& server) {
    server.up = true;
    load(server);
  }
  /// Memory as the disk has it.
  void load(Server& server) {
    server.tree = server.disk.tree;
    server.tree.insert(server.tree.end(), server.disk.log.begin(), server.disk.log.end());
    server.journal = std::make_unique<Journal>(server.last_on_disk(), 3);
  }
  void crash(Server& server) {
    cut_links_of(server);
    if (server.at_log != nullptr && below(2) == 0) write_batch(server);
    if (Lead* lead = server.lead.get(); lead != nullptr && lead->out().disk && below(2) == 0)
      carry_out(server, *lead->out().disk);
    if (Follow* follow = server.follow.get(); follow != nullptr && follow->out().disk && below(2) == 0) {
      carry_out(server, *follow->out().disk);
    }
    server.lead.reset();
    server.follow.reset();
    server.at_log = nullptr;
    server.serves = server.up = false;
    server.serves_from.reset();
    server.wishes.clear();
    server.incoming.reset();
  }
  /// Spec: known-faults R-E2.
  void repair_epochs(Server& server) {
    Epochs& epochs = server.disk.epochs;
    epochs.current = std::max(epochs.current, server.last_on_disk().epoch());
    epochs.accepted = std::max(epochs.accepted, epochs.current);
  }
  bool may_lead(const Server& server) const { return server.id <= voters_ && !server.wants_tree; }
  void begin_role(Server& server) {
    may_lead(server) && (below(4) == 0) ? begin_leading(server) : connect(index_of(server));
  }
  void begin_leading(Server& server) {
    repair_epochs(server);
    LeadSettings settings;
    settings.self = {server.id};
    settings.config_text = "version=0";
    settings.sync.force_snapshot = below(20) == 0;
    settings.max_queued_bytes = below(10) == 0 ? 300 : 1 << 20;
    server.lead = std::make_unique<Lead>(settings, voters(voters_), server.disk.epochs, server.journal->durable(),
                                         *server.journal, now_);
    look(server);
  }
  void connect(size_t learner) {
    std::vector<size_t> leaders;
    for (size_t at = 0; at < servers_.size(); ++at) {
      if (servers_[at]->lead && servers_[at]->lead->phase() != LeadPhase::Over) leaders.push_back(at);
    }
    if (leaders.empty()) return;
    Server& server = *servers_[learner];
    repair_epochs(server);
    const size_t leader = leaders[static_cast<size_t>(below(static_cast<int64_t>(leaders.size())))];
    FollowSettings settings{.self = {server.id}, .leader = {servers_[leader]->id}};
    settings.observer = server.observer;
    server.follow = std::make_unique<Follow>(
        settings, server.disk.epochs, server.wants_tree ? Zxid{-1} : server.journal->durable(), *server.journal, now_);
    auto link = std::make_unique<Link>();
    link->id = {++links_made_};
    link->leader = leader;
    link->learner = learner;
    const LinkId id = link->id;
    links_[id] = std::move(link);
    servers_[leader]->lead->on_learner(id, now_);
    server.follow->on_connected(now_);
    look(server);
  }
  /// Once the log is quiet: memory goes on where the disk is.
  void end_role(Server& server) {
    if (server.at_log != nullptr) return;
    const bool reload = server.follow && server.follow->must_reload();
    if (server.follow) {
      if (server.follow->out().disk) return;
      server.wants_tree = server.follow->wants_tree();
    }
    if (server.lead && server.lead->out().disk) return;
    server.lead.reset();
    server.follow.reset();
    server.serves = false;
    server.serves_from.reset();
    server.wishes.clear();
    server.incoming.reset();
    if (reload || below(2) == 0) return load(server);
    server.journal->settle();
    apply(server);
  }

  // Links.
  Link* link_of_learner(size_t learner) {
    for (auto& [id, link] : links_) {
      if (link->learner == learner) return link.get();
    }
    return nullptr;
  }
  void cut(LinkId id) {
    const std::unique_ptr<Link> link = std::move(links_.at(id));
    links_.erase(id);
    Server& leader = *servers_[link->leader];
    Server& learner = *servers_[link->learner];
    if (leader.lead) leader.lead->on_closed(id);
    if (learner.follow) learner.follow->on_closed("cut");
    look(leader);
    look(learner);
  }
  void cut_links_of(Server& server) {
    for (const LinkId id : link_ids()) {
      const Link& link = *links_.at(id);
      if (link.leader == index_of(server) || link.learner == index_of(server)) cut(id);
    }
  }
  std::vector<LinkId> link_ids() const {
    std::vector<LinkId> ids;
    for (const auto& [id, link] : links_) ids.push_back(id);
    return ids;
  }
  /// What is over on one side is closed on the other; then the role can end.
  void clear_up() {
    for (const LinkId id : link_ids()) {
      const Link& link = *links_.at(id);
      const bool known = servers_[link.leader]->lead && servers_[link.leader]->lead->find(id) != nullptr;
      if (!known || servers_[link.learner]->follow->phase() == FollowPhase::Over) cut(id);
    }
    for (auto& server : servers_) {
      const bool lead_is_over = server->lead && server->lead->phase() == LeadPhase::Over;
      const bool follow_is_over = server->follow && server->follow->phase() == FollowPhase::Over;
      if (lead_is_over || follow_is_over) end_role(*server);
    }
  }
  void deliver_one() {
    if (links_.empty()) return;
    Link& link = *std::next(links_.begin(), below(static_cast<int64_t>(links_.size())))->second;
    below(2) == 0 ? deliver_to_leader(link) : deliver_to_learner(link);
  }
  void deliver_all() {
    for (const LinkId id : link_ids()) {
      if (links_.contains(id)) deliver_to_leader(*links_.at(id));
      clear_up();
      if (links_.contains(id)) deliver_to_learner(*links_.at(id));
      clear_up();
    }
  }
  /// The first packet of the queue; `item` keeps its bytes.
  static std::optional<wire::QuorumPacket> first_packet(std::deque<Item>& queue, Item& item) {
    if (queue.empty() || queue.front().tree) return std::nullopt;
    wire::QuorumPacket packet;
    item = std::move(queue.front());
    queue.pop_front();
    const wire::PacketCut cut = wire::cut_packet(item.bytes, 1 << 20, packet);
    EXPECT_EQ(cut.cut, wire::Cut::Whole);
    if (cut.bytes < item.bytes.size()) queue.push_front({.bytes = item.bytes.substr(cut.bytes)});
    return packet;
  }
  void deliver_to_leader(Link& link) {
    Item item;
    Server& leader = *servers_[link.leader];
    if (const auto packet = first_packet(link.to_leader, item)) leader.lead->on_packet(link.id, *packet, now_);
    look(leader);
  }
  void deliver_to_learner(Link& link) {
    Server& learner = *servers_[link.learner];
    if (learner.follow->phase() == FollowPhase::ReceivingTree) return deliver_tree(link, learner);
    if (!learner.follow->takes_packets()) return;
    Item item;
    if (const auto packet = first_packet(link.to_learner, item)) learner.follow->on_packet(*packet, now_);
    if (learner.follow->out().pinged) {
      learner.follow->answer_ping(*std::exchange(learner.follow->out().pinged, std::nullopt), {});
    }
    look(learner);
  }
  void deliver_tree(Link& link, Server& learner) {
    if (link.to_learner.empty()) return;
    ASSERT_TRUE(link.to_learner.front().tree.has_value());
    learner.incoming = std::move(link.to_learner.front().tree);
    link.to_learner.pop_front();
    learner.follow->on_tree_received(now_);
    look(learner);
  }

  // Disks.
  void write_batch(Server& server) {
    const std::string_view records = server.at_log->records.view();
    for (size_t offset = 0; offset < records.size();) server.disk.log.emplace_back(wire::next_payload(records, offset));
  }
  void carry_out(Server& server, const DiskOrder& order) {
    switch (order.kind) {
      case DiskOrder::Kind::AcceptedEpoch:
        ASSERT_GT(order.epoch, server.disk.epochs.accepted);
        server.disk.epochs.accepted = order.epoch;
        return;
      case DiskOrder::Kind::CurrentEpoch:
        ASSERT_GE(order.epoch, server.disk.epochs.current);
        server.disk.epochs.current = order.epoch;
        return;
      case DiskOrder::Kind::Truncate:
        if (!server.disk.holds(order.zxid)) return;
        while (server.last_on_disk() > order.zxid) server.disk.log.pop_back();
        load(server.disk, server.tree);
        return;
      case DiskOrder::Kind::StoreSnapshot:
        server.disk.base = order.zxid;
        server.disk.tree = *server.incoming;
        server.disk.log.clear();
        load(server.disk, server.tree);
        return;
    }
  }
  static void load(const Disk& disk, Txns& tree) {
    tree = disk.tree;
    tree.insert(tree.end(), disk.log.begin(), disk.log.end());
  }
  /// One thing that the shell can do by itself.
  void work(Server& server) {
    if (!server.has_role()) return;
    std::optional<DiskOrder>& order = server.lead ? server.lead->out().disk : server.follow->out().disk;
    const bool may_log = !order && (server.lead || server.follow->may_log());
    if (server.at_log != nullptr) {
      write_batch(server);
      server.at_log = nullptr;
      server.journal->on_persisted();
      server.lead ? server.lead->on_persisted(now_) : server.follow->on_persisted(now_);
    } else if (order) {
      finish_order(server, *order);
    } else if (may_log && server.journal->has_batch()) {
      server.at_log = &server.journal->take_batch();
    } else if (server.lead) {
      serve_links(server);
    }
    look(server);
  }
  /// A leader that was never established may have sent a tree with more than came to be committed: there is nothing to
  /// cut then, and the tree is asked for anew.
  void finish_order(Server& server, const DiskOrder& order) {
    if (server.lead) {
      carry_out(server, order);
      return server.lead->on_disk_done(now_);
    }
    if (order.kind == DiskOrder::Kind::Truncate && !server.disk.holds(order.zxid)) {
      ++seen["TRUNC refused"];
      return server.follow->on_disk_refused("no such txn");
    }
    carry_out(server, order);
    server.follow->on_disk_done(now_);
  }
  void serve_links(Server& server) {
    if (!server.wishes.empty()) {
      const LeadOutput::HistoryWish wish = server.wishes.front();
      server.wishes.erase(server.wishes.begin());
      return serve_history(server, wish);
    }
    for (auto& [id, link] : links_) {
      if (link->leader != index_of(server) || !link->tree_on_its_way) continue;
      link->tree_on_its_way = false;
      return server.lead->on_tree_sent(id, now_);
    }
  }
  void serve_history(Server& server, const LeadOutput::HistoryWish& wish) {
    if (!server.disk.holds(wish.after) || below(10) == 0) return server.lead->on_no_history(wish.link, now_);
    ++seen["history from disk"];
    for (const std::string& txn : server.disk.log) {
      const Zxid zxid = Journal::zxid_of(txn);
      if (zxid > wish.after && zxid <= wish.until) server.lead->on_history(wish.link, zxid, txn, now_);
    }
    server.lead->on_history_end(wish.link, now_);
  }

  // Outputs.
  void look(Server& server) {
    if (server.lead) look_at_lead(server);
    if (server.follow) look_at_follow(server);
  }
  void look_at_lead(Server& server) {
    LeadOutput& out = server.lead->out();
    if (out.established) become_serving(server, server.journal->committed());
    for (const LinkId id : std::exchange(out.dirty, {})) {
      Learner& learner = *server.lead->find(id);
      if (links_.contains(id)) links_.at(id)->to_learner.push_back({.bytes = std::string(learner.out.view())});
      learner.out.clear();
    }
    for (const LinkId id : out.trees) {
      links_.at(id)->to_learner.push_back({.bytes = {}, .tree = server.tree, .zxid = server.journal->applied()});
      links_.at(id)->tree_on_its_way = true;
    }
    for (const auto& wish : out.histories) server.wishes.push_back(wish);
    for (const LogLine& line : out.lines) ++seen[line.text.substr(0, line.text.find_first_of(" ", 8))];
    out.clear();
  }
  void look_at_follow(Server& server) {
    FollowOutput& out = server.follow->out();
    if (Link* link = link_of_learner(index_of(server)); link != nullptr && !out.packets.empty()) {
      link->to_leader.push_back({.bytes = std::string(out.packets.view())});
    }
    out.packets.clear();
    for (const FollowEvent& event : std::exchange(out.events, {})) {
      if (event.kind == FollowEvent::Kind::UpToDate) become_serving(server, event.after);
    }
    out.lines.clear();
  }

  // Truth.
  void propose(Server& server) {
    if (!server.lead || server.lead->phase() != LeadPhase::Broadcast) return;
    const std::optional<Zxid> zxid = server.lead->next_zxid();
    std::string payload(32, '\0');
    wire::store_be64(payload.data() + 12, static_cast<uint64_t>(zxid->value));
    payload += fmt::format("{} by {}", ++made_, server.id);
    server.journal->append(*zxid, payload);
    server.lead->propose(*zxid, payload);
    look(server);
  }
  void apply(Server& server) {
    if (!server.up) return;
    const Zxid before = server.journal->applied();
    for (auto payload = server.journal->next_to_apply(); !payload.empty(); payload = server.journal->next_to_apply()) {
      server.tree.emplace_back(payload);
      if (server.serves) check(server, server.tree.size() - 1);
    }
    if (server.serves_from && server.journal->applied() >= *server.serves_from)
      become_serving(server, *server.serves_from);
    if (server.journal->applied() == before || !server.follow) return;
    server.follow->on_persisted(now_);
    look(server);
  }
  /// It answers clients from here on, once it has applied everything up to `from`.
  void become_serving(Server& server, Zxid from) {
    if (server.journal->applied() < from) {
      server.serves_from = from;
      return;
    }
    server.serves_from.reset();
    server.serves = true;
    if (server.lead) {
      ASSERT_GE(server.tree.size(), truth_.size()) << "an established leader lacks what was committed";
    }
    for (size_t at = 0; at < server.tree.size(); ++at) check(server, at);
  }
  void check(const Server& server, size_t at) {
    if (at == truth_.size()) return truth_.push_back(server.tree[at]);
    ASSERT_EQ(server.tree[at].substr(32), truth_[at].substr(32)) << "server " << server.id << " differs at " << at;
  }
  void pass_time(int64_t ms) {
    now_ = now_ + Millis{ms};
    for (auto& server : servers_) {
      if (server->lead) server->lead->on_time(now_);
      if (server->follow) server->follow->on_time(now_);
      look(*server);
    }
  }

  std::mt19937 random_;
  int64_t voters_;
  Millis now_{0};
  std::vector<std::unique_ptr<Server>> servers_;
  std::map<LinkId, std::unique_ptr<Link>> links_;
  uint64_t links_made_ = 0;
  int64_t made_ = 0;
  Txns truth_;  ///< What some server served as committed.
};

// Replay a failure with its seed.
TEST(LeadAndFollow, WhatWasCommittedStays) {
  std::map<std::string, int> seen;
  size_t committed = 0;
  for (uint32_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    World world(seed);
    world.run(8000);
    ASSERT_FALSE(HasFailure());
    world.heal();
    ASSERT_FALSE(HasFailure());
    for (const auto& [line, count] : world.seen) seen[line] += count;
    committed += world.committed();
  }
  EXPECT_GT(committed, 300U);
  for (const char* line : {"Sending DIFF", "Sending TRUNC", "Sending snapshot", "Have quorum", "history from disk"}) {
    EXPECT_GT(seen[line], 10) << line;
  }
}

}  // namespace
}  // namespace quorate::zab::lead_testing
