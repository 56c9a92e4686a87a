#include "sim/net_faults.h"

#include <algorithm>

/// How a plan of faults is printed and executed.
namespace quorate::sim {
namespace {

bool is_in(HostSet set, HostId host) { return (set >> host & 1) != 0; }

std::string describe_set(HostSet set) {
  std::string text = "{";
  for (HostId host = 0; host < 64; ++host) {
    if (is_in(set, host)) text += fmt::format("{}{}", text.size() > 1 ? " " : "", host);
  }
  return text + "}";
}

HostSet with_swapped(HostSet set, HostId one, HostId other) {
  if (is_in(set, one) == is_in(set, other)) return set;
  return set ^ (HostSet{1} << one | HostSet{1} << other);
}

bool is_cut(NetFaultKind kind) { return kind <= NetFaultKind::Swizzle; }

bool is_one_way(NetFaultKind kind) {
  using enum NetFaultKind;
  return kind == CutOneWay || kind == Deaf || kind == Mute || kind == Swizzle;
}

}  // namespace

const char* name_of(NetFaultKind kind) {
  constexpr const char* kNames[] = {
#define QUORATE_NET_FAULT_NAME(name) #name,
      QUORATE_NET_FAULTS(QUORATE_NET_FAULT_NAME)
#undef QUORATE_NET_FAULT_NAME
  };
  return kNames[static_cast<size_t>(kind)];
}

bool NetFault::cuts(HostId sender, HostId receiver) const {
  if (!is_cut(kind)) return false;
  if (is_in(left, sender) && is_in(right, receiver)) return true;
  return !is_one_way(kind) && is_in(right, sender) && is_in(left, receiver);
}

bool NetFault::slows(HostId sender, HostId receiver) const {
  return kind == NetFaultKind::Slow && is_in(left, sender) && is_in(right, receiver);
}

std::string describe(const NetFault& fault) {
  std::string text = fmt::format("{:.6f} to {:.6f}: {} {}", static_cast<double>(fault.from) / 1e6,
                                 static_cast<double>(fault.until) / 1e6, name_of(fault.kind), describe_set(fault.left));
  if (fault.kind != NetFaultKind::Pause) text += " | " + describe_set(fault.right);
  if (fault.leader) text += fmt::format(", {} as the leader", *fault.leader);
  if (fault.kind == NetFaultKind::Slow) {
    text += fmt::format(", {} us, {} bytes/s, window {}", fault.quality.delay_us, fault.quality.bytes_per_second,
                        fault.quality.window_bytes);
  }
  if (fault.kind == NetFaultKind::Reset) {
    constexpr const char* kSeenBy[] = {"both", "left", "right", "nobody"};
    text += fmt::format(", seen by {}", kSeenBy[static_cast<size_t>(fault.seen_by)]);
  }
  return text;
}

NetFaults::NetFaults(Fabric& fabric, Agenda& agenda, Trace& trace, NetFaultPlan plan)
    : fabric_(fabric), agenda_(agenda), trace_(trace), plan_(std::move(plan)), active_(plan_.faults.size()) {}

void NetFaults::start() {
  for (HostId from = 0; from < fabric_.host_count(); ++from) {
    for (HostId to = 0; to < fabric_.host_count(); ++to) usual_.push_back(fabric_.quality(from, to));
  }
  for (size_t i = 0; i < plan_.faults.size(); ++i) {
    trace_.say("fault planned: {}", describe(plan_.faults[i]));
    agenda_.at(plan_.faults[i].from, [this, i] { begin(i); });
    agenda_.at(plan_.faults[i].until, [this, i] { end(i); });
  }
  trace_.say("fault planned: {:.6f}: all heals among {}", static_cast<double>(plan_.heal_at) / 1e6,
             describe_set(plan_.core));
  agenda_.at(plan_.heal_at, [this] { heal(); });
}

void NetFaults::begin(size_t number) {
  if (healed_) return;
  NetFault& fault = plan_.faults[number];
  aim(fault);
  trace_.say("fault: {}", describe(fault));
  if (fault.kind == NetFaultKind::Reset) return reset_connections(fault);
  active_[number] = true;
  refresh();
  for (HostId host = 0; host < fabric_.host_count(); ++host) {
    if (fault.kind == NetFaultKind::Pause && is_in(fault.left, host)) fabric_.pause(host);
  }
}

void NetFaults::aim(NetFault& fault) {
  const auto leader = fault.leader && find_leader ? find_leader() : std::nullopt;
  if (!leader) return;
  fault.left = with_swapped(fault.left, *fault.leader, *leader);
  fault.right = with_swapped(fault.right, *fault.leader, *leader);
}

void NetFaults::end(size_t number) {
  if (!active_[number]) return;
  active_[number] = false;
  trace_.say("fault over: {}", describe(plan_.faults[number]));
  refresh();
}

void NetFaults::heal() {
  trace_.say("fault: all heals among {}", describe_set(plan_.core));
  healed_ = true;
  active_.assign(active_.size(), false);
  refresh();
}

void NetFaults::reset_connections(const NetFault& fault) {
  for (HostId one = 0; one < fabric_.host_count(); ++one) {
    for (HostId other = 0; other < fabric_.host_count(); ++other) {
      if (is_in(fault.left, one) && is_in(fault.right, other)) {
        fabric_.reset_connections(one, other, fault.seen_by);
      }
    }
  }
}

/// The net is what the active faults together make of it. A pause is not repeated: its process may have ended since.
void NetFaults::refresh() {
  for (HostId from = 0; from < fabric_.host_count(); ++from) {
    for (HostId to = 0; to < fabric_.host_count(); ++to) {
      if (from != to) refresh_link(from, to);
    }
    if (!is_paused(from)) fabric_.resume(from);
  }
}

void NetFaults::refresh_link(HostId from, HostId to) {
  bool cut = healed_ && in_core(from) != in_core(to);
  LinkQuality quality = usual_[from * fabric_.host_count() + to];
  for (size_t i = 0; i < active_.size(); ++i) {
    if (!active_[i]) continue;
    cut = cut || plan_.faults[i].cuts(from, to);
    if (plan_.faults[i].slows(from, to)) quality = plan_.faults[i].quality;
  }
  fabric_.set_quality(from, to, quality);
  fabric_.set_cut(from, to, cut);
}

bool NetFaults::is_paused(HostId host) const {
  for (size_t i = 0; i < active_.size(); ++i) {
    const NetFault& fault = plan_.faults[i];
    if (active_[i] && fault.kind == NetFaultKind::Pause && is_in(fault.left, host)) return true;
  }
  return false;
}

}  // namespace quorate::sim
