#pragma once
#include <functional>
#include <memory>
#include <string>

#include "shell/env/network.h"
#include "sim/fabric.h"

/// A host's part of the fabric as the node on it uses it: env::Network, where hosts are named by their addresses
/// ("10.0.0.2"). It lives as long as the node's process, and the process is told of the fabric's calls by one hook.
namespace quorate::sim {

class FabricNetwork final : public env::Network {
 public:
  /// `called`: behind every callback into the node, so that its loop turns.
  FabricNetwork(Fabric& fabric, Agenda& agenda, HostId host, std::function<void()> called);
  ~FabricNetwork() override;

  [[nodiscard]] std::unique_ptr<env::NetworkTask> dial(env::PeerDial request, Dialed done) override;
  [[nodiscard]] Result<std::unique_ptr<env::NetworkTask>> listen(const env::HostPort& address,
                                                                 Accepted accepted) override;

 private:
  class Stream;
  class Listener;
  class DialTask;
  using Hook = std::shared_ptr<std::function<void()>>;

  Fabric& fabric_;
  Agenda& agenda_;
  HostId host_;
  Hook called_;
};

}  // namespace quorate::sim
