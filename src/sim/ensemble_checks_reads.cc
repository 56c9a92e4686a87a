#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "sim/ensemble_checks.h"
#include "sim/model.h"

/// What clients are shown, held against the one history.
namespace quorate::sim {
namespace {

/// All states of all nodes.
class States {
 public:
  explicit States(const std::vector<Committed>& committed) {
    for (const Committed& txn : committed) {
      for (const Change& change : txn.changes) {
        nodes_[change.path][txn.zxid] = change.value;
        if (change.path == "/") continue;
        auto& [names, zxids] = families_[parent_path(change.path)];
        names.insert(change.path);
        zxids.insert(txn.zxid);
      }
    }
  }

  /// Whether all parts are as they were at that zxid.
  bool are(const std::vector<Seen>& seen, int64_t zxid) const {
    return std::ranges::all_of(seen, [&](const Seen& part) {
      return part.children ? children(part.path, zxid) == *part.children : value(part.path, zxid) == part.value;
    });
  }
  /// When these may have changed, in (after, until].
  std::set<int64_t> moments(const std::vector<Seen>& seen, int64_t after, int64_t until) const {
    std::set<int64_t> zxids;
    const auto add = [&](int64_t zxid) {
      if (zxid > after && zxid <= until) zxids.insert(zxid);
    };
    for (const Seen& part : seen) {
      if (const auto node = nodes_.find(part.path); node != nodes_.end()) {
        for (const auto& [zxid, value] : node->second) add(zxid);
      }
      if (!part.children) continue;
      if (const auto family = families_.find(part.path); family != families_.end()) {
        for (const int64_t zxid : family->second.second) add(zxid);
      }
    }
    return zxids;
  }

 private:
  std::optional<std::string> value(const std::string& path, int64_t zxid) const {
    const auto node = nodes_.find(path);
    if (node == nodes_.end()) return std::nullopt;
    const auto behind = node->second.upper_bound(zxid);
    return behind == node->second.begin() ? std::nullopt : std::prev(behind)->second;
  }
  std::vector<std::string> children(const std::string& path, int64_t zxid) const {
    std::vector<std::string> names;
    const auto family = families_.find(path);
    if (family == families_.end()) return names;
    for (const std::string& child : family->second.first) {
      if (value(child, zxid)) names.push_back(child.substr(child.rfind('/') + 1));
    }
    return names;
  }

  std::map<std::string, std::map<int64_t, std::optional<std::string>>> nodes_;
  std::map<std::string, std::pair<std::set<std::string>, std::set<int64_t>>> families_;  // paths, moments; by parent
};

/// The watches of one connection as they come and go.
class Watches {
 public:
  explicit Watches(const EnsembleHistory& history) {
    for (const Committed& txn : history.committed) {
      for (const Change& change : txn.changes) add(change, txn.zxid);
    }
  }

  void clear() { due_.clear(); }

  void take(const WatchTaken& watch) {
    const Key key{watch.path, watch.of_children};
    const auto matching = matching_.find(key);
    int64_t due = INT64_MAX;
    if (matching != matching_.end()) {
      const auto next = matching->second.upper_bound(watch.zxid);
      if (next != matching->second.end()) due = *next;
    }
    due_.emplace(key, due);  // the same again adds nothing
  }

  std::string tell(const WatchTold& event) {
    using enum WatchTold::What;
    bool owed = false;
    for (const bool of_children : {false, true}) {
      const bool meant = event.what == Deleted || of_children == (event.what == ChildrenChanged);
      const auto watch = due_.find({event.path, of_children});
      if (!meant || watch == due_.end()) continue;
      // A deletion is told once for both kinds, but a watch that was set behind it is not meant.
      const bool is_due = event.zxid > 0 ? watch->second == event.zxid : watch->second != INT64_MAX;
      if (!is_due) continue;
      owed = true;
      due_.erase(watch);
    }
    if (owed) return {};
    return fmt::format("session 0x{:x} is told of {} at 0x{:x}, which nobody owed it", event.session, event.path,
                       event.zxid);
  }

  std::string answer(const ClientRequest& answer) const {
    for (const auto& [key, due] : due_) {
      if (due > answer.zxid) continue;
      return fmt::format("session 0x{:x} is answered at 0x{:x} before it is told of {} at 0x{:x}", answer.session,
                         answer.zxid, key.first, due);
    }
    return {};
  }

 private:
  using Key = std::pair<std::string, bool>;  // path; of children

  void add(const Change& change, int64_t zxid) {
    if (change.what == Change::What::Other) return;
    matching_[{change.path, false}].insert(zxid);
    if (change.what == Change::What::DataSet) return;
    if (change.path != "/") matching_[{parent_path(change.path), true}].insert(zxid);
    if (change.what == Change::What::Deleted) matching_[{change.path, true}].insert(zxid);
  }

  std::map<Key, std::set<int64_t>> matching_;  // zxids
  std::map<Key, int64_t> due_;  // the watches that are set, and what they will be told; INT64_MAX: nothing yet
};

/// What clients heard, by session, connection and order. A watch comes to be behind the answer that tells of it.
struct Heard {
  const ClientRequest* answer = nullptr;
  const WatchTold* event = nullptr;
  std::vector<const WatchTaken*> watches;
};
using Place = std::tuple<int64_t, uint32_t, uint64_t>;

std::map<Place, Heard> all_heard(const EnsembleHistory& history) {
  std::map<Place, Heard> heard;
  for (const ClientRequest& request : history.requests) {
    if (request.order != 0) heard[{request.session, request.connection, request.order}].answer = &request;
  }
  for (const WatchTold& event : history.events) heard[{event.session, event.connection, event.order}].event = &event;
  for (const WatchTaken& watch : history.watches) {
    heard[{watch.session, watch.connection, watch.order}].watches.push_back(&watch);
  }
  return heard;
}

}  // namespace

std::string check_reads(const EnsembleHistory& history) {
  const States states(history.committed);
  std::map<int64_t, int64_t> last;  // zxids by session
  std::map<uint64_t, const ClientRequest*> answers;
  for (const ClientRequest& request : history.requests) {
    if (request.order != 0) answers.emplace(request.order, &request);
  }
  for (const auto& [order, answer] : answers) {
    int64_t& before = last[answer->session];
    std::set<int64_t> moments = states.moments(answer->seen, before, answer->zxid);
    moments.insert(std::min(before, answer->zxid));
    const bool right = std::ranges::any_of(moments, [&](int64_t zxid) { return states.are(answer->seen, zxid); });
    if (!right) {
      return fmt::format("session 0x{:x} reads of {} what was never so between 0x{:x} and 0x{:x}", answer->session,
                         answer->seen.front().path, before, answer->zxid);
    }
    before = std::max(before, answer->zxid);
  }
  return {};
}

std::string check_watches(const EnsembleHistory& history) {
  Watches watches(history);
  std::pair<int64_t, uint32_t> connection;
  for (const auto& [place, heard] : all_heard(history)) {
    const std::pair now(std::get<0>(place), std::get<1>(place));
    if (std::exchange(connection, now) != now) watches.clear();
    std::string wrong = heard.event != nullptr ? watches.tell(*heard.event) : std::string();
    if (wrong.empty() && heard.answer != nullptr) wrong = watches.answer(*heard.answer);
    if (!wrong.empty()) return wrong;
    for (const WatchTaken* watch : heard.watches) watches.take(*watch);
  }
  return {};
}

}  // namespace quorate::sim
