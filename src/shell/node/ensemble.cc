#include "shell/node/ensemble.h"

#include <algorithm>
#include <utility>

namespace quorate::node {
namespace {

replica::ReplicaSettings replica_settings(const NodeSettings& node) {
  replica::ReplicaSettings replica = node.replica;
  replica.local_sessions = node.ensemble->local_sessions;
  replica.local_sessions_upgrade = node.ensemble->local_sessions_upgrading;
  return replica;
}

replica::MemberSettings member_settings(const NodeSettings& node) {
  const config::EnsembleSettings& settings = *node.ensemble;
  const Millis tick = node.replica.tick;
  const ServerId self{settings.my_id};
  const bool observer = settings.role == wire::Role::Observer;
  replica::MemberSettings member;
  member.elect = {.self = self,
                  .observer = observer,
                  .min_interval = settings.min_notification_interval,
                  .max_interval = settings.max_notification_interval};
  member.lead.self = self;
  member.lead.tick = tick;
  member.lead.init_limit = settings.init_limit;
  member.lead.sync_limit = settings.sync_limit;
  member.lead.most_counter = settings.most_counter;
  member.lead.sync.force_snapshot = settings.force_snapshot_sync;
  member.lead.sync.history_on_disk = settings.snapshot_size_factor >= 0;
  member.lead.sync.max_snap_syncs = static_cast<size_t>(std::max(settings.max_snap_syncs, 1));
  member.lead.sync.max_diff_syncs = static_cast<size_t>(std::max(settings.max_diff_syncs, 1));
  member.lead.config_text = wire::to_text(settings.last_seen ? *settings.last_seen : settings.config);
  member.lead.config_version = settings.config.version;
  member.follow.self = self;
  member.follow.observer = observer;
  member.follow.config_version = settings.config.version;
  member.follow.init_limit = Millis{tick.value * settings.init_limit};
  member.follow.sync_limit = Millis{tick.value * settings.sync_limit};
  member.reads_without_leader = node.read_only_mode;
  member.kept_txns = static_cast<size_t>(std::max(settings.commit_log_count, 1));
  return member;
}

zab::Electorate electorate_of(const config::EnsembleSettings& settings) {
  const zab::QuorumRule committed = zab::rule_of(settings.config);
  return settings.last_seen ? zab::Electorate(committed, zab::rule_of(*settings.last_seen))
                            : zab::Electorate(committed);
}

std::vector<env::HostPort> own_addresses(const config::EnsembleSettings& settings, int32_t wire::PeerAddress::* port) {
  std::vector<env::HostPort> all;
  for (const wire::PeerAddress& address : settings.me()->addresses) {
    all.push_back({settings.listen_on_all ? std::string() : address.host, static_cast<uint16_t>(address.*port)});
  }
  return all;
}

net::PeerLinkSettings link_settings(const NodeSettings& settings) {
  const Millis tick = settings.replica.tick;
  return {settings.recovery.max_buffer_bytes, Millis{tick.value * settings.ensemble->sync_limit}};
}

LearnerLinkSettings learner_settings(const NodeSettings& settings) {
  LearnerLinkSettings learners;
  learners.addresses = own_addresses(*settings.ensemble, &wire::PeerAddress::quorum_port);
  learners.link = link_settings(settings);
  learners.snapshot_size_factor = settings.ensemble->snapshot_size_factor;
  return learners;
}

LeaderLinkSettings leader_settings(const NodeSettings& settings) {
  LeaderLinkSettings leader;
  leader.config = settings.ensemble->config;
  leader.link = link_settings(settings);
  leader.parallel = settings.ensemble->multi_address;
  leader.patience = Millis{settings.replica.tick.value * settings.ensemble->sync_limit};
  leader.retry_delay = settings.ensemble->leader_connect_delay;
  leader.tree_limits.max_buffer_bytes = settings.recovery.max_buffer_bytes;
  leader.hash_key = settings.recovery.hash_key;
  leader.tree_options = settings.recovery.tree_options;
  return leader;
}

}  // namespace

Ensemble::Ensemble(EnsembleParts parts, replica::MemberStart start, storage::EpochFiles epochs)
    : parts_(std::move(parts)),
      settings_(*parts_.settings.ensemble),
      member_(member_settings(parts_.settings), replica_settings(parts_.settings), parts_.settings.auth,
              electorate_of(settings_), std::move(start)),
      orders_(parts_.disk, parts_.settings, std::move(epochs)),
      history_(parts_.disk, {parts_.settings.recovery.snapshot_directory, parts_.settings.recovery.log_directory},
               parts_.settings.recovery.max_buffer_bytes),
      election_(*this, parts_.network, settings_, parts_.settings.replica.tick),
      learners_(*this, parts_.network, history_, learner_settings(parts_.settings)),
      leader_(*this, parts_.network, leader_settings(parts_.settings)) {}

Ensemble::~Ensemble() = default;

Result<void> Ensemble::listen() {
  if (auto bound = election_.listen(own_addresses(settings_, &wire::PeerAddress::election_port)); !bound) return bound;
  carry_out();
  return {};
}

Now Ensemble::wake() {
  const Now now = parts_.clock.now();
  member_.set_now(now);
  return now;
}

void Ensemble::carry_out() {
  if (std::exchange(carrying_out_, true)) return;
  while (carry_out_once()) {
  }
  carrying_out_ = false;
}

/// Most inputs leave nothing to be done but bytes to be sent, which wait for the end of the round.
bool Ensemble::carry_out_once() {
  const Millis now = member_.replica().now().monotonic;
  if (!member_.has_output()) return election_.deliver(now);
  replica::MemberOutput out = member_.take();
  for (const LinkId link : out.closes) learners_.close(link);
  // Before anything else comes in: these trees are to be walked as they are now.
  for (const LinkId link : out.trees) learners_.send_tree(link);
  for (LogLine& line : out.lines) lines_.push_back(std::move(line));
  for (const zab::ElectionMessage& message : out.votes) election_.send(message, now);
  if (out.connect_all) election_.connect_all(now);
  if (out.hang_up) leader_.hang_up();
  if (out.listening_changed) listen_or_not();
  if (out.dial) leader_.dial(*out.dial, now);
  for (const auto& wish : out.histories) learners_.send_history(wish);
  for (const LinkId link : out.dirty) learners_.mark(link);
  reload_ |= out.reload;
  election_.set_looking(member_.state() == wire::PeerState::Looking, now);
  return election_.deliver(now);
}

void Ensemble::listen_or_not() {
  if (listening_ == member_.listening()) return;
  listening_ = !listening_;
  listening_ ? learners_.listen() : learners_.stop();
  leading_since_ = member_.replica().now().monotonic;
}

void Ensemble::on_time() {
  const Millis now = member_.replica().now().monotonic;
  election_.on_time(now);
  member_.on_time(election_.undelivered());
  carry_out();
  learners_.on_time(now);
  leader_.on_time(now);
  leader_.pump();
}

Millis Ensemble::next_time() const {
  return std::min({member_.next_time(), election_.next_time(), learners_.next_time(), leader_.next_time()});
}

bool Ensemble::flush() {
  const Millis now = member_.replica().now().monotonic;
  member_.go_on();
  carry_out();
  for (const LinkId link : member_.take_dirty()) learners_.mark(link);
  const bool more = learners_.flush(now);
  leader_.flush(now);
  return more;
}

bool Ensemble::order_changes_history() const {
  return reload_ || (member_.order() != nullptr && DiskOrders::is_history(member_.order()->kind));
}

DiskOrders& Ensemble::prepare_orders() {
  if (std::exchange(reload_, false)) {
    orders_.give_reload(member_.in_doubt());
  } else {
    orders_.give(*member_.order(), member_.replica().tree(), member_.replica().sessions());
  }
  return orders_;
}

void Ensemble::on_orders_done(DiskOrders::Outcome outcome) {
  if (outcome.set_aside) note_set_aside(1);
  if (outcome.memory) note_mismatches(*outcome.memory);
  if (!outcome.refused.empty()) {
    member_.on_order_refused(outcome.refused);
  } else if (outcome.reload) {
    member_.on_reloaded(started_from(std::move(*outcome.memory), outcome.epochs));
  } else if (outcome.memory) {
    member_.on_truncated(std::move(outcome.memory->tree), std::move(outcome.memory->sessions));
  } else {
    member_.on_order_done();
  }
  carry_out();
  leader_.pump();
}

replica::MemberStart Ensemble::started_from(storage::Recovered recovered, const zab::Epochs& epochs) const {
  replica::MemberStart start;
  start.in_doubt = in_doubt(recovered);
  start.tree = std::move(recovered.tree);
  start.sessions = std::move(recovered.sessions);
  start.epochs = epochs;
  start.now = member_.replica().now();
  return start;
}

void Ensemble::note_mismatches(const storage::Recovered& replayed) {
  member_.replica().stats().digest_mismatches_count += static_cast<int64_t>(replayed.digest_mismatches);
}

void Ensemble::on_persisted() {
  member_.on_persisted();
  carry_out();
  leader_.pump();
}

void Ensemble::on_history_done() {
  if (const auto piece = history_.finish()) learners_.on_history(*piece);
}

admin::Mode Ensemble::mode() const {
  if (member_.replica().reading_only()) return admin::Mode::ReadOnly;
  if (member_.state() == wire::PeerState::Leading) return admin::Mode::Leader;
  return settings_.role == wire::Role::Observer ? admin::Mode::Observer : admin::Mode::Follower;
}

}  // namespace quorate::node
