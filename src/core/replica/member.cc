#include "core/replica/member.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/planted.h"
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

constexpr Millis kFirstRest{1000};
constexpr Millis kLongestRest{4000};
constexpr int kTreeEvery = 4;  // failures

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

/// Nobody is connected; what it has said and counted is kept.
std::pair<std::unique_ptr<tree::Tree>, tree::SessionList> Member::take_memory() {
  QUORATE_CHECK(replica_->connection_count() == 0);
  take_lines(replica_->outbox().lines, output_.lines);
  stats_ = std::move(replica_->stats());
  auto memory = replica_->release();
  replica_.reset();
  return memory;
}

void Member::make_replica(Role role, std::unique_ptr<tree::Tree> tree, tree::SessionList sessions) {
  if (replica_) take_memory();
  StartingPoint start{std::move(tree), std::move(sessions), now_, seed_, role};
  replica_ = std::make_unique<Replica>(replica_settings_, *auth::Auth::make(auth_), std::move(start), journal_);
  replica_->stats() = std::move(stats_);
}

void Member::on_notification(ServerId from, const wire::Notification& notification) {
  elect_.on_notification(from, notification, now_.monotonic);
  after_election();
  if (static_cast<wire::PeerState>(notification.state) != wire::PeerState::Leading) stop_resting(from);
}

void Member::on_reach(ServerId voter, zab::Reach reach) {
  elect_.on_reach(voter, reach, now_.monotonic);
  after_election();
  if (reach != zab::Reach::Open) stop_resting(voter);
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
  dial_when_rested();
  after_lead();
  after_follow();
}

Millis Member::next_time() const {
  Millis next = std::min(elect_.next_time(), replica_->next_tick());
  if (lead_) next = std::min(next, lead_->next_time());
  if (follow_) next = std::min(next, follow_->next_time());
  if (dial_at_) next = std::min(next, *dial_at_);
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
  if (at_log_ || arrived_) return nullptr;
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
  arrived_ = Arrived{std::move(tree), std::move(sessions), true};
  replica_->close_all();
  install();
}

/// Clients come at any time, if only with a four-letter word: those of the old memory have to go first.
void Member::install() {
  if (!arrived_ || replica_->connection_count() > 0) return;
  Arrived arrived = *std::exchange(arrived_, std::nullopt);
  if (!arrived.is_cut || !planted(Planted::CutNotReloaded)) {
    make_replica({.follow = follow_.get()}, std::move(arrived.tree), std::move(arrived.sessions));
  }
  if (arrived.is_cut) on_order_done();
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
  arrived_ = Arrived{std::move(tree), std::move(sessions)};
  follow_->on_tree_received(now_.monotonic);
  replica_->close_all();
  install();
  after_follow();
}

void Member::on_tree_refused(const std::string& why) {
  if (!follow_) return;
  follow_->on_tree_refused(why);
  after_follow();
}

void Member::after_follow() {
  if (!follow_) return;
  for (const zab::FollowEvent& event : std::exchange(follow_->out().events, {})) events_.push(event);
  do {
    replica_->apply_until(events_.empty() ? Zxid{INT64_MAX} : events_.front().after);
    replica_->apply_ready();
  } while (deliver_event());
  follow_->on_persisted(now_.monotonic);
  zab::FollowOutput& out = follow_->out();
  for (const wire::Revalidated& answer : std::exchange(out.revalidated, {})) replica_->on_revalidated(answer);
  if (const auto pinged = std::exchange(out.pinged, std::nullopt)) {
    follow_->answer_ping(*pinged, replica_->take_touched());
  }
  take_items(std::exchange(out.config_texts, {}), output_.config_texts);
  take_lines(out.lines, output_.lines);
  if (follow_->phase() == zab::FollowPhase::Over) end_role();
}

