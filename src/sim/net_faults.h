#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/fabric.h"

/// What goes wrong between hosts in a run: drawn beforehand as plain data, which prints, can be edited by hand, and is
/// executed on a fabric. Overlapping faults add up; each ends by itself. Spec: known-faults 9.1, 9.3, 11.2, 11.6.
namespace quorate::sim {

using HostSet = uint64_t;  ///< A bit a host, for the first 64.

// Those up to Swizzle cut links.
#define QUORATE_NET_FAULTS(fault)                                          \
  fault(CutPair)       /* Both ways; a third host still reaches both. */   \
      fault(CutOneWay) /* Left to right. */                                \
      fault(Isolate)   /* One from all others. */                          \
      fault(Deaf)      /* One hears nobody. */                             \
      fault(Mute)      /* Nobody hears one. */                             \
      fault(Split)     /* Two groups. */                                   \
      fault(Bridge)    /* Two groups, and one host that reaches both. */   \
      fault(Swizzle)   /* One of several one-way cuts that come and go. */ \
      fault(Slow)      /* Links of another quality. */                     \
      fault(Pause)     /* Left stops. */                                   \
      fault(Reset)     /* Connections between left and right are lost. */

enum class NetFaultKind : uint8_t {
#define QUORATE_NET_FAULT_ENUM(name) name,
  QUORATE_NET_FAULTS(QUORATE_NET_FAULT_ENUM)
#undef QUORATE_NET_FAULT_ENUM
      kCount,
};
constexpr size_t kNetFaultKinds = static_cast<size_t>(NetFaultKind::kCount);
const char* name_of(NetFaultKind kind);

struct NetFault {
  NetFaultKind kind = NetFaultKind::CutPair;
  int64_t from = 0;  ///< In microseconds.
  int64_t until = 0;
  HostSet left = 0;
  HostSet right = 0;
  std::optional<HostId> leader{};  ///< Who leads when it begins takes this host's place in it, and it the leader's.
  LinkQuality quality{};           ///< Of Slow.
  SeenBy seen_by = SeenBy::Both;   ///< Of Reset.

  bool cuts(HostId sender, HostId receiver) const;
  bool slows(HostId sender, HostId receiver) const;
  friend bool operator==(const NetFault&, const NetFault&) = default;
};

struct NetFaultPlan {
  std::vector<NetFault> faults;  ///< By `from`.
  int64_t heal_at = 0;           ///< From then on nothing is wrong any more among the core,
  HostSet core = ~HostSet{0};    ///< and the rest is cut off from it.
};

/// What to draw from. Servers are the hosts from 0 on, clients those behind them; together fewer than 64.
struct NetFaultRange {
  uint32_t servers = 3;
  uint32_t clients = 0;
  int64_t from = 0;
  int64_t until = 0;        ///< Everything heals.
  uint32_t intensity = 20;  ///< 0: none; 100: about five faults a second.
  bool core_only = false;   ///< Only some majority of the servers heals.
};

NetFaultPlan draw_net_faults(Rng& rng, const NetFaultRange& range);
/// Of a link with nothing wrong: near mostly, sometimes far, narrow, or with hiccups.
LinkQuality draw_quality(Rng& rng);
/// "  1.500000 to 2.250000: Isolate {0} | {1 2}"
std::string describe(const NetFault& fault);

/// Executes a plan. All hosts are there when it starts; the qualities that links have then are their usual ones.
class NetFaults {
 public:
  /// For faults that are aimed at the leader: who that is, if anybody.
  std::function<std::optional<HostId>()> find_leader;

  NetFaults(Fabric& fabric, Agenda& agenda, Trace& trace, NetFaultPlan plan);
  void start();
  bool healed() const { return healed_; }
  /// With those that have begun as they were aimed.
  const NetFaultPlan& plan() const { return plan_; }

 private:
  void begin(size_t number);
  void end(size_t number);
  void heal();
  void aim(NetFault& fault);
  void reset_connections(const NetFault& fault);
  void refresh();
  void refresh_link(HostId from, HostId to);
  bool is_paused(HostId host) const;
  bool in_core(HostId host) const { return (plan_.core >> host & 1) != 0; }

  Fabric& fabric_;
  Agenda& agenda_;
  Trace& trace_;
  NetFaultPlan plan_;
  std::vector<bool> active_;        ///< By fault.
  std::vector<LinkQuality> usual_;  ///< By sender and receiver.
  bool healed_ = false;
};

}  // namespace quorate::sim
