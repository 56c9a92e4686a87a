#include "shell/node/leader_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace quorate::node {
namespace {

// A leader that was only just elected may not listen yet: it is tried again, soon at first. Spec: quorum 3.1.
constexpr int64_t kDelaysBeforeGivingUp = 5;
constexpr Millis kFirstPause{5};
constexpr int kReceivesPerTurn = 8;
constexpr Millis kNever{INT64_MAX};

}  // namespace

LeaderLink::LeaderLink(MemberHost& host, env::Network& network, LeaderLinkSettings settings)
    : host_(host), network_(network), settings_(std::move(settings)) {}

LeaderLink::~LeaderLink() = default;

void LeaderLink::dial(ServerId leader, Millis now) {
  hang_up();
  leader_ = leader;
  pause_ = kFirstPause;
  give_up_at_ = now + Millis{settings_.retry_delay.value * kDelaysBeforeGivingUp};
  retry_at_ = now;
}

void LeaderLink::start() {
  retry_at_.reset();
  env::PeerDial request;
  if (const wire::QuorumMember* member = settings_.config.find(leader_.value)) {
    for (const wire::PeerAddress& address : member->addresses) {
      request.addresses.push_back({address.host, static_cast<uint16_t>(address.quorum_port)});
    }
  }
  if (request.addresses.empty()) {
    host_.member().on_leader_lost(fmt::format("no configuration names server {}", leader_.value));
    return host_.carry_out();
  }
  request.parallel = settings_.parallel;
  request.patience = settings_.patience;
  task_ = network_.dial(std::move(request), [this](auto dialed) {
    const auto task = std::move(task_);
    dialed ? on_dialed(std::move(*dialed)) : on_dial_failed(dialed.error().detail);
  });
}

void LeaderLink::on_dialed(std::unique_ptr<env::PeerStream> stream) {
  host_.wake();
  env::PeerStream& watched = *stream;
  link_ = std::make_unique<net::PeerLink>(std::move(stream), settings_.link);
  watched.watch([this] { on_readable(); }, [this] { flush(host_.wake().monotonic); });
  host_.member().on_leader_connected();
  host_.carry_out();
}

bool LeaderLink::try_again(Millis now) {
  if (now >= give_up_at_) return false;
  retry_at_ = now + std::min(pause_, settings_.retry_delay);
  pause_ = pause_ + pause_;
  return true;
}

void LeaderLink::on_dial_failed(const std::string& why) {
  if (try_again(host_.wake().monotonic)) return;
  host_.member().on_leader_lost(fmt::format("server {} cannot be reached: {}", leader_.value, why));
  host_.carry_out();
}

void LeaderLink::hang_up() {
  task_.reset();
  retry_at_.reset();
  tree_.reset();
  if (link_) gone_ = std::move(link_);
}

void LeaderLink::on_readable() {
  host_.wake();
  for (int turn = 0; turn < kReceivesPerTurn && link_; ++turn) {
    const auto received = link_->receive();
    if (!received) return lose(link_->reason());
    pump();
    if (*received == 0) return;
  }
}

void LeaderLink::pump() {
  // The member's answer to a packet may be work that ends at once, and then asks for more packets.
  if (std::exchange(pumping_, true)) return;
  while (link_ && (link_->raw() ? take_tree() : take_packets())) {
  }
  pumping_ = false;
}

/// True: what comes next is of the other kind.
bool LeaderLink::take_packets() {
  while (link_) {
    const zab::Follow* follow = host_.member().follow();
    const bool takes = follow != nullptr && follow->takes_packets();
    link_->want_readable(takes);
    if (!takes) return false;
    wire::QuorumPacket packet;
    const net::PeerInbound inbound = link_->next(packet);
    if (inbound == net::PeerInbound::None) {
      link_->settle();
      return false;
    }
    if (inbound == net::PeerInbound::Bad) {
      lose(link_->reason());
      return false;
    }
    tree_zxid_ = packet.zxid;
    host_.member().on_leader_packet(packet);
    host_.carry_out();
    follow = host_.member().follow();
    if (link_ && follow != nullptr && follow->phase() == zab::FollowPhase::ReceivingTree) {
      begin_tree();
      return true;
    }
  }
  return false;
}

void LeaderLink::begin_tree() {
  link_->begin_raw();
  link_->want_readable(true);
  tree_ = std::make_unique<storage::SnapReceiver>(settings_.tree_limits, settings_.hash_key, settings_.tree_options);
}

/// True: the tree is whole, and packets follow.
bool LeaderLink::take_tree() {
  const std::string_view bytes = link_->raw_bytes();
  if (bytes.empty()) return false;
  const auto used = tree_->feed(bytes);
  if (!used) {
    host_.member().on_tree_refused("the leader's tree cannot be used: " + used.error().detail);
    host_.carry_out();
    return false;
  }
  link_->use_raw(*used);
  host_.member().on_tree_bytes();
  if (!tree_->done()) {
    link_->settle();
    return false;
  }
  link_->end_raw();
  auto received = std::exchange(tree_, nullptr)->finish(tree_zxid_);
  host_.let_go_of_tree("the leader's tree takes its place");
  if (received) {
    host_.member().on_tree_received(std::move(received->tree), std::move(received->sessions));
  } else {
    host_.member().on_tree_refused("the leader's tree cannot be used: " + received.error().detail);
  }
  host_.carry_out();
  return link_ != nullptr;
}

/// Whatever stands in front of a server that does not listen yet may accept, and close: as good as a refusal.
bool LeaderLink::was_never_heard() {
  const zab::Follow* follow = host_.member().follow();
  return follow != nullptr && follow->phase() == zab::FollowPhase::Discovery;
}

void LeaderLink::lose(const std::string& why) {
  hang_up();
  if (was_never_heard() && try_again(host_.wake().monotonic)) return host_.member().to_leader()->clear();
  host_.member().on_leader_lost(why);
  host_.carry_out();
}

void LeaderLink::flush(Millis now) {
  gone_.reset();
  ByteBuffer* out = host_.member().to_leader();
  if (!link_ || out == nullptr) return;
  if (!link_->send(*out, now)) lose(link_->reason());
}

void LeaderLink::on_time(Millis now) {
  if (retry_at_ && now >= *retry_at_) start();
  if (link_ && !link_->on_time(now)) lose(link_->reason());
}

Millis LeaderLink::next_time() const {
  Millis next = retry_at_.value_or(kNever);
  if (link_) next = std::min(next, link_->next_time());
  return next;
}

}  // namespace quorate::node
