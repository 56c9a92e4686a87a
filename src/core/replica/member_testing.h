#pragma once
#include <string>
#include <utility>

#include "core/replica/ensemble_world_testing.h"

/// An ensemble with clients: the peers of replica_testing.h, each on one server.
namespace quorate::replica::testing {

class Ensemble : public EnsembleWorld {
 public:
  using EnsembleWorld::EnsembleWorld;

  /// The server that leads and is established, once a quorum follows; 0: none within the time.
  int64_t elect(int64_t within_ms = 10000) {
    for (int64_t waited = 0; waited <= within_ms; waited += 50) {
      settle();
      for (const int64_t id : running()) {
        if (at(id).member->lead() != nullptr && at(id).member->serving()) return id;
      }
      advance(50);
    }
    return 0;
  }
  /// All running servers serve.
  bool all_serve(int64_t within_ms = 10000) {
    for (int64_t waited = 0; waited <= within_ms; waited += 50) {
      settle();
      bool all = true;
      for (const int64_t id : running()) all &= at(id).member->serving();
      if (all) return true;
      advance(50);
    }
    return false;
  }

  Peer& open(int64_t id) {
    Peer& peer = at(id).peers.emplace_back();
    peer.connection = &replica(id).open({"127.0.0.1", "/127.0.0.1:5000", false});
    peer.connection->shell = &peer;
    return peer;
  }
  void send(int64_t id, Peer& peer, std::string frame) {
    peer.unread.push_back(std::move(frame));
    feed(id, peer);
  }
  void send(int64_t id, Peer& peer, int32_t xid, Op op, const std::string& body = "") {
    send(id, peer, request(xid, op, body));
  }
  Peer& join(int64_t id, int32_t timeout_ms = 10000) {
    Peer& peer = open(id);
    send(id, peer, connect_request({.timeout_ms = timeout_ms}));
    settle();
    EXPECT_EQ(frames_in(peer.received).size(), 1U) << "server " << id;
    peer.received.clear();
    return peer;
  }
  /// The same session on another connection.
  Peer& renew(int64_t id, SessionId session, int64_t last_zxid = 0) {
    Peer& peer = open(id);
    send(id, peer,
         connect_request({.last_zxid = last_zxid, .session = session, .password = session::password_of(session)}));
    return peer;
  }
  /// One request and its answer.
  Reply ask(int64_t id, Peer& peer, Op op, const std::string& body, int32_t xid = 77) {
    send(id, peer, xid, op, body);
    settle();
    const auto replies = peer.replies();
    return replies.empty() ? Reply{.code = kNoAnswer} : replies.back();
  }
  void hang_up(int64_t id, Peer& peer) {
    if (peer.closed) return;
    replica(id).close(*peer.connection);
    let_go(id, peer);
  }
};

}  // namespace quorate::replica::testing
