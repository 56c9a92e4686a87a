#include "core/replica/member.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/planted.h"
#include "core/replica/member_outputs.h"
#include "core/replica/role_lines.h"
#include "core/tree/apply.h"

namespace quorate::replica {
namespace {

constexpr Millis kLeastBeforeReadOnly{2000};

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
      in_doubt_(start.in_doubt && !planted(Planted::DoubtVotes)),
      journal_(start.tree->last_zxid(), settings_.kept_txns),
      elect_(settings_.elect, electorate_) {
  replica_settings_.in_ensemble = true;
  make_replica({.looking = true}, std::move(start.tree), std::move(start.sessions));
  look();
}

Member::~Member() = default;

void Member::set_now(Now now) {
  const Millis by_wall = replica_->now().monotonic + Millis{now.wall_ms - now_.wall_ms};
  now_ = now;
  replica_->set_now(planted(Planted::WallClockTimes) ? Now{by_wall, now.wall_ms} : now);
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
  if (const auto at = read_only_at(); at && now_.monotonic >= *at) {
    replica_->begin_reading_only();
    if (planted(Planted::ReadOnlyCounts)) journal_.restart(journal_.durable().next());
  }
  after_lead();
  after_follow();
}

/// When a server that looks for a leader in vain may let clients read. Spec: client 2.5.
std::optional<Millis> Member::read_only_at() const {
  const bool looks = elect_.state() == wire::PeerState::Looking && next_ == Next::Nothing && !reloading_;
  if (!settings_.reads_without_leader || !looks || in_doubt_ || replica_->reading_only()) return std::nullopt;
  return looking_since_ + std::max(kLeastBeforeReadOnly, replica_settings_.tick);
}

Millis Member::next_time() const {
  Millis next = std::min(elect_.next_time(), replica_->next_tick());
  if (lead_) next = std::min(next, lead_->next_time());
  if (follow_) next = std::min(next, follow_->next_time());
  if (dial_at_) next = std::min(next, *dial_at_);
  if (const auto at = read_only_at()) next = std::min(next, *at);
  return next;
}

void Member::on_persisted() {
  QUORATE_CHECK(output_.trees.empty());  // or what is applied now would get into them
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

// From one role to the next.

void Member::end_role() {
  if (next_ == Next::Look) return;
  next_ = Next::Look;
  events_.clear();
  if (follow_) note_conversation();
  if (lead_) {
    settings_.lead.sync.epochs = lead_->epoch_starts();
    settings_.lead.known_epoch = lead_->known_epoch();
  }
  output_.hang_up |= follow_ != nullptr;
  output_.dial.reset();  // one that was not begun
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
  // A leader that needs the very learner may be over before that learner comes for its snapshot.
  if (lead_ && lead_->log_has_gap()) settings_.lead.sync.history_on_disk = false;
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
  look_or_return();
}

/// Once we look, a leader that is still to be elected is not found again: with nobody behind it but us it would wait in
/// vain for as long as it may, and then again, if another that needs us as much has had us meanwhile.
void Member::look_or_return() {
  if (!tree_in_epoch_) return look();
  next_ = Next::Take;
  change_role();
}

void Member::on_reloaded(MemberStart loaded) {
  QUORATE_CHECK(reloading_);
  reloading_ = false;
  next_ = Next::Nothing;
  in_doubt_ = in_doubt_ || loaded.in_doubt;
  journal_.restart(loaded.tree->last_zxid());
  make_replica({.looking = true}, std::move(loaded.tree), std::move(loaded.sessions));
  look_or_return();
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
    if (planted(Planted::MemoryBehindLog)) continue;
    applied.clear();
    tree::apply(tree, sessions, txn, applied);
    tree::release_acls(tree, applied);
  }
}

void Member::look() {
  looking_since_ = now_.monotonic;
  output_.lines.push_back(state_line(wire::PeerState::Looking));
  elect_.look(in_doubt_ ? zab::kInDoubt : journal_.durable(), epochs_.current, now_.monotonic);
  after_election();
}

void Member::take_role() {
  if (!tree_in_epoch_) {
    auto said = role_lines(elect_.state(), now_.monotonic - looking_since_);
    take_lines(said, output_.lines);
  }
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
