#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/judge.h"
#include "sim/model.h"
#include "sim/trace.h"
#include "sim/verdict.h"

/// All txns in their order, as they were seen on the way to the log, each judged by the naive model: nothing may be
/// there that nobody asked for, nothing twice, and nothing with another outcome than the rules demand. After a crash
/// the suffix that was lost is forgotten; what a client had been told must not be in it.
namespace quorate::sim {

/// What follows it; counter 0 is left out. Spec: disk 4.1.
int64_t next_zxid(int64_t zxid);

struct TxnFact {
  std::string payload;
  std::vector<NodeChange> changes;
  Request* request = nullptr;  ///< Null: the server's own.
};

class History {
 public:
  History(Verdict& verdict, Trace& trace) : verdict_(verdict), trace_(trace), judge_(model) {}

  /// The server begins with what others left it: a snapshot as of `zxid`.
  void start_at(int64_t zxid) { start_ = acknowledged_ = zxid; }
  /// A request is on its way; it stays here for good.
  Request& sent(Request request);
  /// The server has judged its next txn, and had applied all up to `applied` then.
  void prepared(int64_t applied) { applied_before_.push_back(applied); }
  /// Bytes written to a log file: header, records or padding.
  void on_log_bytes(std::string_view bytes, int64_t now);
  /// A client was told something that holds at `zxid`.
  void acknowledged(int64_t zxid);
  /// A restart has recovered up to `zxid`.
  void recovered(int64_t zxid, int64_t now);

  int64_t last_zxid() const { return txns_.empty() ? start_ : txns_.rbegin()->first; }
  const std::map<int64_t, TxnFact>& txns() const { return txns_; }  ///< By zxid.

  Model model;

 private:
  struct Logged;
  void submit(std::string_view payload, int64_t now);
  bool admit(const Logged& txn, size_t bytes);
  void submit_clients(const Logged& txn);
  void submit_own(const Logged& txn, int64_t now);
  void create_session(const Logged& txn, int64_t now);
  void expire_session(const Logged& txn, int64_t now);
  void clean(const Logged& txn);
  void compare(const Logged& txn, const Judged& judged, wire::Op op);

  Verdict& verdict_;
  Trace& trace_;
  Judge judge_;
  int64_t start_ = 0;
  std::map<int64_t, TxnFact> txns_;
  std::deque<int64_t> applied_before_;  ///< Of the txns to come: what had been applied when each was judged.
  int64_t acknowledged_ = 0;
  std::deque<Request> requests_;
  std::map<std::pair<int64_t, int32_t>, Request*> by_name_;  ///< Of (session, xid).
};

}  // namespace quorate::sim
