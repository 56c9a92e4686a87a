#include <fmt/format.h>

#include <iterator>

#include "shell/admin/texts.h"

namespace quorate::admin {
namespace {

/// A gauge and how it is read; numbers come as the text that mntr prints.
struct Gauge {
  std::string_view name;
  std::string (*read)(const ServerView& view);
};

template <class Number>
std::string number(Number value) {
  return fmt::format("{}", value);
}

/// In Apache's order for the first 2 KiB, which is all that some monitors read. Spec: operations 2.4.
constexpr Gauge kGauges[] = {
    {"ephemerals_count", [](const ServerView& v) { return number(v.tree.ephemeral_count()); }},
    {"num_alive_connections", [](const ServerView& v) { return number(v.connections.size()); }},
    {"avg_latency", [](const ServerView& v) { return java_double(average(v.stats.latency)); }},
    {"outstanding_requests", [](const ServerView& v) { return number(v.outstanding_requests); }},
    {"znode_count", [](const ServerView& v) { return number(v.tree.node_count() + 1); }},
    {"global_sessions", [](const ServerView& v) { return number(v.sessions.size()); }},
    {"non_mtls_remote_conn_count", [](const ServerView&) { return number(0); }},
    {"last_client_response_size", [](const ServerView& v) { return number(v.stats.response_size.last); }},
    {"packets_sent", [](const ServerView& v) { return number(v.stats.packets_sent); }},
    {"packets_received", [](const ServerView& v) { return number(v.stats.packets_received); }},
    {"max_client_response_size", [](const ServerView& v) { return number(v.stats.response_size.max); }},
    {"connection_drop_probability", [](const ServerView& v) { return java_double(v.drop_probability); }},
    {"watch_count", [](const ServerView& v) { return number(v.watches.data_watches() + v.watches.child_watches()); }},
    {"auth_failed_count", [](const ServerView& v) { return number(v.stats.auth_failed_count); }},
    {"min_latency", [](const ServerView& v) { return number(v.stats.latency.min); }},
    {"max_file_descriptor_count", [](const ServerView& v) { return number(v.around.most_files); }},
    {"approximate_data_size", [](const ServerView& v) { return number(v.tree.approximate_data_size()); }},
    {"open_file_descriptor_count", [](const ServerView& v) { return number(v.around.open_files); }},
    {"local_sessions", [](const ServerView&) { return number(0); }},
    {"uptime", [](const ServerView& v) { return number((v.now.monotonic - v.started.monotonic).value); }},
    {"max_latency", [](const ServerView& v) { return number(v.stats.latency.max); }},
    {"outstanding_tls_handshake", [](const ServerView&) { return number(0); }},
    {"min_client_response_size", [](const ServerView& v) { return number(v.stats.response_size.min); }},
    {"non_mtls_local_conn_count", [](const ServerView&) { return number(0); }},
    {"fsync_threshold_exceed_count", [](const ServerView& v) { return number(v.sync_warnings); }},
};

}  // namespace

std::string mntr_text(const ServerView& view) {
  std::string text =
      fmt::format("zk_version\t{}\nzk_server_state\t{}\n", view.version.compatible, mode_name(view.mode));
  for (const Gauge& gauge : kGauges) {
    fmt::format_to(std::back_inserter(text), "zk_{}\t{}\n", gauge.name, gauge.read(view));
  }
  text += quota_gauges(view);
  view.metrics.print(view.stats, text);
  return text;
}

}  // namespace quorate::admin
