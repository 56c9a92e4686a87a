#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "sim/ensemble_checks.h"

/// What each session may rely on.
namespace quorate::sim {
namespace {

using RequestName = std::pair<int64_t, uint32_t>;     // session and number
using ConnectionName = std::pair<int64_t, uint32_t>;  // session and number

std::map<RequestName, const ClientRequest*> by_name(const EnsembleHistory& history) {
  std::map<RequestName, const ClientRequest*> requests;
  for (const ClientRequest& request : history.requests)
    requests.emplace(RequestName{request.session, request.number}, &request);
  return requests;
}

using Epochs = std::map<ConnectionName, int64_t>;

/// In which connections were let in.
Epochs by_connection(const EnsembleHistory& history) {
  Epochs epochs;
  for (const Attached& attached : history.attached)
    epochs.emplace(ConnectionName{attached.session, attached.connection}, attached.epoch);
  return epochs;
}

/// A session's new connection is decided behind a zxid, and ends the old ones there. A leader that has been replaced
/// and does not know it cannot end those that newer epochs have let in: the newer leader never hears of that move.
/// Nor is anything passed by it: what such a leader is asked for is never committed.
std::string check_old_connections(const EnsembleHistory& history) {
  const auto requests = by_name(history);
  Epochs epochs = by_connection(history);
  for (const Committed& txn : history.committed) {
    const auto found = requests.find({txn.session, txn.request});
    if (found == requests.end()) continue;
    const ClientRequest& request = *found->second;
    const int64_t epoch = epochs[{request.session, request.connection}];
    for (const Attached& attached : history.attached) {
      if (attached.session != txn.session || attached.connection <= request.connection) continue;
      if (txn.zxid <= attached.zxid || attached.epoch < epoch) continue;
      return fmt::format("request {} of session 0x{:x} is done at 0x{:x}, but its connection {} was over at 0x{:x}",
                         request.number, request.session, txn.zxid, request.connection, attached.zxid);
    }
  }
  return {};
}

/// A connection ends with its server's role: what it asked for is done in the epoch that let it in, or never.
std::string check_epochs_of_requests(const EnsembleHistory& history) {
  const auto requests = by_name(history);
  const Epochs epochs = by_connection(history);
  for (const Committed& txn : history.committed) {
    const auto found = requests.find({txn.session, txn.request});
    if (found == requests.end()) continue;
    const ClientRequest& request = *found->second;
    const auto epoch = epochs.find({request.session, request.connection});
    if (epoch == epochs.end() || epoch->second == txn.zxid >> 32) continue;
    return fmt::format("request {} of session 0x{:x} is done at 0x{:x}, but its connection {} is of epoch {}",
                       request.number, request.session, txn.zxid, request.connection, epoch->second);
  }
  return {};
}

std::string check_effects(const EnsembleHistory& history) {
  std::map<int64_t, const Committed*> last;
  for (const Committed& txn : history.committed) {
    if (txn.request == 0) continue;
    const Committed*& before = last[txn.session];
    if (before != nullptr && txn.request <= before->request) {
      return fmt::format("request {} of session 0x{:x} is done at 0x{:x}, behind request {} at 0x{:x}", txn.request,
                         txn.session, txn.zxid, before->request, before->zxid);
    }
    before = &txn;
  }
  return {};
}

/// On one connection: nothing overtakes, nothing is left out.
std::string check_answers(const EnsembleHistory& history) {
  std::map<std::pair<int64_t, uint32_t>, const ClientRequest*> last;
  for (const ClientRequest& request : history.requests) {
    const ClientRequest*& before = last[{request.session, request.connection}];
    if (before != nullptr && request.order != 0 && (before->order == 0 || before->order > request.order)) {
      return fmt::format("request {} of session 0x{:x} is answered before request {}", request.number, request.session,
                         before->number);
    }
    before = &request;
  }
  return {};
}

}  // namespace

std::string check_acknowledged(const EnsembleHistory& history) {
  const auto requests = by_name(history);
  std::map<RequestName, const Committed*> done;
  for (const Committed& txn : history.committed) {
    if (txn.request == 0) continue;
    const auto asked = requests.find({txn.session, txn.request});
    if (asked == requests.end() || !asked->second->is_write) {
      return fmt::format("nobody asked for 0x{:x}", txn.zxid);
    }
    const auto [first, added] = done.emplace(asked->first, &txn);
    if (added) continue;
    return fmt::format("request {} of session 0x{:x} is done at 0x{:x} and at 0x{:x}", txn.request, txn.session,
                       first->second->zxid, txn.zxid);
  }
  for (const ClientRequest& request : history.requests) {
    if (!request.is_write || !request.succeeded || request.order == 0) continue;
    const auto found = done.find({request.session, request.number});
    if (found != done.end() && found->second->zxid == request.zxid) continue;
    return fmt::format("request {} of session 0x{:x} is acknowledged at 0x{:x}, and {}", request.number,
                       request.session, request.zxid,
                       found == done.end() ? "not done" : fmt::format("done at 0x{:x}", found->second->zxid));
  }
  return {};
}

std::string check_session_order(const EnsembleHistory& history) {
  std::string wrong = check_effects(history);
  if (wrong.empty()) wrong = check_answers(history);
  if (wrong.empty()) wrong = check_old_connections(history);
  return wrong.empty() ? check_epochs_of_requests(history) : wrong;
}

std::string check_reply_zxids(const EnsembleHistory& history) {
  std::map<std::pair<int64_t, uint64_t>, const ClientRequest*> answers;  // by session and order
  for (const ClientRequest& request : history.requests) {
    if (request.order != 0) answers.emplace(std::pair(request.session, request.order), &request);
  }
  const ClientRequest* before = nullptr;
  for (const auto& [place, answer] : answers) {
    if (before != nullptr && before->session == answer->session && answer->zxid < before->zxid) {
      return fmt::format("session 0x{:x} is told 0x{:x} behind 0x{:x}, on connections {} and {}", answer->session,
                         answer->zxid, before->zxid, answer->connection, before->connection);
    }
    before = answer;
  }
  return {};
}

}  // namespace quorate::sim
