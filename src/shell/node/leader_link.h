#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shell/env/network.h"
#include "shell/net/peer_link.h"
#include "shell/node/member_host.h"
#include "shell/storage/snap_transfer.h"
#include "wire/quorum_config.h"

/// A learner's side of the quorum port: the dial to the leader, the packets, the tree behind SNAP. Loop thread.
/// Spec: quorum 3.1, 3.6, 3.7.
namespace quorate::node {

struct LeaderLinkSettings {
  wire::QuorumConfig config;
  net::PeerLinkSettings link;
  bool parallel = false;    ///< A leader's several addresses are dialed at once.
  Millis patience;          ///< Of one try.
  Millis retry_delay{100};  ///< The longest pause before the next try; five of them are all that is spent on tries.
  storage::SnapLimits tree_limits;
  tree::HashKey hash_key;
  tree::TreeOptions tree_options;
};

class LeaderLink {
 public:
  LeaderLink(MemberHost& host, env::Network& network, LeaderLinkSettings settings);
  ~LeaderLink();

  // What the member wants done.
  void dial(ServerId leader, Millis now);
  void hang_up();
  /// Takes what has come in, as far as the member does. After whatever may have made it take more.
  void pump();
  void flush(Millis now);

  void on_time(Millis now);
  Millis next_time() const;

 private:
  void start();
  void on_dialed(std::unique_ptr<env::PeerStream> stream);
  void on_dial_failed(const std::string& why);
  bool try_again(Millis now);
  bool was_never_heard();
  void on_readable();
  bool take_packets();
  bool take_tree();
  void begin_tree();
  void lose(const std::string& why);

  MemberHost& host_;
  env::Network& network_;
  LeaderLinkSettings settings_;
  ServerId leader_;
  Millis pause_;  ///< Before the next try.
  Millis give_up_at_;
  std::optional<Millis> retry_at_;
  std::unique_ptr<env::NetworkTask> task_;
  std::unique_ptr<net::PeerLink> link_;
  std::unique_ptr<net::PeerLink> gone_;  ///< Perhaps within a call of its own.
  bool pumping_ = false;
  Zxid tree_zxid_;
  std::unique_ptr<storage::SnapReceiver> tree_;
};

}  // namespace quorate::node
