#include <algorithm>
#include <bit>
#include <tuple>
#include <utility>

#include "sim/net_faults.h"

/// How a plan of faults comes out of a seed.
namespace quorate::sim {
namespace {

constexpr int64_t kMeanGapAtOne = 20'000'000;

HostSet only(HostId host) { return HostSet{1} << host; }

class Draw {
 public:
  Draw(Rng& rng, const NetFaultRange& range)
      : rng_(rng),
        range_(range),
        servers_((HostSet{1} << range.servers) - 1),
        clients_(((HostSet{1} << range.clients) - 1) << range.servers) {}

  NetFaultPlan plan() {
    plan_.heal_at = range_.until;
    if (range_.core_only) plan_.core = majority() | clients_;
    if (range_.intensity == 0 || range_.servers + range_.clients < 2) return std::move(plan_);
    const int64_t mean_gap = kMeanGapAtOne / range_.intensity;
    for (int64_t at = range_.from + gap(mean_gap); at < range_.until; at += gap(mean_gap)) add(at);
    std::ranges::sort(plan_.faults, {}, [](const NetFault& fault) {
      return std::tuple(fault.from, fault.until, fault.left, fault.right);
    });
    return std::move(plan_);
  }

 private:
  int64_t gap(int64_t mean) { return 1 + rng_.between(0, 2 * mean); }
  /// Short ones that only one message meets, and long ones that outlast every time-out, about equally often.
  int64_t ending(int64_t from) {
    const int64_t about = int64_t{5000} << rng_.below(12);
    return std::min(range_.until, from + rng_.between(about / 2, about));
  }
  HostId server() { return static_cast<HostId>(rng_.below(range_.servers)); }
  HostId other_than(HostId host) {
    const bool client = range_.clients > 0 && (range_.servers < 2 || rng_.percent(25));
    if (client) return range_.servers + static_cast<HostId>(rng_.below(range_.clients));
    return static_cast<HostId>((host + 1 + rng_.below(range_.servers - 1)) % range_.servers);
  }
  /// All but these: servers, and the clients, too, now and then.
  HostSet rest(HostSet of) {
    const bool with_clients = range_.clients > 0 && (range_.servers < 2 || rng_.percent(30));
    return (with_clients ? servers_ | clients_ : servers_) & ~of;
  }
  HostSet some_servers(uint32_t count) {
    HostSet set = 0;
    while (static_cast<uint32_t>(std::popcount(set)) < count) set |= only(server());
    return set;
  }
  HostSet majority() { return some_servers(range_.servers / 2 + 1); }

  void add(int64_t at) {
    const auto kind = static_cast<NetFaultKind>(rng_.below(kNetFaultKinds));
    NetFault fault{.kind = kind, .from = at, .until = ending(at)};
    const HostId one = server();
    fault.left = only(one);
    if (rng_.percent(40)) fault.leader = one;
    switch (kind) {
      case NetFaultKind::CutPair:
      case NetFaultKind::CutOneWay:
        fault.right = only(other_than(one));
        if (rng_.percent(50)) std::swap(fault.left, fault.right);
        break;
      case NetFaultKind::Isolate:
      case NetFaultKind::Mute:
        fault.right = rest(fault.left);
        break;
      case NetFaultKind::Deaf:
        fault.right = fault.left;
        fault.left = rest(fault.right);
        break;
      case NetFaultKind::Split:
      case NetFaultKind::Bridge:
        split(fault, one);
        break;
      case NetFaultKind::Swizzle:
        return swizzle(fault);
      case NetFaultKind::Slow:
        slow(fault, one);
        break;
      case NetFaultKind::Pause:
        break;
      default:
        fault.right = rng_.percent(50) ? only(other_than(one)) : rest(fault.left);
        fault.seen_by = static_cast<SeenBy>(rng_.below(4));
        fault.until = at;
    }
    plan_.faults.push_back(fault);
  }

  void split(NetFault& fault, HostId bridge) {
    const HostSet groups = fault.kind == NetFaultKind::Bridge ? servers_ & ~only(bridge) : servers_;
    fault.left = rng_.next() & groups;
    fault.right = groups & ~fault.left;
    // Each client stays with one of the groups.
    const HostSet with_left = rng_.next() & clients_;
    fault.left |= with_left;
    fault.right |= clients_ & ~with_left;
  }

  /// Links that are cut one after the other and come back in another order. Spec: known-faults 11.4.
  void swizzle(const NetFault& like) {
    for (uint64_t count = 2 + rng_.below(4); count > 0; --count) {
      NetFault fault = like;
      const HostId one = server();
      fault.left = only(one);
      fault.right = only(other_than(one));
      if (rng_.percent(50)) std::swap(fault.left, fault.right);
      fault.from = rng_.between(like.from, like.from + (like.until - like.from) / 2);
      fault.until = rng_.between(fault.from, like.until);
      plan_.faults.push_back(fault);
    }
  }

  void slow(NetFault& fault, HostId one) {
    fault.right = rng_.percent(50) ? only(other_than(one)) : rest(fault.left);
    if (rng_.percent(50)) std::swap(fault.left, fault.right);
    LinkQuality& quality = fault.quality;
    quality.delay_us = int64_t{1000} << rng_.below(11);
    quality.jitter_us = rng_.between(0, quality.delay_us);
    if (rng_.percent(50)) quality.bytes_per_second = int64_t{1000} << rng_.below(10);
    if (rng_.percent(30)) quality.window_bytes = static_cast<size_t>(rng_.between(64, 3000));
  }

  Rng& rng_;
  const NetFaultRange& range_;
  HostSet servers_;
  HostSet clients_;
  NetFaultPlan plan_;
};

}  // namespace

NetFaultPlan draw_net_faults(Rng& rng, const NetFaultRange& range) { return Draw(rng, range).plan(); }

LinkQuality draw_quality(Rng& rng) {
  LinkQuality quality;
  quality.delay_us = rng.percent(80) ? rng.between(20, 2000) : rng.between(2000, 60'000);
  quality.jitter_us = rng.between(0, quality.delay_us);
  if (rng.percent(30)) quality.hiccup_one_in = 50;
  if (rng.percent(10)) quality.bytes_per_second = int64_t{50'000} << rng.below(8);
  if (rng.percent(15)) quality.window_bytes = static_cast<size_t>(rng.between(64, 3000));
  return quality;
}

}  // namespace quorate::sim
