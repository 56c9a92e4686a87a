#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

/// The files and ports of an ensemble on this machine's loopback, for development: one directory a server with its
/// zoo.cfg, its data and its log.
namespace quorate::cli {

struct EnsembleOptions {
  int servers = 3;
  std::string directory = "./ensemble";
  int client_port = 2181;  ///< Of server 1; the others have the next ones.
};

struct LocalServer {
  int id = 0;
  std::string directory;  ///< Absolute.
  std::string config;     ///< zoo.cfg in it
  std::string log;        ///< server.log in it
  uint16_t client_port = 0;
  uint16_t quorum_port = 0;
  uint16_t election_port = 0;
};

/// Checks the options and plans the servers; nothing is written. Errors: Invalid with what would be right.
Result<std::vector<LocalServer>> plan_ensemble(const EnsembleOptions& options);
/// Errors: Invalid, naming the first port on 127.0.0.1 that somebody else has.
Result<void> check_ports(const std::vector<LocalServer>& servers);
/// Writes zoo.cfg and myid of each; data that is there stays. Errors: Io.
Result<void> write_ensemble(const std::vector<LocalServer>& servers);
/// "127.0.0.1:2181,127.0.0.1:2182,127.0.0.1:2183"
std::string connect_text(const std::vector<LocalServer>& servers);

}  // namespace quorate::cli
