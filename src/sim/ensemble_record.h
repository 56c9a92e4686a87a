#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log_line.h"
#include "shell/node/node.h"
#include "sim/ensemble_contacts.h"
#include "sim/ensemble_events.h"
#include "sim/ensemble_history.h"
#include "sim/ensemble_txns.h"
#include "sim/trace.h"
#include "sim/verdict.h"

/// Writes down what the servers and clients of a run do, for the judges of ensemble_checks.h, and judges at once what
/// needs no history: that trees and sessions are equal wherever servers have come equally far.
namespace quorate::sim {

class EnsembleRecord {
 public:
  EnsembleRecord(Verdict& verdict, Trace& trace, const SimClock& clock, uint32_t voters);

  // Servers, by their ids.
  void logged(uint32_t server, std::string_view bytes);
  void booted(uint32_t server, node::Node& node);
  /// After everything that may have changed the server.
  void observe(uint32_t server, node::Node& node);
  void line(uint32_t server, const LogLine& line);
  void gone(uint32_t server);
  /// The one history does not begin with nothing, but there.
  void begin_at(Zxid zxid) { base_ = zxid.value; }
  /// The newest txn that any running server has made or got: none that is made later is older.
  int64_t newest_made() const;

  // Clients.
  uint64_t next_order() { return ++order_; }
  /// What held when a server answered a connect request.
  struct LetIn {
    int64_t made = 0;   ///< newest_made()
    int64_t epoch = 0;  ///< The server's.
  };
  /// On that connection; the client will hear of it.
  void answers_connect(uint32_t server, uint32_t connection);
  LetIn let_in(uint32_t connection) const;
  /// A read showed these bytes of a node that was last changed at `mzxid`.
  void read_data(const std::string& path, int64_t mzxid, std::string_view data);
  /// A write is acknowledged to its client.
  void acknowledged(int64_t zxid) { newest_acknowledged_ = std::max(newest_acknowledged_, zxid); }
  /// What a sync that is asked for now must come up to, and the epoch in which that holds: a leader that has been
  /// replaced and does not know it may answer with less. Nothing: that server is not in the newest epoch.
  struct SyncFloor {
    int64_t zxid = 0;
    int64_t epoch = 0;
  };
  std::optional<SyncFloor> sync_floor(uint32_t server) const;
  /// A client was told that its session is not there any more.
  void told_expired(int64_t session, int64_t zxid) { told_expired_.emplace_back(session, zxid); }
  EnsembleHistory& history() { return history_; }
  EnsembleContacts& contacts() { return contacts_; }

  void hit(EnsembleEvent event) { ++hits_[static_cast<size_t>(event)]; }
  const std::array<uint64_t, kEnsembleEvents>& hits() const { return hits_; }
  size_t txns() const { return txns_.size(); }

  /// When nothing happens any more: the one history is complete, and everything is judged.
  void finish(const node::NodeSettings& settings);

 private:
  struct Seen {
    bool leads = false;  ///< With its epoch established.
    bool serves = false;
    int64_t current_epoch = 0;
    bool proposes = false;  ///< Something that is not committed.
    int64_t epoch = 0;
    int64_t history_end = 0;  ///< Of a leader that is not established.
    int64_t applied = 0;      ///< The last that is written down; 0 while it does not serve.
    int64_t made = 0;
    uint32_t voters = 0;            ///< In its configuration.
    std::set<int64_t> from_disk{};  ///< Learners that wait for what the log holds.
    int64_t state_at = -1;
    const tree::Tree* tree = nullptr;  ///< Only to see that it is another.
    uint64_t state = 0;
  };

  void observe_leading(uint32_t server, Seen& seen, replica::Member& member);
  void establish(uint32_t server, Seen& seen, replica::Member& member);
  bool comes_from_disk(uint32_t server, std::string_view text);
  void take_quorum(uint32_t server, std::string_view text);
  void take_expiry(uint32_t server, const std::string& text);
  void lose_leadership(uint32_t server, Seen& seen);
  void observe_applied(uint32_t server, Seen& seen, replica::Member& member);
  void observe_state(uint32_t server, Seen& seen, replica::Member& member);
  void apply(uint32_t server, int64_t zxid, bool whole);
  void check_told_expired();
  void check_closed();
  void complete_closings();
  void check_states(const std::vector<int64_t>& chain, const node::NodeSettings& settings);

  Verdict& verdict_;
  Trace& trace_;
  EnsembleHistory history_;
  EnsembleTxns txns_;
  EnsembleContacts contacts_;
  std::map<uint32_t, Seen> seen_;
  std::map<int64_t, std::pair<uint64_t, uint32_t>> states_;  ///< Digests, and who had it first; by zxid.
  std::map<uint32_t, LetIn> let_in_;                         ///< By connection.
  std::vector<std::pair<int64_t, int64_t>> told_expired_;    ///< Sessions, and zxids of answers.
  int64_t base_ = 0;
  int64_t newest_applied_ = 0;
  int64_t newest_acknowledged_ = 0;
  int64_t newest_epoch_ = 0;  ///< Of an established leader.
  uint64_t order_ = 0;
  std::array<uint64_t, kEnsembleEvents> hits_{};
};

/// Tree and sessions in one number.
uint64_t state_digest(const tree::Tree& tree, const tree::SessionList& sessions);

}  // namespace quorate::sim
