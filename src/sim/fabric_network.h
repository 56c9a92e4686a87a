#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "shell/env/network.h"
#include "sim/fabric.h"

/// A host's part of the fabric as the node on it uses it: env::Network, where hosts are named by their addresses
/// ("10.0.0.2"). It lives as long as the node's process, and the process is told of the fabric's calls by one hook.
namespace quorate::sim {

/// Sees what learners say to their leaders, on both ends.
class LearnerTap {
 public:
  struct Wire {
    HostId learner = 0;
    HostId leader = 0;
    uint32_t connection = 0;
  };
  virtual ~LearnerTap() = default;
  /// `all`: nothing more was to be sent.
  virtual void learner_sends(const Wire& wire, std::string_view bytes, bool all) = 0;
  virtual void leader_reads(const Wire& wire, size_t bytes) = 0;
};

class FabricNetwork final : public env::Network {
 public:
  /// `called`: behind every callback into the node, so that its loop turns.
  FabricNetwork(Fabric& fabric, Agenda& agenda, HostId host, std::function<void()> called);
  /// On connections to that port. Before the first of them.
  void watch_learners(uint16_t port, LearnerTap& tap) { tap_ = {port, &tap}; }
  ~FabricNetwork() override;

  [[nodiscard]] std::unique_ptr<env::NetworkTask> dial(env::PeerDial request, Dialed done) override;
  [[nodiscard]] Result<std::unique_ptr<env::NetworkTask>> listen(const env::HostPort& address,
                                                                 Accepted accepted) override;

 private:
  class Stream;
  class Listener;
  class DialTask;
  using Hook = std::shared_ptr<std::function<void()>>;
  struct Tap {
    uint16_t port = 0;
    LearnerTap* tap = nullptr;
    LearnerTap* on(uint16_t place) const { return place == port ? tap : nullptr; }
  };

  Fabric& fabric_;
  Agenda& agenda_;
  HostId host_;
  Hook called_;
  Tap tap_;
};

}  // namespace quorate::sim
