#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "shell/admin/texts.h"

namespace quorate::admin {
namespace {

uint64_t bits(SessionId id) { return static_cast<uint64_t>(id.value); }

/// A learner knows the sessions and their time-outs; when they end the leader decides.
std::string global_sessions(const ServerView& view) {
  std::string text = fmt::format("Global Sessions({}):\n", view.session_list.size());
  for (const auto& [id, timeout_ms] : view.session_list.all()) {
    text += fmt::format("0x{:x}\t{}ms\n", bits(id), timeout_ms);
  }
  return text;
}

std::string session_sets(const session::SessionTable& sessions, const ServerView& view) {
  const auto buckets = sessions.buckets();
  size_t tracked = 0;
  for (const auto& bucket : buckets) tracked += bucket.sessions.size();
  std::string text = fmt::format("Session Sets ({})/({}):\n", buckets.size(), tracked);
  for (const auto& bucket : buckets) {
    text += fmt::format("{} expire at {}:\n", bucket.sessions.size(), view.date_of(bucket.deadline));
    for (const SessionId id : bucket.sessions) text += fmt::format("\t0x{:x}\n", bits(id));
  }
  return text;
}

std::string all_sessions(const ServerView& view) {
  const bool learns = view.mode == Mode::Follower || view.mode == Mode::Observer;
  const std::string global = learns ? global_sessions(view) : session_sets(view.sessions, view);
  return view.local_sessions.size() == 0 ? global : "Local " + session_sets(view.local_sessions, view) + global;
}

std::string ephemerals(const ServerView& view) {
  auto owners = view.tree.sessions_with_ephemerals();
  std::ranges::sort(owners);
  std::string text = fmt::format("Sessions with Ephemerals ({}):\n", owners.size());
  for (const SessionId owner : owners) {
    text += fmt::format("0x{:x}:\n", bits(owner));
    auto paths = view.tree.ephemerals_of(owner);
    std::ranges::sort(paths);
    for (const std::string& path : paths) text += "\t" + path + "\n";
  }
  return text;
}

/// When the connection would be closed for silence, in steps of the time that one without a session gets.
Millis deadline_of(const replica::Connection& connection, const ServerView& view) {
  const int64_t step = std::max<int64_t>(view.conf.sessionless_timeout.value, 1);
  const int64_t since_established = view.now.wall_ms - connection.stats.established_wall_ms;
  const bool has_session = connection.session.value != 0;
  const int64_t heard = std::max(view.now.monotonic.value - std::max<int64_t>(since_established, 0),
                                 has_session ? connection.stats.last_response.value : 0);
  const int64_t patience = has_session ? connection.timeout_ms : step;
  return {((heard + patience) / step + 1) * step};
}

std::string connection_sets(const ServerView& view) {
  std::map<Millis, std::vector<const replica::Connection*>> buckets;
  for (const replica::Connection* connection : view.connections) {
    buckets[deadline_of(*connection, view)].push_back(connection);
  }
  std::string text = fmt::format("Connections Sets ({})/({}):\n", buckets.size(), view.connections.size());
  for (const auto& [deadline, connections] : buckets) {
    text += fmt::format("{} expire at {}:\n", connections.size(), view.date_of(deadline));
    for (const replica::Connection* connection : connections) {
      text += fmt::format("\tip: {} sessionId: 0x{:x}\n", connection->remote_text, bits(connection->session));
    }
  }
  return text;
}

}  // namespace

std::string dump_text(const ServerView& view) {
  return "SessionTracker dump:\n" + all_sessions(view) + "ephemeral nodes dump:\n" + ephemerals(view) +
         "Connections dump:\n" + connection_sets(view);
}

}  // namespace quorate::admin
