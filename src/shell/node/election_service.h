#pragma once
#include <map>
#include <memory>
#include <vector>

#include "core/zab/elect.h"
#include "shell/config/ensemble.h"
#include "shell/env/network.h"
#include "shell/net/election_port.h"
#include "shell/node/member_host.h"

/// The election port on a network: who listens, dials and watches for net::ElectionPort. Lives as long as the server.
/// Loop thread. Spec: quorum 1.1 to 1.4.
namespace quorate::node {

class ElectionService {
 public:
  ElectionService(MemberHost& host, env::Network& network, const config::EnsembleSettings& settings, Millis tick);
  ~ElectionService();

  /// Errors: Invalid, Io: the address cannot be had.
  Result<void> listen(const std::vector<env::HostPort>& addresses);
  void send(const zab::ElectionMessage& message, Millis now) { used().send(message.to, message.notification, now); }
  void connect_all(Millis now) { used().connect_all(now); }
  void set_looking(bool looking, Millis now) { used().set_looking(looking, now); }
  void on_time(Millis now) { used().on_time(now); }
  Millis next_time() const { return port_.next_time(); }
  bool undelivered() const { return port_.undelivered(); }

  /// What the port has for the member and for the network. False: there was nothing.
  bool deliver(Millis now);

 private:
  net::ElectionPort& used() {
    used_ = true;
    return port_;
  }
  void start(const net::Dial& dial, Millis now);
  void on_dialed(net::DialId id, std::unique_ptr<env::PeerStream> stream);
  void accept(std::unique_ptr<env::PeerStream> stream);
  void watch(env::PeerStream& stream, net::ElectionLinkId id);
  static bool is_usable(const net::Heard& heard);

  MemberHost& host_;
  env::Network& network_;
  net::ElectionPort port_;
  bool used_ = false;  ///< The port may have something to deliver.
  std::vector<std::unique_ptr<env::NetworkTask>> listeners_;
  std::map<net::DialId, std::unique_ptr<env::NetworkTask>> dials_;
};

}  // namespace quorate::node
