#include "shell/net/election_port_testing.h"

// Goal: of what is to be said to a server only the newest waits, the last is said again on a new connection, and who
// cannot be reached is dialed again in time; all changes of reach are told. Spec: quorum 1.4, 1.5; rules 4, 5.
// Method: one port; the other side's window is closed and opened, its connections broken, its dials refused.
namespace quorate::net {
namespace {

TEST(ElectionPortQueue, TheNewestReplacesWhatWaits) {
  PortBench bench(2);
  Far far = bench.accept(hello_of(3));
  far.line->window = 10;
  bench.send(3, vote_for(2, 1));
  EXPECT_TRUE(far.line->writable_wanted);
  bench.send(3, vote_for(2, 2));
  bench.send(3, vote_for(2, 3));
  EXPECT_TRUE(bench.port.undelivered());
  bench.open_window(far, SIZE_MAX);
  // The one that had begun to leave is finished, the second is never said.
  EXPECT_EQ(far.line->outgoing, bench.wire_of(vote_for(2, 1)) + bench.wire_of(vote_for(2, 3)));
  EXPECT_FALSE(bench.port.undelivered());
  EXPECT_FALSE(far.line->writable_wanted);
}

TEST(ElectionPortQueue, WhatWaitsForAConnectionIsReplacedToo) {
  PortBench bench(2);
  bench.send(1, vote_for(2, 1));
  bench.send(1, vote_for(2, 2));
  EXPECT_EQ(bench.seen.dials.size(), 1u);
  EXPECT_EQ(bench.dial_lands().line->outgoing, hello_of(2) + bench.wire_of(vote_for(2, 2)));
}

TEST(ElectionPortQueue, TheLastIsSaidAgainOnANewConnection) {
  PortBench bench(2);
  Far first = bench.accept(hello_of(3));
  EXPECT_EQ(first.line->outgoing, "");  // nothing was said yet
  bench.send(3, vote_for(2, 7));
  bench.hang_up(first);
  EXPECT_FALSE(bench.port.undelivered());
  for (int i = 0; i < 2; ++i) {
    Far again = bench.accept(hello_of(3));
    EXPECT_EQ(again.line->outgoing, bench.wire_of(vote_for(2, 7)));
  }
}

TEST(ElectionPortQueue, WhatWasCutOffCountsAsUndelivered) {
  PortBench bench(2);
  Far first = bench.accept(hello_of(3));
  first.line->window = 5;
  bench.send(3, vote_for(2, 7));
  bench.hang_up(first);
  EXPECT_TRUE(bench.port.undelivered());
  EXPECT_EQ(bench.accept(hello_of(3)).line->outgoing, bench.wire_of(vote_for(2, 7)));
  EXPECT_FALSE(bench.port.undelivered());
}

TEST(ElectionPortQueue, ObserversDoNotKeepAnythingUndelivered) {
  PortBench bench(4, ensemble(2, 2));
  bench.send(3, vote_for(4));
  EXPECT_FALSE(bench.port.undelivered());
  bench.send(1, vote_for(4));
  EXPECT_TRUE(bench.port.undelivered());
}

TEST(ElectionPortQueue, SendsTheConfigurationOfTheMoment) {
  PortBench bench(2);
  bench.send(1, vote_for(2));
  const std::string newer = ensemble(4).substr(0, ensemble(4).size() - 1) + "100000005";
  bench.port.set_configs(config_of(newer), nullptr);
  EXPECT_EQ(bench.dial_lands().line->outgoing, hello_of(2) + message_of(vote_for(2), newer));
}

TEST(ElectionPortReach, EachChangeIsTold) {
  PortBench bench(3);
  bench.send(1, vote_for(3));
  EXPECT_EQ(bench.reaches(), "");
  bench.dial_fails(true);
  EXPECT_EQ(bench.reaches(), "1:Refused");
  bench.send(1, vote_for(3));
  EXPECT_EQ(bench.reaches(), "1:Refused 1:Unknown");
  Far far = bench.dial_lands();
  bench.hang_up(far);
  EXPECT_EQ(bench.reaches(), "1:Refused 1:Unknown 1:Open 1:Unknown");
  bench.send(1, vote_for(3));
  bench.dial_fails(false);  // a time-out says nothing
  EXPECT_EQ(bench.reaches(), "1:Refused 1:Unknown 1:Open 1:Unknown");
  EXPECT_EQ(bench.port.reach(ServerId{1}), Reach::Unknown);
}

TEST(ElectionPortReach, ALinkThatBreaksWhileItSendsIsLost) {
  PortBench bench(2);
  Far far = bench.accept(hello_of(3));
  far.line->ended = true;
  bench.send(3, vote_for(2));
  EXPECT_TRUE(far.line->gone);
  EXPECT_EQ(bench.reaches(), "3:Open 3:Unknown");
  EXPECT_EQ(bench.last_line(), "Connection broken with server 3 at /10.0.0.9:4711: Broken pipe");
}

TEST(ElectionPortDial, OnlyOneForEachServerAndNoneWhereThereIsAConnection) {
  PortBench bench(2);
  Far open = bench.accept(hello_of(3));
  bench.send(1, vote_for(2));
  bench.send(1, vote_for(2));
  bench.send(3, vote_for(2));
  bench.port.connect_all(bench.now);
  bench.collect();
  ASSERT_EQ(bench.seen.dials.size(), 1u);
  EXPECT_EQ(bench.seen.dials[0].sid, ServerId{1});
}

TEST(ElectionPortDial, AllVotersAndWhomElseAMessageWaitsFor) {
  PortBench bench(5, ensemble(2, 3));
  bench.send(4, vote_for(5));
  bench.dial_fails(true);
  bench.seen.dials.clear();
  bench.port.connect_all(bench.now);
  bench.collect();
  std::vector<ServerId> dialed;
  for (const Dial& dial : bench.seen.dials) dialed.push_back(dial.sid);
  EXPECT_EQ(dialed, (std::vector<ServerId>{{1}, {2}, {4}}));
}

TEST(ElectionPortDial, IsGivenUpInTimeAndALateAnswerIsIgnored) {
  PortBench bench(2);
  bench.send(1, vote_for(2));
  const Dial dial = bench.last_dial();
  EXPECT_EQ(dial.give_up_at, bench.now + Millis{5000});
  EXPECT_EQ(bench.port.next_time(), dial.give_up_at);
  bench.pass(4999);
  EXPECT_EQ(bench.seen.lines.size(), 0u);
  bench.pass(1);
  EXPECT_EQ(bench.last_line(), "Cannot open channel to server 1: there was no answer in time");
  auto late = bench.line();
  EXPECT_FALSE(bench.port.dialed(dial.id, std::make_unique<LineStream>(late), bench.now));
  EXPECT_TRUE(late->gone);
  EXPECT_EQ(late->outgoing, "");
  bench.port.dial_failed(dial.id, true, "late", bench.now);
  bench.collect();
  EXPECT_EQ(bench.reaches(), "");
}

/// When a dial was wanted within the next 20 s, if each of them fails.
std::vector<int64_t> redials(PortBench& bench) {
  std::vector<int64_t> times;
  const Millis start = bench.now;
  size_t dials = bench.seen.dials.size();
  while (bench.now - start < Millis{20000}) {
    const Millis next = bench.port.next_time();
    if (next == Millis{INT64_MAX}) break;
    bench.pass((next - bench.now).value);
    if (bench.seen.dials.size() == dials) continue;
    dials = bench.seen.dials.size();
    times.push_back((bench.now - start).value);
    if (times.size() == 6) break;
    bench.dial_fails(true);
  }
  return times;
}

TEST(ElectionPortDial, WhileLookingItIsRepeatedAtGrowingPauses) {
  PortBench bench(2);
  bench.port.set_looking(true, bench.now);
  bench.send(1, vote_for(2));
  bench.send(3, vote_for(2));
  Far larger = bench.accept(hello_of(3));
  bench.port.dial_failed(bench.seen.dials[0].id, true, "connection refused", bench.now);
  bench.collect();
  bench.port.dial_failed(bench.seen.dials[1].id, true, "connection refused", bench.now);
  bench.collect();
  EXPECT_EQ(redials(bench), (std::vector<int64_t>{400, 1200, 2800, 4800, 6800, 8800}));
  EXPECT_EQ(bench.seen.lines.size(), 2u);  // one says that it fails, one that 3 is connected
}

TEST(ElectionPortDial, ASearchBeginsWithShortPausesAndNewLines) {
  PortBench bench(3, ensemble(3).replace(0, ensemble(3).find("server.2"), ""));
  const auto search = [&] {
    bench.port.set_looking(true, bench.now);
    bench.send(2, vote_for(3));
    bench.dial_fails(true);
    EXPECT_EQ(redials(bench).front(), 400);  // the first 200 ms were planned when the search began
    bench.port.set_looking(false, bench.now);
  };
  search();
  EXPECT_EQ(bench.seen.lines.size(), 1u);
  Far far = bench.dial_lands();
  bench.hang_up(far);
  EXPECT_EQ(bench.seen.lines.size(), 3u);
  search();
  EXPECT_EQ(bench.seen.lines.size(), 4u);
  EXPECT_EQ(bench.last_line(), "Cannot open channel to server 2: connection refused");
}

TEST(ElectionPortDial, AConnectionOrADialEndsThePause) {
  PortBench bench(2, "server.2=b:1:2:participant\nserver.3=c:3:4:participant\nversion=0");
  bench.port.set_looking(true, bench.now);
  EXPECT_NE(bench.port.next_time(), Millis{INT64_MAX});
  Far far = bench.accept(hello_of(3));
  EXPECT_EQ(bench.port.next_time(), Millis{INT64_MAX});
  bench.hang_up(far);
  EXPECT_EQ(bench.port.next_time(), bench.now + Millis{20});
  bench.send(3, vote_for(2));
  EXPECT_EQ(bench.port.next_time(), bench.now + Millis{5000});
}

TEST(ElectionPortDial, ABrokenLinkIsRedialedAtOnceWhileLookingButOnlyAFewTimes) {
  PortBench bench(2);
  Far far = bench.connect(1, 2);
  bench.port.set_looking(true, bench.now);
  for (const int64_t pause : {0, 20, 40, 200}) {
    bench.hang_up(far);
    EXPECT_EQ(bench.port.next_time(), bench.now + Millis{pause});
    const size_t dials = bench.seen.dials.size();
    bench.pass(pause);
    ASSERT_EQ(bench.seen.dials.size(), dials + 1) << pause;
    far = bench.dial_lands();
  }
}

TEST(ElectionPortDial, TheSmallerIdWaitsLongerAndLongestForACall) {
  PortBench bench(2, "server.2=b:1:2:participant\nserver.3=c:3:4:participant\nversion=0");
  bench.port.set_looking(true, bench.now);
  bench.send(3, vote_for(2));
  bench.dial_lands();  // the challenge
  size_t dials = bench.seen.dials.size();
  bench.pass(999);
  EXPECT_EQ(bench.seen.dials.size(), dials);
  bench.pass(1);
  EXPECT_EQ(bench.seen.dials.size(), dials + 1);
  Far called = bench.accept(hello_of(3) + bench.wire_of(vote_for(3)));
  bench.dial_lands();
  bench.hang_up(called);
  dials = bench.seen.dials.size();
  bench.pass(19);
  EXPECT_EQ(bench.seen.dials.size(), dials);
  bench.pass(1);
  EXPECT_EQ(bench.seen.dials.size(), dials + 1);
}

TEST(ElectionPortDial, NobodyIsRedialedWithoutAnElection) {
  PortBench bench(3);
  Far far = bench.connect(1, 3);
  bench.hang_up(far);
  EXPECT_EQ(bench.port.next_time(), Millis{INT64_MAX});
  bench.send(1, vote_for(3));  // what is to be said is reason enough
  EXPECT_EQ(bench.seen.dials.size(), 2u);
  bench.dial_fails(true);
  EXPECT_EQ(bench.port.next_time(), Millis{INT64_MAX});
  bench.port.set_looking(true, bench.now);
  EXPECT_NE(bench.port.next_time(), Millis{INT64_MAX});
  bench.port.set_looking(false, bench.now);
  EXPECT_EQ(bench.port.next_time(), Millis{INT64_MAX});
}

TEST(ElectionPortDial, ObserversAreNotRedialed) {
  PortBench bench(3, ensemble(1, 2));
  bench.port.set_looking(true, bench.now);
  bench.port.set_configs(config_of(ensemble(1, 2)), nullptr);
  Far far = bench.connect(2, 3);
  const size_t dials = bench.seen.dials.size();
  bench.hang_up(far);
  bench.pass(10000);
  for (size_t i = dials; i < bench.seen.dials.size(); ++i) EXPECT_EQ(bench.seen.dials[i].sid, ServerId{1});
}

}  // namespace
}  // namespace quorate::net
