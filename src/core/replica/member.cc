#include "core/replica/member.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "core/tree/apply.h"

namespace quorate::replica {
namespace {

void take_lines(std::vector<LogLine>& from, std::vector<LogLine>& to) {
  for (LogLine& line : from) to.push_back(std::move(line));
  from.clear();
}

template <class Item>
void take_items(const std::vector<Item>& from, std::vector<Item>& to) {
  to.insert(to.end(), from.begin(), from.end());
}

bool holds_txn(const wire::QuorumPacket& packet) {
  return packet.kind() == wire::PacketType::Proposal || packet.kind() == wire::PacketType::Inform;
}

/// Empty: it can be applied.
std::string fault_of(std::string_view payload) {
  tree::TxnView txn;
  std::string why;
  return tree::parse_txn(payload, txn, why) ? std::string() : why;
}

}  // namespace

Member::Member(MemberSettings settings, ReplicaSettings replica_settings, auth::AuthSettings auth,
               zab::Electorate electorate, MemberStart start)
    : settings_(std::move(settings)),
      replica_settings_(std::move(replica_settings)),
      auth_(std::move(auth)),
      electorate_(std::move(electorate)),
      now_(start.now),
      seed_(start.seed),
      epochs_(start.epochs),
      in_doubt_(start.in_doubt),
      journal_(start.tree->last_zxid(), settings_.kept_txns),
      elect_(settings_.elect, electorate_) {
  make_replica({.looking = true}, std::move(start.tree), std::move(start.sessions));
  look();
}

Member::~Member() = default;

void Member::set_now(Now now) {
  now_ = now;
  replica_->set_now(now);
}

void Member::make_replica(Role role, std::unique_ptr<tree::Tree> tree, tree::SessionList sessions) {
  StartingPoint start{std::move(tree), std::move(sessions), now_, seed_, role};
  replica_ = std::make_unique<Replica>(replica_settings_, *auth::Auth::make(auth_), std::move(start), journal_);
}

void Member::on_notification(ServerId from, const wire::Notification& notification) {
  elect_.on_notification(from, notification, now_.monotonic);
  after_election();
}

void Member::on_reach(ServerId voter, zab::Reach reach) {
  elect_.on_reach(voter, reach, now_.monotonic);
  after_election();
}

void Member::after_election() {
  zab::ElectionOutput said = elect_.take();
  take_items(said.messages, output_.votes);
  output_.connect_all |= said.connect_all;
  if (!said.decided) return;
  QUORATE_CHECK(lead_ == nullptr && follow_ == nullptr);
  next_ = Next::Take;
  replica_->close_all();
  change_role();
}

void Member::on_time(bool undelivered) {
  elect_.on_time(now_.monotonic, undelivered);
  after_election();
  replica_->on_tick();
  if (lead_) lead_->on_time(now_.monotonic);
  if (follow_) follow_->on_time(now_.monotonic);
  after_lead();
  after_follow();
}

Millis Member::next_time() const {
  Millis next = std::min(elect_.next_time(), replica_->next_tick());
  if (lead_) next = std::min(next, lead_->next_time());
  if (follow_) next = std::min(next, follow_->next_time());
  return next;
}

void Member::on_persisted() {
  at_log_ = false;
  replica_->on_persisted();
  after_lead();
  after_follow();
  change_role();
}

bool Member::has_batch() const {
  if (at_log_ || order() != nullptr || next_ != Next::Nothing) return false;
  return journal_.has_batch() && (follow_ == nullptr || follow_->may_log());
}

zab::LogBatch& Member::take_batch() {
  QUORATE_CHECK(has_batch());
  at_log_ = true;
  return journal_.take_batch();
}

const zab::DiskOrder* Member::order() const {
  if (at_log_) return nullptr;
  if (lead_ && lead_->out().disk) return &*lead_->out().disk;
  return follow_ && follow_->out().disk ? &*follow_->out().disk : nullptr;
}

void Member::on_order_done() {
  QUORATE_CHECK(order() != nullptr);
  if (lead_) lead_->on_disk_done(now_.monotonic);
  if (follow_) {
    if (follow_->out().disk->kind == zab::DiskOrder::Kind::StoreSnapshot) in_doubt_ = false;
    follow_->on_disk_done(now_.monotonic);
  }
  take_epochs();
  after_lead();
  after_follow();
  change_role();
}

void Member::on_truncated(std::unique_ptr<tree::Tree> tree, tree::SessionList sessions) {
  make_replica({.follow = follow_.get()}, std::move(tree), std::move(sessions));
  on_order_done();
}

void Member::on_order_refused(const std::string& why) {
  QUORATE_CHECK(follow_ != nullptr);
  follow_->on_disk_refused(why);
  after_follow();
}

void Member::take_epochs() {
  if (lead_) epochs_ = lead_->epochs();
  if (follow_) epochs_ = follow_->epochs();
}

// Following.

void Member::on_leader_connected() {
  if (!follow_) return;
  follow_->on_connected(now_.monotonic);
  after_follow();
}

void Member::on_leader_packet(const wire::QuorumPacket& packet) {
  if (!follow_ || follow_->phase() == zab::FollowPhase::Over) return;
  const std::string fault = holds_txn(packet) ? fault_of(packet.data) : std::string();
  if (!fault.empty()) {
    follow_->on_closed("the leader sent a txn that cannot be read: " + fault);
  } else {
    follow_->on_packet(packet, now_.monotonic);
  }
  after_follow();
}

void Member::on_leader_lost(const std::string& why) {
  if (!follow_) return;
  follow_->on_closed(why);
  after_follow();
}

void Member::on_tree_bytes() {
  if (follow_) follow_->on_tree_bytes(now_.monotonic);
}

void Member::on_tree_received(std::unique_ptr<tree::Tree> tree, tree::SessionList sessions) {
  if (!follow_ || follow_->phase() != zab::FollowPhase::ReceivingTree) return;
  make_replica({.follow = follow_.get()}, std::move(tree), std::move(sessions));
  follow_->on_tree_received(now_.monotonic);
  after_follow();
}

void Member::on_tree_refused(const std::string& why) {
  if (!follow_) return;
  follow_->on_tree_refused(why);
  after_follow();
}

void Member::after_follow() {
  if (!follow_) return;
  replica_->apply_ready();
  follow_->on_persisted(now_.monotonic);
  deliver_events();
  zab::FollowOutput& out = follow_->out();
  for (const wire::Revalidated& answer : std::exchange(out.revalidated, {})) replica_->on_revalidated(answer);
  if (const auto pinged = std::exchange(out.pinged, std::nullopt)) {
    follow_->answer_ping(*pinged, replica_->take_touched());
  }
  take_items(std::exchange(out.config_texts, {}), output_.config_texts);
  take_lines(out.lines, output_.lines);
  if (follow_->phase() == zab::FollowPhase::Over) end_role();
}

void Member::deliver_events() {
  for (const zab::FollowEvent& event : std::exchange(follow_->out().events, {})) events_.push(event);
  while (!events_.empty() && events_.front().after <= journal_.applied()) {
    const zab::FollowEvent event = events_.pop();
    if (event.kind == zab::FollowEvent::Kind::UpToDate) {
      elect_.set_peer_epoch(epochs_.current);
      replica_->begin_serving();
    }
    if (event.kind == zab::FollowEvent::Kind::Synced) replica_->on_synced();
  }
}

// Leading.

void Member::on_learner(LinkId link) {
  if (!listening()) {
    output_.closes.push_back(link);
    return;
  }
  lead_->on_learner(link, now_.monotonic);
  after_lead();
}

void Member::on_learner_packet(LinkId link, const wire::QuorumPacket& packet) {
  if (!lead_) return;
  lead_->on_packet(link, packet, now_.monotonic);
  after_lead();
}

void Member::on_learner_lost(LinkId link) {
  if (!lead_) return;
  lead_->on_closed(link);
  after_lead();
}

void Member::on_history(LinkId link, Zxid zxid, std::string_view payload) {
  if (!lead_) return;
  lead_->on_history(link, zxid, payload, now_.monotonic);
  after_lead();
}

void Member::on_history_end(LinkId link) {
  if (!lead_) return;
  lead_->on_history_end(link, now_.monotonic);
  after_lead();
}

void Member::on_no_history(LinkId link) {
  if (!lead_) return;
  lead_->on_no_history(link, now_.monotonic);
  after_lead();
}

void Member::on_tree_progress(LinkId link) {
  if (lead_) lead_->on_tree_progress(link, now_.monotonic);
}

void Member::on_tree_sent(LinkId link) {
  if (!lead_) return;
  lead_->on_tree_sent(link, now_.monotonic);
  after_lead();
}

void Member::after_lead() {
  if (!lead_) return;
  // Trees are sent as they were when they were promised: that comes before anything more is applied.
  take_items(std::exchange(lead_->out().trees, {}), output_.trees);
  zab::LeadOutput& out = lead_->out();
  if (std::exchange(out.established, false)) {
    elect_.set_peer_epoch(lead_->epoch());
    replica_->begin_serving();
  }
  for (const wire::SessionTimeout& session : std::exchange(out.touched, {})) replica_->on_touched(session);
  for (const auto& asked : std::exchange(out.revalidations, {})) replica_->on_revalidate(asked.link, asked.session);
  for (const zab::Forwarded& request : std::exchange(out.requests, {})) replica_->on_forwarded(request);
  if (output_.trees.empty()) replica_->apply_ready();
  for (const LinkId link : out.dirty) {
    if (std::ranges::find(output_.dirty, link) == output_.dirty.end()) output_.dirty.push_back(link);
  }
  take_items(out.closes, output_.closes);
  take_items(out.histories, output_.histories);
  take_lines(out.lines, output_.lines);
  out.clear();
  if (lead_->phase() == zab::LeadPhase::Over) end_role();
}

// From one role to the next.

void Member::end_role() {
  if (next_ == Next::Look) return;
  next_ = Next::Look;
  events_.clear();
  output_.hang_up |= follow_ != nullptr;
  output_.listening_changed |= lead_ != nullptr;
  replica_->close_all();
  change_role();
}

/// The old role has nothing in hand any more.
bool Member::drained() const { return !at_log_ && order() == nullptr && replica_->connection_count() == 0; }

void Member::go_on() {
  if (lead_) after_lead();
  change_role();
}

void Member::change_role() {
  if (next_ == Next::Nothing || reloading_ || !drained()) return;
  if (std::exchange(next_, Next::Nothing) == Next::Take) return take_role();
  const bool must_reload = follow_ && follow_->must_reload();
  in_doubt_ = in_doubt_ || (follow_ && follow_->wants_tree());
  auto [tree, sessions] = replica_->release();
  replica_.reset();
  lead_.reset();
  follow_.reset();
  if (must_reload) {
    reloading_ = output_.reload = true;
    make_replica({.looking = true}, std::move(tree), std::move(sessions));
    next_ = Next::Look;
    return;
  }
  settle(*tree, sessions);
  make_replica({.looking = true}, std::move(tree), std::move(sessions));
  look();
}

void Member::on_reloaded(MemberStart loaded) {
  QUORATE_CHECK(reloading_);
  reloading_ = false;
  next_ = Next::Nothing;
  in_doubt_ = in_doubt_ || loaded.in_doubt;
  journal_.restart(loaded.tree->last_zxid());
  make_replica({.looking = true}, std::move(loaded.tree), std::move(loaded.sessions));
  look();
}

/// What the log holds is what the memory holds, as after a start (known-faults MUST-6, 2845).
void Member::settle(tree::Tree& tree, tree::SessionList& sessions) {
  journal_.settle();
  tree::Applied applied;
  for (auto payload = journal_.next_to_apply(); !payload.empty(); payload = journal_.next_to_apply()) {
    tree::TxnView txn;
    std::string why;
    const bool parsed = tree::parse_txn(payload, txn, why);
    QUORATE_CHECK(parsed);
    applied.clear();
    tree::apply(tree, sessions, txn, applied);
    tree::release_acls(tree, applied);
  }
}

void Member::look() {
  elect_.look(in_doubt_ ? zab::kInDoubt : journal_.durable(), epochs_.current, now_.monotonic);
  after_election();
}

void Member::take_role() {
  auto [tree, sessions] = replica_->release();
  replica_.reset();
  const Zxid last = journal_.durable();
  Role role;
  if (elect_.state() == wire::PeerState::Leading) {
    lead_ = std::make_unique<zab::Lead>(settings_.lead, electorate_, epochs_, last, journal_, now_.monotonic);
    role.lead = lead_.get();
    output_.listening_changed = true;
  } else {
    zab::FollowSettings follow = settings_.follow;
    follow.leader = elect_.current().leader;
    follow_ =
        std::make_unique<zab::Follow>(follow, epochs_, in_doubt_ ? zab::kInDoubt : last, journal_, now_.monotonic);
    role.follow = follow_.get();
    output_.dial = follow.leader;
  }
  make_replica(role, std::move(tree), std::move(sessions));
  after_lead();
}

}  // namespace quorate::replica
