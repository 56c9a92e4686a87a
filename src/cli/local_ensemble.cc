#include "cli/local_ensemble.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

namespace quorate::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kMostServers = 15;
// With clients on 2181 the servers meet where the documentation of ZooKeeper has them: on 2888 and 3888.
constexpr int kQuorumOffset = 707;
constexpr int kElectionOffset = 1707;

/// zoo.cfg is ISO-8859-1 with escapes; a path that needs none is worth more than one that is escaped right.
bool is_plain(const std::string& path) {
  return std::ranges::all_of(path, [](char c) { return c > ' ' && c < '\x7f' && c != '\\'; });
}

/// An ensemble with fewer servers might lack what a majority of the larger one had stored.
Result<void> check_size(const fs::path& directory, int servers) {
  std::error_code ignored;
  if (!fs::exists(directory / "1", ignored)) return {};
  int there = 0;
  while (fs::exists(directory / std::to_string(there + 1), ignored)) ++there;
  if (there == servers) return {};
  return fail(Fault::Invalid, fmt::format("{} holds an ensemble of {} server(s); want --servers {}, or another --dir",
                                          directory.string(), there, there));
}

Result<void> check_port(const LocalServer& server, const char* what, uint16_t port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  // As the server does: connections of an ensemble that has just ended are no obstacle.
  ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
                     ::listen(probe, 1) == 0;  // bound alone, two can have it
  const std::string why = bound ? "" : std::strerror(errno);
  ::close(probe);
  if (bound) return {};
  return fail(Fault::Invalid, fmt::format("127.0.0.1:{}, the {} port of server {}, cannot be had: {}; want other ports "
                                          "with --client-port",
                                          port, what, server.id, why));
}

Result<void> write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return {};
  return fail(Fault::Io, fmt::format("{} cannot be written: {}", path, std::strerror(errno)));
}

std::string config_text(const LocalServer& server, const std::vector<LocalServer>& all) {
  std::string text = fmt::format(
      "# Written by `quorate ensemble` at each of its starts.\n"
      "tickTime=2000\ninitLimit=10\nsyncLimit=5\nstandaloneEnabled=false\ndataDir={}/data\n"
      "clientPort={}\nclientPortAddress=127.0.0.1\nmaxClientCnxns=0\nadmin.enableServer=false\n"
      "4lw.commands.whitelist=*\nextendedTypesEnabled=true\n",
      server.directory, server.client_port);
  for (const LocalServer& each : all) {
    text += fmt::format("server.{}=127.0.0.1:{}:{}\n", each.id, each.quorum_port, each.election_port);
  }
  return text;
}

}  // namespace

Result<std::vector<LocalServer>> plan_ensemble(const EnsembleOptions& options) {
  if (options.servers < 1 || options.servers > kMostServers) {
    return fail(Fault::Invalid, fmt::format("--servers {}: want 1 to {}", options.servers, kMostServers));
  }
  const int most_port = 65535 - kElectionOffset - kMostServers;
  if (options.client_port < 1 || options.client_port > most_port) {
    return fail(Fault::Invalid, fmt::format("--client-port {}: want 1 to {}", options.client_port, most_port));
  }
  std::error_code error;
  const fs::path directory = fs::absolute(options.directory, error).lexically_normal();
  if (error || !is_plain(directory.string())) {
    return fail(Fault::Invalid,
                fmt::format("--dir {}: want a path of plain ASCII without blanks and backslashes", options.directory));
  }
  if (auto checked = check_size(directory, options.servers); !checked) return std::unexpected(checked.error());
  std::vector<LocalServer> servers;
  for (int id = 1; id <= options.servers; ++id) {
    const fs::path own = directory / std::to_string(id);
    const int port = options.client_port + id - 1;
    servers.push_back({id, own, own / "zoo.cfg", own / "server.log", static_cast<uint16_t>(port),
                       static_cast<uint16_t>(port + kQuorumOffset), static_cast<uint16_t>(port + kElectionOffset)});
  }
  return servers;
}

Result<void> check_ports(const std::vector<LocalServer>& servers) {
  for (const LocalServer& server : servers) {
    const std::pair<const char*, uint16_t> ports[] = {
        {"client", server.client_port}, {"quorum", server.quorum_port}, {"election", server.election_port}};
    for (const auto& [what, port] : ports) {
      if (auto free = check_port(server, what, port); !free) return free;
    }
  }
  return {};
}

Result<void> write_ensemble(const std::vector<LocalServer>& servers) {
  for (const LocalServer& server : servers) {
    std::error_code error;
    fs::create_directories(server.directory + "/data", error);
    if (error) return fail(Fault::Io, fmt::format("{}/data cannot be made: {}", server.directory, error.message()));
    if (auto done = write_file(server.config, config_text(server, servers)); !done) return done;
    if (auto done = write_file(server.directory + "/data/myid", fmt::format("{}\n", server.id)); !done) return done;
  }
  return {};
}

std::string connect_text(const std::vector<LocalServer>& servers) {
  std::string text;
  for (const LocalServer& server : servers) {
    text += fmt::format("{}127.0.0.1:{}", text.empty() ? "" : ",", server.client_port);
  }
  return text;
}

}  // namespace quorate::cli
