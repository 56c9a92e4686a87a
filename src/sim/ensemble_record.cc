#include "sim/ensemble_record.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/check.h"
#include "core/tree/apply.h"
#include "sim/ensemble_checks.h"

namespace quorate::sim {
namespace {

using zab::LeadPhase;
using zab::LearnerPhase;

std::vector<uint32_t> acknowledged_by(uint32_t server, const zab::Lead& lead) {
  std::vector<uint32_t> quorum{server};
  for (const auto& [link, learner] : lead.learners()) {
    const bool counted = learner->phase == LearnerPhase::Synced || learner->phase == LearnerPhase::Live;
    if (counted && !learner->observer) quorum.push_back(static_cast<uint32_t>(learner->sid.value));
  }
  return quorum;
}

}  // namespace

uint64_t state_digest(const tree::Tree& tree, const tree::SessionList& sessions) {
  uint64_t digest = tree.digest();
  const auto mix = [&](uint64_t word) { digest = (std::rotl(digest, 7) ^ word) * 0x9E3779B97F4A7C15ULL; };
  mix(tree.node_count());
  for (const auto& [id, timeout] : sessions.all()) {
    mix(static_cast<uint64_t>(id.value));
    mix(static_cast<uint64_t>(timeout));
  }
  return digest;
}

EnsembleRecord::EnsembleRecord(Verdict& verdict, Trace& trace, const SimClock& clock, uint32_t voters)
    : verdict_(verdict), trace_(trace), txns_(verdict), contacts_(clock, verdict) {
  history_.voters = voters;
}

void EnsembleRecord::logged(uint32_t server, std::string_view bytes) {
  txns_.logged(bytes, [&](int64_t zxid) {
    trace_.note(static_cast<uint64_t>(zxid));
    trace_.say("server {}: logs 0x{:x}", server, zxid);
  });
}

void EnsembleRecord::booted(uint32_t server, node::Node& node) {
  const zab::Epochs& epochs = node.member()->epochs();
  const int64_t last = node.member()->journal().durable().value;
  history_.epochs.push_back({server, epochs.accepted, epochs.current, last});
  trace_.say("server {}: starts with epochs {} and {}, last zxid 0x{:x}", server, epochs.accepted, epochs.current,
             last);
  if (epochs.accepted > epochs.current) hit(EnsembleEvent::EpochPromisedNotTaken);
  observe(server, node);
}

void EnsembleRecord::observe(uint32_t server, node::Node& node) {
  replica::Member& member = *node.member();
  Seen& seen = seen_[server];
  seen.made = member.journal().last_made().value;
  seen.current_epoch = member.epochs().current;
  seen.voters = static_cast<uint32_t>(member.electorate().voters().size());
  observe_leading(server, seen, member);
  observe_applied(server, seen, member);
  observe_state(server, seen, member);
}

void EnsembleRecord::observe_leading(uint32_t server, Seen& seen, replica::Member& member) {
  zab::Lead* lead = member.lead();
  const bool leads = lead != nullptr && lead->phase() == LeadPhase::Broadcast;
  if (lead != nullptr && !leads && lead->phase() != LeadPhase::Over) {
    seen.history_end = member.journal().durable().value;
  }
  if (lead != nullptr) {
    for (const auto& [link, learner] : lead->learners()) {
      if (learner->phase == LearnerPhase::AwaitingDisk) seen.from_disk.insert(learner->sid.value);
    }
  }
  if (seen.leads && (!leads || lead->epoch() != seen.epoch)) lose_leadership(server, seen);
  if (!leads) return;
  if (!seen.leads) establish(server, seen, member);
  seen.proposes = member.journal().last_made() > member.journal().committed();
}

void EnsembleRecord::establish(uint32_t server, Seen& seen, replica::Member& member) {
  seen.leads = true;
  contacts_.leads(server);
  seen.epoch = member.lead()->epoch();
  newest_epoch_ = std::max(newest_epoch_, seen.epoch);
  history_.leaderships.push_back(
      {seen.epoch, server, acknowledged_by(server, *member.lead()), seen.history_end, seen.voters});
  trace_.say("server {}: leads epoch {} from 0x{:x} on", server, seen.epoch, seen.history_end);
  hit(EnsembleEvent::LeaderEstablished);
  if (seen.history_end > newest_applied_) hit(EnsembleEvent::ProposalAdopted);
}

void EnsembleRecord::lose_leadership(uint32_t server, Seen& seen) {
  trace_.say("server {}: leads no more", server);
  hit(EnsembleEvent::LeaderLost);
  if (seen.proposes) hit(EnsembleEvent::LeaderLostWhileProposing);
  seen.leads = seen.proposes = false;
}

/// While a server serves, all that it applies is committed: what it began with, then its own epoch's txns.
void EnsembleRecord::observe_applied(uint32_t server, Seen& seen, replica::Member& member) {
  if (!member.serving()) {
    if (seen.serves) contacts_.serves_no_more(server);
    seen.serves = false;
    return;
  }
  const Zxid applied = member.journal().applied();
  const int64_t epoch = member.epochs().current;
  if (!seen.serves) {
    seen.serves = true;
    if (!seen.leads) hit(EnsembleEvent::FollowerServes);
    seen.applied = applied.value;
    if (applied.value != 0) apply(server, applied.value, true);
    return;
  }
  if (applied.value <= seen.applied) return;
  if (applied.epoch() != epoch) {
    return verdict_.fail("server {} applied 0x{:x} in epoch {}", server, applied.value, epoch);
  }
  for (Zxid at{std::max(seen.applied, epoch << 32)}; at < applied;) {
    at = at.next();
    apply(server, at.value, false);
  }
  seen.applied = applied.value;
}

void EnsembleRecord::apply(uint32_t server, int64_t zxid, bool whole) {
  history_.applied.push_back({server, zxid, txns_.hash_of(zxid), whole});
  newest_applied_ = std::max(newest_applied_, zxid);
}

void EnsembleRecord::observe_state(uint32_t server, Seen& seen, replica::Member& member) {
  const tree::Tree& tree = member.replica().tree();
  const int64_t zxid = tree.last_zxid().value;
  if (zxid == seen.state_at && &tree == seen.tree) return;
  seen.state_at = zxid;
  seen.tree = &tree;
  seen.state = state_digest(tree, member.replica().sessions());
  const auto& [first, who] = states_.emplace(zxid, std::pair(seen.state, server)).first->second;
  if (first == seen.state) return;
  verdict_.fail("at 0x{:x} the states of servers {} and {} differ", zxid, who, server);
}

void EnsembleRecord::line(uint32_t server, const LogLine& line) {
  trace_.say("server {}: {}: {}", server, line.component, line.text);
  const auto says = [&](std::string_view words) { return line.text.contains(words); };
  if (line.text.starts_with("Have quorum of supporters")) take_quorum(server, line.text);
  if (says("Sending DIFF zxid="))
    hit(comes_from_disk(server, line.text) ? EnsembleEvent::SyncDiffFromDisk : EnsembleEvent::SyncDiff);
  if (says("Sending TRUNC zxid=")) hit(EnsembleEvent::SyncTrunc);
  if (says("Sending snapshot to learner")) {
    comes_from_disk(server, line.text);
    hit(EnsembleEvent::SyncSnap);
  }
  if (line.text.starts_with("Expiring session 0x")) take_expiry(server, line.text);
  if (says("Refusing session(")) hit(EnsembleEvent::SessionRefusedAhead);
  if (says("Not sufficient followers synced")) hit(EnsembleEvent::QuorumLost);
  if (says("Digests are not matching")) verdict_.fail("server {}: {}", server, line.text);
}

/// The learner that "... sid: 3" names had been waiting for what the log holds.
bool EnsembleRecord::comes_from_disk(uint32_t server, std::string_view text) {
  const size_t at = text.rfind("sid: ");
  return at != text.npos && seen_[server].from_disk.erase(std::stoll(std::string(text.substr(at + 5)))) > 0;
}

/// "Have quorum of supporters, sids: [[1, 3]]; ...: 0x400000000": whose acknowledgements were counted, and for what;
/// some of them may be gone before anybody else can look.
void EnsembleRecord::take_quorum(uint32_t server, std::string_view text) {
  Leadership found{.server = server, .last_zxid = seen_[server].history_end, .voters = seen_[server].voters};
  uint32_t number = 0;
  for (const char c : text.substr(text.find("[["), text.find("]]") - text.find("[["))) {
    if (c >= '0' && c <= '9') {
      number = number * 10 + static_cast<uint32_t>(c - '0');
    } else if (number != 0) {
      found.quorum.push_back(std::exchange(number, 0));
    }
  }
  found.quorum.push_back(number);
  found.epoch = std::stoll(std::string(text.substr(text.rfind("0x"))), nullptr, 16) >> 32;
  for (Leadership& known : history_.leaderships) {
    if (known.server != server || known.epoch != found.epoch) continue;
    known.quorum = found.quorum;
    return;
  }
  history_.leaderships.push_back(std::move(found));
}

/// "Expiring session 0x1000a, timeout of 4000ms exceeded".
void EnsembleRecord::take_expiry(uint32_t server, const std::string& text) {
  const int64_t session = static_cast<int64_t>(std::stoull(text.substr(text.find("0x")), nullptr, 16));
  contacts_.expires(server, session, std::stoi(text.substr(text.find(" of ") + 4)));
}

void EnsembleRecord::gone(uint32_t server) {
  Seen& seen = seen_[server];
  if (seen.leads) lose_leadership(server, seen);
  contacts_.serves_no_more(server);
  seen = {};
}

int64_t EnsembleRecord::newest_made() const {
  int64_t newest = 0;
  for (const auto& [server, seen] : seen_) newest = std::max(newest, seen.made);
  return newest;
}

void EnsembleRecord::answers_connect(uint32_t server, uint32_t connection) {
  let_in_[connection] = {newest_made(), seen_[server].current_epoch};
}

EnsembleRecord::LetIn EnsembleRecord::let_in(uint32_t connection) const {
  const auto found = let_in_.find(connection);
  QUORATE_CHECK(found != let_in_.end());
  return found->second;
}

std::optional<EnsembleRecord::SyncFloor> EnsembleRecord::sync_floor(uint32_t server) const {
  const auto found = seen_.find(server);
  if (found == seen_.end() || !found->second.serves || found->second.current_epoch != newest_epoch_)
    return std::nullopt;
  return SyncFloor{newest_acknowledged_, newest_epoch_};
}

void EnsembleRecord::read_data(const std::string& path, int64_t mzxid, std::string_view data) {
  const auto written = txns_.data_of(mzxid, path);
  if (written && *written == data) return;
  verdict_.fail("{} is read as \"{}\" of 0x{:x}, where {} was written", path, data, mzxid,
                written ? "\"" + *written + "\"" : "nothing");
}

void EnsembleRecord::finish(const node::NodeSettings& settings) {
  const std::vector<int64_t> chain = txns_.chain({base_, newest_applied_}, history_.leaderships);
  if (verdict_.failed()) return;
  for (const int64_t zxid : chain) history_.committed.push_back(txns_.committed(zxid));
  complete_closings();
  for (const Applied& applied : history_.applied) {
    if (Zxid{applied.zxid}.counter() == 0 || applied.zxid == base_ || std::ranges::binary_search(chain, applied.zxid))
      continue;
    return verdict_.fail("server {} applied 0x{:x}, which is not of the one history", applied.server, applied.zxid);
  }
  hits_[static_cast<size_t>(EnsembleEvent::ProposalDropped)] += txns_.size() - chain.size();
  hits_[static_cast<size_t>(EnsembleEvent::SessionMoved)] += txns_.moved();
  check_states(chain, settings);
  check_told_expired();
  check_closed();
  std::ranges::sort(history_.requests, {},
                    [](const ClientRequest& request) { return std::pair(request.session, request.number); });
  const std::string wrong = check_all(history_);
  if (!wrong.empty()) verdict_.fail("{}", wrong);
}

/// What goes with a session is written down where its txn does not say it (known-faults 4306).
void EnsembleRecord::complete_closings() {
  if (std::ranges::none_of(history_.committed, &Committed::closes_all)) return;
  std::map<std::string, int64_t> owners;
  for (Committed& txn : history_.committed) {
    for (const auto& [path, owner] : owners) {
      if (txn.closes_all && owner == txn.closes) txn.changes.push_back({.what = Change::What::Deleted, .path = path});
    }
    for (const Change& change : txn.changes) {
      if (change.what == Change::What::Deleted) owners.erase(change.path);
      if (change.what == Change::What::Created && change.owner != 0) owners[change.path] = change.owner;
    }
  }
}

/// A session ends with the txn that closes it, and not before.
void EnsembleRecord::check_told_expired() {
  std::map<int64_t, int64_t> closed;
  for (const Committed& txn : history_.committed) {
    if (txn.closes != 0) closed.emplace(txn.closes, txn.zxid);
  }
  for (const auto& [session, zxid] : told_expired_) {
    const auto end = closed.find(session);
    if (end != closed.end() && end->second <= zxid) continue;
    return verdict_.fail("session 0x{:x} is told at 0x{:x} that it has expired, {}", session, zxid,
                         end == closed.end() ? "and never has" : fmt::format("but does at 0x{:x}", end->second));
  }
}

/// A session ends because its client asks for that, or because its time has run out.
void EnsembleRecord::check_closed() {
  std::set<int64_t> open;
  for (const Committed& txn : history_.committed) {
    if (txn.opens != 0) open.insert(txn.opens);
    const bool own = txn.closes != 0 && open.erase(txn.closes) > 0 && txn.request == 0;
    if (!own || contacts_.has_expired(txn.closes)) continue;
    return verdict_.fail("session 0x{:x} is closed at 0x{:x}, and nobody has asked for it", txn.closes, txn.zxid);
  }
}

/// Every state that any server ever had on the one history is what a replay from nothing comes to.
void EnsembleRecord::check_states(const std::vector<int64_t>& chain, const node::NodeSettings& settings) {
  tree::Tree tree(settings.recovery.hash_key, settings.recovery.tree_options);
  tree.set_last_zxid(Zxid{base_});
  tree::SessionList sessions;
  tree::Applied applied;
  for (const int64_t zxid : chain) {
    const std::string& payload = txns_.payload_of(zxid);
    tree::TxnView txn;
    std::string why;
    if (!tree::parse_txn(payload, txn, why)) return verdict_.fail("0x{:x} cannot be read: {}", zxid, why);
    applied.clear();
    tree::apply(tree, sessions, txn, applied);
    tree::release_acls(tree, applied);
    if (!applied.digest_matches) return verdict_.fail("0x{:x} has another digest than a replay", zxid);
    const auto seen = states_.find(zxid);
    if (seen == states_.end() || seen->second.first == state_digest(tree, sessions)) continue;
    return verdict_.fail("at 0x{:x} server {} was not what a replay comes to", zxid, seen->second.second);
  }
}

}  // namespace quorate::sim
