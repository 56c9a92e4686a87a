#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shell/env/network.h"
#include "shell/io/event_loop.h"

/// The network between servers on real sockets: env::Network over the event loop. The loop and this outlive everything
/// they handed out.
namespace quorate::server {

struct LoopNetworkSettings {
  bool keep_alive = false;  ///< tcpKeepAlive
  /// For names of listeners that could not be looked up before.
  Millis lookup_patience{5000};
};

class LoopNetwork final : public env::Network {
 public:
  LoopNetwork(io::EventLoop& loop, const LoopNetworkSettings& settings) : loop_(loop), settings_(settings) {}

  /// Looks the host up on the spot, before the loop serves anybody, so that listen() never waits for a name. A name
  /// that has no address yet is no error here: listen() says so, and each of its calls has it looked up again.
  void prepare_listener(const std::string& host, const io::Lookup& lookup = io::look_up_by_system);

  std::unique_ptr<env::NetworkTask> dial(env::PeerDial request, Dialed done) override;
  Result<std::unique_ptr<env::NetworkTask>> listen(const env::HostPort& address, Accepted accepted) override;

 private:
  void look_up_again(const std::string& host);

  io::EventLoop& loop_;
  LoopNetworkSettings settings_;
  std::map<std::string, std::vector<std::string>> found_;  ///< Addresses by name.
  std::map<std::string, std::unique_ptr<io::Task>> looking_up_;
};

}  // namespace quorate::server
