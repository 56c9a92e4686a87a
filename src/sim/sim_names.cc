#include "sim/sim_names.h"

#include <set>
#include <utility>

namespace quorate::sim {

void SimNames::apply(const Change& change, Map& names) {
  if (!change.from.empty()) names.erase(change.from);
  if (!change.to.empty()) names[change.to] = change.file;
}

SimFilePtr SimNames::find(const std::string& name) const {
  const auto at = now_.find(name);
  return at == now_.end() ? nullptr : at->second;
}

SimFilePtr SimNames::create(const std::string& name) {
  auto file = std::make_shared<SimFileNode>();
  pending_.push_back({{}, name, file});
  apply(pending_.back(), now_);
  return file;
}

void SimNames::rename(const std::string& from, const std::string& to) {
  pending_.push_back({from, to, now_.at(from)});
  apply(pending_.back(), now_);
}

void SimNames::remove(const std::string& name) {
  pending_.push_back({name, {}, nullptr});
  apply(pending_.back(), now_);
}

SimFilePtr SimNames::give_away(const std::string& name) {
  SimFilePtr file = now_.at(name);
  std::erase_if(pending_, [&](const Change& change) { return change.from == name || change.to == name; });
  durable_.erase(name);
  now_.erase(name);
  return file;
}

void SimNames::take_in(const std::string& name, SimFilePtr file) { durable_[name] = now_[name] = std::move(file); }

void SimNames::sync() {
  durable_ = now_;
  pending_.clear();
}

void SimNames::power_cut(Rng& rng) {
  const bool in_order = rng.percent(50);
  const uint64_t kept = rng.below(pending_.size() + 1);
  std::set<std::string> lost;  // names that a lost change was about
  for (size_t i = 0; i < pending_.size(); ++i) {
    const Change& change = pending_[i];
    const bool builds_on_lost = lost.contains(change.from) || lost.contains(change.to);
    const bool arrives = in_order ? i < kept : !builds_on_lost && rng.percent(50);
    if (arrives) {
      apply(change, durable_);
      continue;
    }
    for (const std::string& name : {change.from, change.to}) {
      if (!name.empty()) lost.insert(name);
    }
  }
  pending_.clear();
  now_ = durable_;
}

}  // namespace quorate::sim
