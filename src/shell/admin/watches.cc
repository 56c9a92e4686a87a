#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "shell/admin/texts.h"

namespace quorate::admin {
namespace {

std::string session_text(SessionId session) { return fmt::format("0x{:x}", static_cast<uint64_t>(session.value)); }

}  // namespace

std::string wchs_text(const ServerView& view) {
  return fmt::format("{} connections watching {} paths\nTotal watches:{}\n", view.watches.data_watchers(),
                     view.watches.data_paths(), view.watches.data_watches());
}

std::string wchc_text(const ServerView& view) {
  std::string text;
  for (const replica::Connection* connection : view.connections) {
    if (!connection->watcher) continue;
    const auto paths = view.watches.paths_of(*connection->watcher);
    if (paths.empty()) continue;
    text += session_text(connection->session) + "\n";
    for (const std::string& path : paths) text += "\t" + path + "\n";
  }
  return text + "\n";
}

std::string wchp_text(const ServerView& view) {
  std::map<ConnId, SessionId> sessions;
  for (const replica::Connection* connection : view.connections) sessions[connection->id] = connection->session;
  std::string text;
  for (auto& [path, watchers] : view.watches.by_path()) {
    text += path + "\n";
    std::ranges::sort(watchers);
    for (const ConnId id : watchers) {
      if (const auto found = sessions.find(id); found != sessions.end()) {
        text += "\t" + session_text(found->second) + "\n";
      }
    }
  }
  return text + "\n";
}

}  // namespace quorate::admin
