#include <fmt/format.h>

#include <iterator>

#include "shell/admin/texts.h"

namespace quorate::admin {
namespace {

/// A gauge and how it is read; numbers come as the text that mntr prints. Empty: this server does not have it.
struct Gauge {
  std::string_view name;
  std::string (*read)(const ServerView& view);
};

template <class Number>
std::string number(Number value) {
  return fmt::format("{}", value);
}

template <int64_t LeaderView::* Field>
std::string leading(const ServerView& view) {
  return view.member && view.member->leader ? number((*view.member->leader).*Field) : "";
}

template <int64_t replica::SizeStats::* Field>
std::string proposal_size(const ServerView& view) {
  return view.member && view.member->leader ? number(view.stats.proposal_size.*Field) : "";
}

std::string leader_uptime(const ServerView& view) {
  return view.member && view.member->leader ? number((view.now.monotonic - view.member->leader->since).value) : "";
}

/// Followers feed observers, too.
std::string synced_observers(const ServerView& view) {
  if (view.member && view.member->synced_observers) return number(*view.member->synced_observers);
  return leading<&LeaderView::synced_observers>(view);
}

std::string quorum_size(const ServerView& view) { return view.member ? number(view.member->config.voters()) : ""; }

/// In Apache's order for the first 2 KiB, which is all that some monitors read. Spec: operations 2.4.
constexpr Gauge kGauges[] = {
    {"ephemerals_count", [](const ServerView& v) { return number(v.tree.ephemeral_count()); }},
    {"num_alive_connections", [](const ServerView& v) { return number(v.connections.size()); }},
    {"avg_latency", [](const ServerView& v) { return java_double(average(v.stats.latency)); }},
    {"min_proposal_size", proposal_size<&replica::SizeStats::min>},
    {"outstanding_requests", [](const ServerView& v) { return number(v.outstanding_requests); }},
    {"znode_count", [](const ServerView& v) { return number(v.tree.node_count() + 1); }},
    {"global_sessions", [](const ServerView& v) { return number(v.session_list.size()); }},
    {"non_mtls_remote_conn_count", [](const ServerView&) { return number(0); }},
    {"last_client_response_size", [](const ServerView& v) { return number(v.stats.response_size.last); }},
    {"packets_sent", [](const ServerView& v) { return number(v.stats.packets_sent); }},
    {"packets_received", [](const ServerView& v) { return number(v.stats.packets_received); }},
    {"max_proposal_size", proposal_size<&replica::SizeStats::max>},
    {"max_client_response_size", [](const ServerView& v) { return number(v.stats.response_size.max); }},
    {"synced_followers", leading<&LeaderView::synced_followers>},
    {"connection_drop_probability", [](const ServerView& v) { return java_double(v.drop_probability); }},
    {"watch_count", [](const ServerView& v) { return number(v.watches.data_watches() + v.watches.child_watches()); }},
    {"synced_non_voting_followers", leading<&LeaderView::synced_non_voting_followers>},
    {"synced_observers", synced_observers},
    {"auth_failed_count", [](const ServerView& v) { return number(v.stats.auth_failed_count); }},
    {"min_latency", [](const ServerView& v) { return number(v.stats.latency.min); }},
    {"max_file_descriptor_count", [](const ServerView& v) { return number(v.around.most_files); }},
    {"approximate_data_size", [](const ServerView& v) { return number(v.tree.approximate_data_size()); }},
    {"open_file_descriptor_count", [](const ServerView& v) { return number(v.around.open_files); }},
    {"last_proposal_size", proposal_size<&replica::SizeStats::last>},
    {"pending_syncs", leading<&LeaderView::pending_syncs>},
    {"leader_uptime", leader_uptime},
    {"local_sessions", [](const ServerView& v) { return number(v.local_sessions.size()); }},
    {"uptime", [](const ServerView& v) { return number((v.now.monotonic - v.started.monotonic).value); }},
    {"max_latency", [](const ServerView& v) { return number(v.stats.latency.max); }},
    {"outstanding_tls_handshake", [](const ServerView&) { return number(0); }},
    {"learners", leading<&LeaderView::learners>},
    {"min_client_response_size", [](const ServerView& v) { return number(v.stats.response_size.min); }},
    {"non_mtls_local_conn_count", [](const ServerView&) { return number(0); }},
    {"quorum_size", quorum_size},
    {"fsync_threshold_exceed_count", [](const ServerView& v) { return number(v.sync_warnings); }},
};

std::string member_lines(const MemberView& member) {
  std::string text = fmt::format("zk_peer_state\t{}\n", member.peer_state);
  if (member.observer_master_id) text += fmt::format("zk_observer_master_id\t{}\n", *member.observer_master_id);
  return text;
}

}  // namespace

std::string self_check_text(const MemberView& member) {
  return fmt::format("zk_quorate_in_doubt\t{:d}\nzk_quorate_foreign_digests\t{:d}\nzk_quorate_set_aside\t{}\n",
                     member.in_doubt, member.foreign_digests, member.set_aside);
}

std::string mntr_text(const ServerView& view) {
  std::string text =
      fmt::format("zk_version\t{}\nzk_server_state\t{}\n", view.version.compatible, mode_name(view.mode));
  if (view.member != nullptr) text += member_lines(*view.member);
  for (const Gauge& gauge : kGauges) {
    const std::string value = gauge.read(view);
    if (!value.empty()) fmt::format_to(std::back_inserter(text), "zk_{}\t{}\n", gauge.name, value);
  }
  text += quota_gauges(view);
  view.metrics.print(view.stats, text);
  if (view.member != nullptr) text += self_check_text(*view.member);
  return text;
}

}  // namespace quorate::admin
