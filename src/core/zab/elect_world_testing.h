#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "core/zab/elect_testing.h"

/// A world of servers that elect: their links do what the election port does, one waiting message a peer and the last
/// one sent again on a new connection. Spec: quorum 1.4, 1.5.
namespace quorate::zab::testing {

struct Delays {
  int64_t least = 1;
  int64_t most = 1;
};

/// Servers, their clocks' events and the links between them. Time passes only in run_until().
class ElectWorld {
 public:
  using Hook = std::function<void(int64_t server)>;

  ElectWorld(Electorate electorate, uint64_t seed, Delays delays)
      : electorate_(std::move(electorate)), dice_(seed), delays_(delays) {}

  /// The process starts; it listens, but does not look yet.
  void start(ElectSettings settings) {
    Server& server = servers_[settings.self.value];
    server.elect = std::make_unique<Elect>(settings, electorate_);
    ++server.incarnation;
  }
  void crash(int64_t id) {
    servers_[id].elect.reset();
    ++servers_[id].incarnation;
    for (auto& [other, server] : servers_) {
      if (other != id) disconnect(id, other);
      links_[{id, other}] = {};
    }
  }
  void look(int64_t id, Zxid zxid, int64_t epoch) {
    if (tracing_) trace_.push_back(fmt::format("{:4} {} looks: zxid {:x} epoch {}", now_, id, zxid.value, epoch));
    elect(id).look(zxid, epoch, time());
    drain(id);
  }
  void disconnect(int64_t a, int64_t b) {
    if (!connected(a, b)) return;
    connections_.erase(key(a, b));
    tell_reach(a, b, Reach::Unknown);
    tell_reach(b, a, Reach::Unknown);
  }
  /// No packet passes, and no dial is answered.
  void cut(int64_t a, int64_t b) {
    cuts_.insert(key(a, b));
    disconnect(a, b);
  }
  void heal() { cuts_.clear(); }

  bool up(int64_t id) const { return servers_.contains(id) && servers_.at(id).elect; }
  bool is_cut(int64_t a, int64_t b) const { return cuts_.contains(key(a, b)); }
  bool connected(int64_t a, int64_t b) const { return connections_.contains(key(a, b)); }
  Elect& elect(int64_t id) { return *servers_.at(id).elect; }
  int64_t incarnation(int64_t id) { return servers_[id].incarnation; }
  Dice& dice() { return dice_; }
  int64_t now() const { return now_; }
  Millis time() const { return {now_}; }
  /// Called after a decision; a page is also written when tracing is on.
  void on_decided(Hook hook) { decided_ = std::move(hook); }
  void trace() { tracing_ = true; }
  std::string page() const { return fmt::format("{}\n", fmt::join(trace_, "\n")); }
  /// Has `voter`, in some life, voted for `leader` in that round?
  bool has_said(int64_t voter, int64_t leader, int64_t round) const { return said_.contains({voter, leader, round}); }

  void after(int64_t delay, std::function<void()> what) { events_.emplace(now_ + delay, std::move(what)); }
  void run_until(int64_t end) {
    while (!events_.empty() && events_.begin()->first <= end) {
      auto event = events_.extract(events_.begin());
      now_ = event.key();
      event.mapped()();
    }
    now_ = end;
  }

 private:
  using Pair = std::pair<int64_t, int64_t>;
  struct Server {
    std::unique_ptr<Elect> elect;
    int64_t incarnation = 0;
    int64_t alarm = INT64_MAX;
  };
  /// One direction.
  struct Link {
    std::optional<wire::Notification> waiting;
    std::optional<wire::Notification> last;
    bool dialing = false;
    int64_t arrival = 0;
  };

  static Pair key(int64_t a, int64_t b) { return std::minmax(a, b); }
  int64_t delay() { return dice_.between(delays_.least, delays_.most); }

