#include <fmt/format.h>

#include "shell/admin/texts.h"

namespace quorate::admin {
namespace {

std::string head(const ServerView& view) {
  std::string text = fmt::format("Zookeeper version: {}\n", view.version.compatible);
  if (view.mode == Mode::ReadOnly) text += "READ-ONLY mode; serving only read-only clients\n";
  return text;
}

std::string body(const ServerView& view) {
  const replica::ServerStats& stats = view.stats;
  std::string text = fmt::format(
      "Latency min/avg/max: {}/{}/{}\nReceived: {}\nSent: {}\nConnections: {}\nOutstanding: {}\nZxid: 0x{:x}\n"
      "Mode: {}\nNode count: {}\n",
      stats.latency.min, java_double(average(stats.latency)), stats.latency.max, stats.packets_received,
      stats.packets_sent, view.connections.size(), view.outstanding_requests,
      static_cast<uint64_t>(view.tree.last_zxid().value), mode_name(view.mode),
      // Apache keeps the root under two names and counts both.
      view.tree.node_count() + 1);
  if (view.mode == Mode::Leader) {
    text += fmt::format("Proposal sizes last/min/max: {}/{}/{}\n", stats.proposal_size.last, stats.proposal_size.min,
                        stats.proposal_size.max);
  }
  return text;
}

}  // namespace

const char* mode_name(Mode mode) {
  switch (mode) {
    case Mode::Standalone:
      return "standalone";
    case Mode::Leader:
      return "leader";
    case Mode::Follower:
      return "follower";
    case Mode::Observer:
      return "observer";
    case Mode::ReadOnly:
      return "read-only";
  }
  return "";
}

std::string srvr_text(const ServerView& view) { return head(view) + body(view); }

std::string stat_text(const ServerView& view) {
  std::string text = head(view) + "Clients:\n";
  for (const replica::Connection* connection : view.connections) text += connection_text(*connection, view) + ")\n";
  return text + "\n" + body(view);
}

}  // namespace quorate::admin
