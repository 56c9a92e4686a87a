#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "shell/admin/texts.h"

namespace quorate::admin {
namespace {

using replica::Connection;

std::string_view op_name(wire::Op op) {
  using enum wire::Op;
  static constexpr std::pair<wire::Op, std::string_view> kNames[] = {{Ping, "PING"},
                                                                     {CreateSession, "SESS"},
                                                                     {CloseSession, "CLOS"},
                                                                     {Create, "CREA"},
                                                                     {Create2, "CREA"},
                                                                     {CreateTtl, "CREA"},
                                                                     {CreateContainer, "CREA"},
                                                                     {Delete, "DELE"},
                                                                     {DeleteContainer, "DELE"},
                                                                     {SetData, "SETD"},
                                                                     {SetAcl, "SETA"},
                                                                     {Multi, "MULT"},
                                                                     {MultiRead, "MLTR"},
                                                                     {Reconfig, "RECO"},
                                                                     {Sync, "SYNC"},
                                                                     {Check, "CHEC"},
                                                                     {Exists, "EXIS"},
                                                                     {GetData, "GETD"},
                                                                     {GetAcl, "GETA"},
                                                                     {GetChildren, "GETC"},
                                                                     {GetChildren2, "GETC"},
                                                                     {GetAllChildrenNumber, "GETACN"},
                                                                     {GetEphemerals, "GETE"},
                                                                     {SetWatches, "SETW"},
                                                                     {SetWatches2, "STW2"},
                                                                     {AddWatch, "ADDW"},
                                                                     {CheckWatches, "CHKW"},
                                                                     {RemoveWatches, "REMW"},
                                                                     {WhoAmI, "HOMI"}};
  const auto* found = std::ranges::find(kNames, op, [](const auto& entry) { return entry.first; });
  return found == std::end(kNames) ? "NA" : found->second;
}

/// Java's selection keys: 1 reads, 4 writes, 0 none; a connection that asked a word does neither.
int interest(const Connection& connection, const ServerView& view) {
  if (&connection == view.asking) return 0;
  return (connection.accepts_frames() ? 1 : 0) + (connection.out.empty() ? 0 : 4);
}

std::string session_text(const Connection& connection) {
  const replica::ConnectionStats& stats = connection.stats;
  const std::string cxid =
      stats.last_cxid < 0 ? "" : fmt::format(",lcxid=0x{:x}", static_cast<uint32_t>(stats.last_cxid));
  return fmt::format(",sid=0x{:x},lop={},est={},to={}{},lzxid=0x{:x},lresp={},llat={},minlat={},avglat={},maxlat={}",
                     static_cast<uint64_t>(connection.session.value), op_name(stats.last_op), stats.established_wall_ms,
                     connection.timeout_ms, cxid, static_cast<uint64_t>(stats.last_zxid.value),
                     stats.last_response.value, stats.latency_last, stats.latency_min,
                     stats.latency_count == 0 ? 0 : stats.latency_sum / stats.latency_count, stats.latency_max);
}

}  // namespace

std::string connection_text(const Connection& connection, const ServerView& view) {
  return fmt::format(" {}[{:x}](queued={},recved={},sent={}", connection.remote_text, interest(connection, view),
                     connection.outstanding, connection.stats.received, connection.stats.sent);
}

std::string cons_text(const ServerView& view) {
  std::string text;
  for (const Connection* connection : view.connections) {
    text += connection_text(*connection, view);
    if (connection->session.value != 0) text += session_text(*connection);
    text += ")\n";
  }
  return text + "\n";
}

}  // namespace quorate::admin
