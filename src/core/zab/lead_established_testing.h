#pragma once
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/zab/lead_testing.h"

/// For tests: a leader that is established and has made txns, to which more learners come.
namespace quorate::zab::lead_testing {

/// A leader of epoch 2, established with 1, with txns (2,1) to (2,3), the last of them not committed.
struct Leader : Bench {
  explicit Leader(Start start = {}) : Bench(std::move(start)) {
    join(1);
    propose_durable(3);
    say(1, ack(zxid(2, 1)));
    say(1, ack(zxid(2, 2)));
    persist();
    EXPECT_EQ(journal.committed(), zxid(2, 2));
  }
  /// A learner comes and says where its history ends.
  std::vector<std::string> come(int64_t sid, Zxid last, bool observer = false) {
    arrive(sid);
    say(sid, observer ? observer_info(sid, 1) : follower_info(sid, 1));
    take();
    say(sid, ack_epoch(last, 1));
    std::vector<std::string> after = take();
    after.erase(after.begin());
    return after;
  }
};

}  // namespace quorate::zab::lead_testing
