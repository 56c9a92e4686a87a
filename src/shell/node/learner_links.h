#pragma once
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_buffer.h"
#include "core/tree/session_list.h"
#include "core/zab/lead.h"
#include "shell/env/network.h"
#include "shell/net/peer_link.h"
#include "shell/node/history_actor.h"
#include "shell/node/member_host.h"
#include "shell/storage/snap_transfer.h"

/// A leader's side of the quorum port: its listeners, its learners' connections, and what is sent on them besides
/// packets: history out of the log, and trees. Loop thread. Spec: quorum 3.1, 3.5, 3.6.
namespace quorate::node {

struct LearnerLinkSettings {
  std::vector<env::HostPort> addresses;  ///< Of the own quorum port.
  net::PeerLinkSettings link;
  double snapshot_size_factor = 0.33;  ///< So much of the tree's size may be read from the log instead.
  size_t slice_bytes = 256 << 10;      ///< Of a tree, walked between two rounds of the loop.
};

class LearnerLinks {
 public:
  LearnerLinks(MemberHost& host, env::Network& network, HistoryActor& history, LearnerLinkSettings settings);
  ~LearnerLinks();

  // What the member wants done.
  void listen();
  void stop();
  void close(LinkId link);
  void mark(LinkId link) { dirty_.push_back(link); }
  void send_history(const zab::LeadOutput::HistoryWish& wish);
  /// The tree as it is now, behind what waits in `out`.
  void send_tree(LinkId link);

  void on_history(const HistoryActor::Piece& piece);
  void on_time(Millis now);
  Millis next_time() const;
  /// Sends what is to be sent. True: something came of it that may have to be sent, too.
  bool flush(Millis now);
  /// A tree has more to be walked, and somebody to take it.
  bool walking() const;
  bool sends_tree() const;

 private:
  struct Link {
    Link(LinkId number, std::unique_ptr<env::PeerStream> stream, const net::PeerLinkSettings& settings)
        : id(number), peer(stream->peer_text()), bytes(std::move(stream), settings) {}

    LinkId id;
    std::string peer;
    net::PeerLink bytes;
    std::unique_ptr<storage::SnapSender> tree;
    ByteBuffer tree_bytes;  ///< Walked, and not sent.
    bool walked = false;
    bool stuck = false;  ///< The other side takes no more for now.
  };

  void accept(std::unique_ptr<env::PeerStream> stream);
  void on_readable(LinkId id);
  bool take_packets(LinkId id);
  void lose(LinkId id, const std::string& why);
  void drop(LinkId id);
  bool send(Link& link, Millis now);
  bool send_tree_slice(Link& link, Millis now);
  void finish_tree(Link& link);
  Link* find(LinkId id);

  MemberHost& host_;
  env::Network& network_;
  HistoryActor& history_;
  LearnerLinkSettings settings_;
  std::vector<std::unique_ptr<env::NetworkTask>> listeners_;
  std::map<LinkId, std::unique_ptr<Link>> links_;
  std::vector<std::unique_ptr<Link>> gone_;  ///< Perhaps within a call of theirs.
  std::vector<LinkId> dirty_;
  uint64_t last_link_ = 0;
};

}  // namespace quorate::node
