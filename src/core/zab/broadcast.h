#pragma once
#include <cstdint>

#include "base/ids.h"

/// Gives each prepared txn its zxid and decides when it is committed. A standalone server is a quorum of one: a txn is
/// committed once its own log holds it. Spec: disk 4.1, 6.1 rule 1; quorum 3.9.
namespace quorate::zab {

class Broadcast {
 public:
  explicit Broadcast(Zxid last) : last_(last), committed_(last) {}

  /// The zxid of the next proposal.
  Zxid propose() { return last_ = last_.next(); }
  /// Our own log holds everything up to `zxid`. Returns the new commit point.
  Zxid on_persisted(Zxid zxid) {
    if (zxid > committed_) committed_ = zxid;
    return committed_;
  }
  Zxid last_proposed() const { return last_; }
  Zxid committed() const { return committed_; }

 private:
  Zxid last_;
  Zxid committed_;
};

}  // namespace quorate::zab
