#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "shell/admin/server_view.h"
#include "shell/env/clock.h"
#include "shell/node/disk_orders.h"
#include "shell/node/election_service.h"
#include "shell/node/history_actor.h"
#include "shell/node/leader_link.h"
#include "shell/node/learner_links.h"
#include "shell/node/member_host.h"
#include "shell/node/settings.h"

/// A member of an ensemble on a network and a disk: the core's Member, its connections to the other servers, and its
/// orders to the disk. The node around it has the clients and the log. Loop thread. Spec: quorum 1 to 4; DESIGN,
/// section 3.
namespace quorate::node {

/// Of the node that it belongs to; all outlive it.
struct EnsembleParts {
  env::Network& network;
  env::Disk& disk;
  const env::Clock& clock;
  const NodeSettings& settings;
  std::function<void(const char* why)> let_go_of_tree;
};

class Ensemble final : public MemberHost {
 public:
  Ensemble(EnsembleParts parts, replica::MemberStart start, storage::EpochFiles epochs);
  ~Ensemble() override;
  /// Binds the election port. Errors: Invalid, Io.
  Result<void> listen();

  replica::Member& member() override { return member_; }
  const replica::Member& member() const { return member_; }
  Now wake() override;
  void carry_out() override;
  void let_go_of_tree(const char* why) override { parts_.let_go_of_tree(why); }
  void say(LogLine line) override { lines_.push_back(std::move(line)); }

  // The round.
  void on_time();
  Millis next_time() const;
  /// Once the clients' bytes were sent. True: there is more for the clients.
  bool flush();
  bool walking() const { return learners_.walking(); }
  bool sends_tree() const { return learners_.sends_tree(); }
  std::vector<LogLine> take_lines() { return std::exchange(lines_, {}); }

  // The log's thread.
  /// Something other than a batch is to be done there.
  bool wants_orders() const { return reload_ || member_.order() != nullptr; }
  bool order_changes_history() const;
  /// Requires: wants_orders().
  DiskOrders& prepare_orders();
  void on_orders_done(DiskOrders::Outcome outcome);
  void on_persisted();

  HistoryActor& history() { return history_; }
  void on_history_done();

  /// So many histories are kept as quarantines besides those that were counted.
  void note_set_aside(int64_t count) { set_aside_ += count; }

  /// What the words show of it.
  admin::Mode mode() const;
  admin::MemberView view() const;

 private:
  bool carry_out_once();
  void listen_or_not();
  void note_mismatches(const storage::Recovered& replayed);
  replica::MemberStart started_from(storage::Recovered recovered, const zab::Epochs& epochs) const;

  EnsembleParts parts_;
  const config::EnsembleSettings& settings_;
  replica::Member member_;
  DiskOrders orders_;
  HistoryActor history_;
  ElectionService election_;
  LearnerLinks learners_;
  LeaderLink leader_;
  bool listening_ = false;
  bool reload_ = false;
  bool carrying_out_ = false;
  Millis leading_since_{0};
  int64_t set_aside_ = 0;
  std::vector<LogLine> lines_;
};

}  // namespace quorate::node