  void drain(int64_t id) {
    ElectionOutput out = elect(id).take();
    for (const ElectionMessage& message : out.messages) send(id, message.to.value, message.notification);
    if (out.connect_all) {
      for (const ServerId voter : electorate_.voters()) dial(id, voter.value);
    }
    if (out.decided) {
      if (tracing_) trace_.push_back(fmt::format("{:4} {} {}", now_, id, outcome(elect(id))));
      if (decided_) decided_(id);
    }
    arm(id);
  }

  static std::string outcome(const Elect& elect) {
    if (elect.state() == PeerState::Leading) return "leads";
    return fmt::format("{} {}", elect.state() == PeerState::Following ? "follows" : "observes",
                       elect.current().leader.value);
  }

  void arm(int64_t id) {
    Server& server = servers_[id];
    const int64_t next = server.elect->next_time().value;
    if (next == INT64_MAX || next == server.alarm) return;
    server.alarm = next;
    after(std::max<int64_t>(next - now_, 0), [this, id, next, incarnation = server.incarnation] {
      Server& late = servers_[id];
      if (late.incarnation != incarnation || late.alarm != next) return;
      late.alarm = INT64_MAX;
      late.elect->on_time(time(), undelivered(id));
      drain(id);
    });
  }

  bool undelivered(int64_t id) {
    return std::ranges::any_of(electorate_.voters(),
                               [&](ServerId to) { return links_[{id, to.value}].waiting.has_value(); });
  }

  void send(int64_t from, int64_t to, const wire::Notification& message) {
    said_.insert({from, message.leader, message.round});
    links_[{from, to}].waiting = message;
    if (connected(from, to)) {
      flush(from, to);
    } else {
      dial(from, to);
    }
  }

  // Order holds within a connection; what is on its way when it ends is lost.
  void flush(int64_t from, int64_t to) {
    Link& link = links_[{from, to}];
    if (!link.waiting) link.waiting = link.last;
    if (!link.waiting) return;
    link.last = std::exchange(link.waiting, std::nullopt);
    link.arrival = std::max(link.arrival, now_ + delay());
    after(link.arrival - now_, [this, from, to, message = *link.last, connection = connections_[key(from, to)]] {
      if (!connected(from, to) || connections_[key(from, to)] != connection) return;
      if (tracing_) trace_.push_back(fmt::format("{:4} {} > {} {}", now_, from, to, to_text(message)));
      elect(to).on_notification({from}, message, time());
      drain(to);
    });
  }

  void dial(int64_t from, int64_t to) {
    Link& link = links_[{from, to}];
    if (from == to || connected(from, to) || link.dialing) return;
    link.dialing = true;
    tell_reach(from, to, Reach::Unknown);
    after(delay(), [this, from, to, incarnation = servers_[from].incarnation] {
      if (servers_[from].incarnation != incarnation) return;
      links_[{from, to}].dialing = false;
      if (connected(from, to) || is_cut(from, to)) return;
      if (up(to)) {
        connect(from, to);
      } else {
        tell_reach(from, to, Reach::Refused);
      }
    });
  }

  void connect(int64_t a, int64_t b) {
    connections_[key(a, b)] = ++last_connection_;
    flush(a, b);
    flush(b, a);
    tell_reach(a, b, Reach::Open);
    tell_reach(b, a, Reach::Open);
  }

  void tell_reach(int64_t id, int64_t other, Reach reach) {
    if (!up(id)) return;
    elect(id).on_reach({other}, reach, time());
    drain(id);
  }

  Electorate electorate_;
  Dice dice_;
  Delays delays_;
  int64_t now_ = 0;
  std::map<int64_t, Server> servers_;
  std::map<Pair, Link> links_;
  std::map<Pair, int64_t> connections_;
  int64_t last_connection_ = 0;
  std::set<Pair> cuts_;
  std::set<std::tuple<int64_t, int64_t, int64_t>> said_;
  std::multimap<int64_t, std::function<void()>> events_;
  Hook decided_;
  bool tracing_ = false;
  std::vector<std::string> trace_;
};

}  // namespace quorate::zab::testing
