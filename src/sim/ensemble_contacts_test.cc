#include "sim/ensemble_contacts.h"

#include <gtest/gtest.h>

#include "wire/quorum.h"

namespace quorate::sim {
namespace {

constexpr int64_t kSession = 0x1000a;
constexpr LearnerTap::Wire kWire{.learner = 1, .leader = 0, .connection = 7};
constexpr uint32_t kLeader = 1;
constexpr uint32_t kLearner = 2;

std::string packet(wire::PacketType type) {
  ByteBuffer out;
  wire::append_packet(out, type, Zxid{1}, "");
  return std::string(out.view());
}

class EnsembleContactsTest : public testing::Test {
 protected:
  EnsembleContactsTest() {
    at_ms(1000);
    contacts_.leads(kLeader);
    contacts_.granted(kLeader, kSession, 400, clock_.micros());
  }
  void at_ms(int64_t ms) { clock_.advance_to(ms * 1000); }
  /// A packet goes out whole, and the leader reads it.
  void say(wire::PacketType type) {
    const std::string bytes = packet(type);
    contacts_.learner_sends(kWire, bytes, true);
    contacts_.leader_reads(kWire, bytes.size());
  }
  bool may_expire() {
    contacts_.expires(kLeader, kSession, 400);
    return !verdict_.failed();
  }

  SimClock clock_;
  Verdict verdict_;
  EnsembleContacts contacts_{clock_, verdict_};
};

TEST_F(EnsembleContactsTest, TheWholeTimeoutHasToGoBy) {
  at_ms(1400);
  EXPECT_FALSE(contacts_.has_expired(kSession));
  EXPECT_TRUE(may_expire());
  EXPECT_TRUE(contacts_.has_expired(kSession));
}

TEST_F(EnsembleContactsTest, EarlierIsWrong) {
  at_ms(1397);
  EXPECT_FALSE(may_expire());
}

TEST_F(EnsembleContactsTest, ARequestBeginsItAnew) {
  at_ms(1100);
  contacts_.heard(kLeader, kSession);
  at_ms(1450);
  EXPECT_FALSE(may_expire());
}

TEST_F(EnsembleContactsTest, ANewLeaderBeginsItAnew) {
  at_ms(1300);
  contacts_.leads(kLeader);
  at_ms(1450);
  EXPECT_FALSE(may_expire());
}

TEST_F(EnsembleContactsTest, WhatALearnerHeardCountsOnceItsPingIsRead) {
  at_ms(1200);
  contacts_.heard(kLearner, kSession);
  say(wire::PacketType::Ack);
  at_ms(1300);
  const std::string ping = packet(wire::PacketType::Ping);
  contacts_.learner_sends(kWire, ping, true);
  contacts_.leader_reads(kWire, ping.size() - 1);
  at_ms(1450);
  EXPECT_TRUE(may_expire());
  contacts_.leader_reads(kWire, 1);
  EXPECT_FALSE(may_expire());
}

TEST_F(EnsembleContactsTest, APingThatMayHaveBeenThereBeforeDoesNotCount) {
  at_ms(1200);
  contacts_.heard(kLearner, kSession);
  say(wire::PacketType::Ping);
  at_ms(1450);
  EXPECT_TRUE(may_expire());
}

TEST_F(EnsembleContactsTest, WhatWasHeardInAnEarlierRoleIsForgotten) {
  at_ms(1200);
  contacts_.heard(kLearner, kSession);
  say(wire::PacketType::Ack);
  contacts_.serves_no_more(kLearner);
  say(wire::PacketType::Ping);
  at_ms(1450);
  EXPECT_TRUE(may_expire());
}

TEST_F(EnsembleContactsTest, TimeIsTheLeadersOwn) {
  contacts_.set_pace(kLeader, 1100);
  at_ms(1364);
  EXPECT_TRUE(may_expire());
  at_ms(1355);
  EXPECT_FALSE(may_expire());
}

TEST(FrameCount, FramesComeInPieces) {
  FrameCount frames;
  EXPECT_EQ(frames.feed(std::string_view("\0\0\0\2a", 5)), 0U);
  EXPECT_EQ(frames.feed(std::string_view("b\0\0\0\0\0\0", 7)), 2U);
  EXPECT_EQ(frames.feed(std::string_view("\0\1c", 3)), 1U);
}

}  // namespace
}  // namespace quorate::sim
