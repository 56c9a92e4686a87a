#include "shell/node/learner_links.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace quorate::node {
namespace {

// A learner that keeps sending does not keep the others waiting.
constexpr int kReceivesPerTurn = 8;
// History is read on when no more than this waits for its learner.
constexpr size_t kHistoryAheadBytes = 1 << 20;

constexpr const char* kComponent = "LearnerHandler";

}  // namespace

LearnerLinks::LearnerLinks(MemberHost& host, env::Network& network, HistoryActor& history, LearnerLinkSettings settings)
    : host_(host), network_(network), history_(history), settings_(std::move(settings)) {}

LearnerLinks::~LearnerLinks() = default;

void LearnerLinks::listen() {
  for (const env::HostPort& address : settings_.addresses) {
    auto listener = network_.listen(address, [this](auto stream) { accept(std::move(stream)); });
    if (listener) {
      listeners_.push_back(std::move(*listener));
      continue;
    }
    // Without learners the role ends by itself, and another server is elected.
    host_.say({Level::Error, "Leader",
               fmt::format("Couldn't bind to {}:{}: {}", address.host, address.port, listener.error().detail)});
  }
}

void LearnerLinks::stop() {
  listeners_.clear();
  history_.forget_all();
  for (auto& [id, link] : links_) gone_.push_back(std::move(link));
  links_.clear();
  for (auto& link : gone_) link->tree.reset();
}

void LearnerLinks::accept(std::unique_ptr<env::PeerStream> stream) {
  host_.wake();
  env::PeerStream& watched = *stream;
  const LinkId id{++last_link_};
  links_.emplace(id, std::make_unique<Link>(id, std::move(stream), settings_.link));
  watched.watch([this, id] { on_readable(id); }, [this, id] { mark(id); });
  host_.member().on_learner(id);
  host_.carry_out();
}

void LearnerLinks::on_readable(LinkId id) {
  host_.wake();
  for (int turn = 0; turn < kReceivesPerTurn; ++turn) {
    Link* link = find(id);
    if (link == nullptr) return;
    const auto received = link->bytes.receive();
    if (!received) return lose(id, link->bytes.reason());
    if (*received == 0 || !take_packets(id)) return;
  }
}

/// False: that link is no more.
bool LearnerLinks::take_packets(LinkId id) {
  while (Link* link = find(id)) {
    wire::QuorumPacket packet;
    const net::PeerInbound inbound = link->bytes.next(packet);
    if (inbound == net::PeerInbound::None) {
      link->bytes.settle();
      return true;
    }
    if (inbound == net::PeerInbound::Bad) {
      lose(id, link->bytes.reason());
      return false;
    }
    host_.member().on_learner_packet(id, packet);
    host_.carry_out();
  }
  return false;
}

void LearnerLinks::lose(LinkId id, const std::string& why) {
  host_.say({Level::Warn, kComponent, fmt::format("Closing connection to learner {}: {}", find(id)->peer, why)});
  drop(id);
  host_.member().on_learner_lost(id);
  host_.carry_out();
}

void LearnerLinks::close(LinkId link) {
  if (find(link) != nullptr) drop(link);
}

void LearnerLinks::drop(LinkId id) {
  history_.forget(id);
  auto link = std::move(links_.extract(id).mapped());
  link->tree.reset();
  gone_.push_back(std::move(link));
}

void LearnerLinks::send_history(const zab::LeadOutput::HistoryWish& wish) {
  if (find(wish.link) == nullptr) return;
  const double most =
      settings_.snapshot_size_factor * static_cast<double>(host_.member().replica().tree().resident_bytes());
  history_.ask({wish.link, wish.after, wish.until, static_cast<uint64_t>(std::max(most, 0.0))});
}