/// The oldest, if its place has come. What was committed behind it must not be applied before: an answer to a sync
/// would come behind answers that were asked for later.
bool Member::deliver_event() {
  if (events_.empty() || events_.front().after > journal_.applied()) return false;
  const zab::FollowEvent event = events_.pop();
  if (event.kind == zab::FollowEvent::Kind::UpToDate) {
    elect_.set_peer_epoch(epochs_.current);
    up_since_ = now_.monotonic;
    replica_->begin_serving();
  }
  if (event.kind == zab::FollowEvent::Kind::Synced) replica_->on_synced();
  return true;
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

/// Another leader, or epoch, begins with a clean sheet.
void Member::prepare_following(const zab::Vote& vote) {
  if (following_.leader != vote.leader) following_ = settings_.follow;
  if (following_.leader != vote.leader || voted_epoch_ != vote.peer_epoch) failures_ = 0;
  following_.leader = vote.leader;
  voted_epoch_ = vote.peer_epoch;
  // What fails again and again may go well from the beginning. Now and then only: a leader that needs us for its
  // election does not count those who ask for that.
  following_.ask_for_tree = failures_ % kTreeEvery == kTreeEvery - 1;
}

/// What failed once is tried again at once; then 1, 2, 4 s later, as long as it is the same leader in the same epoch
/// (known-faults R-S6). A rest is short against the limit within which the leader has to be heard.
Millis Member::rest_before_dial() const {
  if (failures_ < 2) return Millis{0};
  const Millis doubled{kFirstRest.value << std::min(failures_ - 2, 8)};
  return std::min({doubled, kLongestRest, Millis{settings_.follow.init_limit.value / 4}});
}

void Member::dial_when_rested() {
  if (!dial_at_ || now_.monotonic < *dial_at_) return;
  dial_at_.reset();
  output_.dial = following_.leader;
}

/// The leader that was to be dialed leads no more: others may be waiting for our vote.
void Member::stop_resting(ServerId gone) {
  if (!dial_at_ || gone != following_.leader) return;
  follow_->on_closed("the leader was gone before it was dialed again");
  after_follow();
}

void Member::note_conversation() {
  const auto up_since = std::exchange(up_since_, std::nullopt);
  const bool went_well = up_since && now_.monotonic - *up_since >= settings_.follow.sync_limit;
  failures_ = went_well ? 1 : failures_ + 1;
  if (follow_->digest_differed()) following_.differed_in_epoch = follow_->leader_epoch();
  if (follow_->digest_is_foreign()) following_.foreign_in_epoch = follow_->leader_epoch();
  dial_at_.reset();
}

// From one role to the next.

void Member::end_role() {
  if (next_ == Next::Look) return;
  next_ = Next::Look;
  events_.clear();
  if (follow_) note_conversation();
  output_.hang_up |= follow_ != nullptr;
  output_.listening_changed |= lead_ != nullptr;
  replica_->close_all();
  change_role();
}

/// The old role has nothing in hand any more.
bool Member::drained() const {
  return !at_log_ && !arrived_ && order() == nullptr && replica_->connection_count() == 0;
}

void Member::go_on() {
  if (lead_) after_lead();
  change_role();
}

void Member::change_role() {
  install();
  if (next_ == Next::Nothing || reloading_ || !drained()) return;
  if (std::exchange(next_, Next::Nothing) == Next::Take) return take_role();
  const bool must_reload = follow_ && follow_->must_reload();
  in_doubt_ = in_doubt_ || (follow_ && follow_->wants_tree());
  auto [tree, sessions] = take_memory();
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
  const bool votes = !in_doubt_ || planted(Planted::DoubtVotes);
  elect_.look(!votes ? zab::kInDoubt : journal_.durable(), epochs_.current, now_.monotonic);
  after_election();
}

void Member::take_role() {
  auto [tree, sessions] = take_memory();
  const Zxid last = journal_.durable();
  Role role;
  if (elect_.state() == wire::PeerState::Leading) {
    lead_ = std::make_unique<zab::Lead>(settings_.lead, electorate_, epochs_, last, journal_, now_.monotonic);
    role.lead = lead_.get();
    output_.listening_changed = true;
  } else {
    prepare_following(elect_.current());
    follow_ =
        std::make_unique<zab::Follow>(following_, epochs_, in_doubt_ ? zab::kInDoubt : last, journal_, now_.monotonic);
    role.follow = follow_.get();
    dial_at_ = now_.monotonic + rest_before_dial();
    dial_when_rested();
  }
  make_replica(role, std::move(tree), std::move(sessions));
  after_lead();
}

}  // namespace quorate::replica