void LearnerLinks::on_history(const HistoryActor::Piece& piece) {
  std::string_view payloads = piece.payloads.view();
  replica::Member& member = host_.member();
  for (const HistoryActor::Txn& txn : piece.txns) {
    member.on_history(piece.link, txn.zxid, payloads.substr(0, txn.bytes));
    payloads.remove_prefix(txn.bytes);
  }
  if (piece.end == HistoryActor::End::Reached) member.on_history_end(piece.link);
  if (piece.end == HistoryActor::End::Refused) {
    host_.say({Level::Info, kComponent, "The log is of no use to a learner: " + piece.why});
    member.on_no_history(piece.link);
  }
  host_.carry_out();
  mark(piece.link);
}

void LearnerLinks::send_tree(LinkId link) {
  Link* found = find(link);
  if (found == nullptr) return;
  host_.let_go_of_tree("a learner gets the tree");
  replica::Replica& replica = host_.member().replica();
  found->tree = std::make_unique<storage::SnapSender>(replica.tree(), replica.sessions());
  found->walked = false;
  mark(link);
}

bool LearnerLinks::flush(Millis now) {
  bool more = false;
  // Sending may make others dirty: the list grows while it is walked.
  for (size_t i = 0; i < dirty_.size(); ++i) {
    if (Link* link = find(dirty_[i])) more |= send(*link, now);
  }
  dirty_.clear();
  for (const auto& [id, link] : links_) {
    if (link->tree && !link->stuck) dirty_.push_back(id);
  }
  gone_.clear();
  return more;
}

bool LearnerLinks::send(Link& link, Millis now) {
  zab::Learner* learner = host_.member().learner(link.id);
  if (learner == nullptr) return false;
  if (link.tree_bytes.empty()) {
    const auto emptied = link.bytes.send(learner->out, now);
    if (!emptied) {
      lose(link.id, link.bytes.reason());
      return true;
    }
    link.stuck = !*emptied;
    if (history_.serves(link.id) && link.bytes.unsent(learner->out) < kHistoryAheadBytes) history_.go_on(link.id);
    if (link.stuck || !link.tree) return false;
  }
  return send_tree_slice(link, now);
}

bool LearnerLinks::send_tree_slice(Link& link, Millis now) {
  if (link.tree_bytes.empty() && !link.walked) {
    link.walked = link.tree->slice(settings_.slice_bytes);
    link.tree_bytes = link.tree->take();
  }
  const size_t before = link.bytes.unsent(link.tree_bytes);
  const auto emptied = link.bytes.send(link.tree_bytes, now);
  if (!emptied) {
    lose(link.id, link.bytes.reason());
    return true;
  }
  link.stuck = !*emptied;
  if (link.stuck ? link.bytes.unsent(link.tree_bytes) < before : before > 0) host_.member().on_tree_progress(link.id);
  if (link.stuck || !link.walked) return false;
  finish_tree(link);
  return true;
}

void LearnerLinks::finish_tree(Link& link) {
  link.tree.reset();
  link.tree_bytes.release();
  host_.member().on_tree_sent(link.id);
  host_.carry_out();
  mark(link.id);
}

void LearnerLinks::on_time(Millis now) {
  std::vector<LinkId> late;
  for (const auto& [id, link] : links_) {
    if (!link->bytes.on_time(now)) late.push_back(id);
  }
  for (const LinkId id : late) {
    if (Link* link = find(id)) lose(id, link->bytes.reason());
  }
}

Millis LearnerLinks::next_time() const {
  Millis next{INT64_MAX};
  for (const auto& [id, link] : links_) next = std::min(next, link->bytes.next_time());
  return next;
}

bool LearnerLinks::walking() const {
  return std::ranges::any_of(links_, [](const auto& entry) { return entry.second->tree && !entry.second->stuck; });
}

bool LearnerLinks::sends_tree() const {
  return std::ranges::any_of(links_, [](const auto& entry) { return entry.second->tree != nullptr; });
}

LearnerLinks::Link* LearnerLinks::find(LinkId id) {
  const auto found = links_.find(id);
  return found == links_.end() ? nullptr : found->second.get();
}

}  // namespace quorate::node
