#include "sim/fabric_network.h"

#include <gtest/gtest.h>

#include <utility>

namespace quorate::sim {
namespace {

/// Two hosts; the first dials, the second listens.
class FabricNetworkTest : public ::testing::Test {
 protected:
  FabricNetworkTest() {
    for (const char* name : {"a", "b"}) fabric_.add_host(name);
  }

  void listen() {
    auto listener = there_.listen({"", 7}, [this](std::unique_ptr<env::PeerStream> stream) {
      accepted_ = std::move(stream);
      accepted_->watch([this] { heard_ += take(*accepted_); }, [] {});
    });
    ASSERT_TRUE(listener.has_value());
    listener_ = std::move(*listener);
  }
  void dial(std::vector<env::HostPort> addresses) {
    dial_ = here_.dial({std::move(addresses), false, Millis{1000}}, [this](auto outcome) {
      ++done_;
      if (outcome) {
        dialed_ = std::move(*outcome);
      } else {
        failure_ = outcome.error();
      }
    });
  }
  void run() { agenda_.run_until(agenda_.now() + 3'000'000); }
  static std::string take(env::PeerStream& stream) {
    char bytes[64];
    const auto count = stream.receive(bytes);
    return count ? std::string(bytes, *count) : "<gone>";
  }

  Rng rng_{5};
  Trace trace_;
  SimClock clock_;
  Agenda agenda_{clock_, trace_};
  Fabric fabric_{agenda_, rng_, trace_};
  int calls_ = 0;
  FabricNetwork here_{fabric_, agenda_, 0, [this] { ++calls_; }};
  FabricNetwork there_{fabric_, agenda_, 1, [] {}};
  std::unique_ptr<env::NetworkTask> listener_;
  std::unique_ptr<env::NetworkTask> dial_;
  std::unique_ptr<env::PeerStream> dialed_;
  std::unique_ptr<env::PeerStream> accepted_;
  std::string heard_;
  env::PeerDialFailure failure_;
  int done_ = 0;
};

TEST_F(FabricNetworkTest, CarriesBytesAndTellsTheLoop) {
  listen();
  dial({{"10.0.0.2", 7}});
  EXPECT_EQ(done_, 0);
  run();
  ASSERT_NE(dialed_, nullptr);
  ASSERT_NE(accepted_, nullptr);
  EXPECT_EQ(calls_, 1);
  EXPECT_TRUE(accepted_->peer_text().starts_with("/10.0.0.1:"));
  ASSERT_TRUE(dialed_->send("hello").has_value());
  run();
  EXPECT_EQ(heard_, "hello");
}

TEST_F(FabricNetworkTest, TriesOneAddressBehindTheOther) {
  listen();
  dial({{"nowhere", 7}, {"10.0.0.2", 8}, {"10.0.0.2", 7}});
  run();
  EXPECT_NE(dialed_, nullptr);
  EXPECT_EQ(done_, 1);
}

TEST_F(FabricNetworkTest, SaysThatAllRefused) {
  dial({{"10.0.0.2", 7}, {"10.0.0.2", 8}});
  run();
  EXPECT_TRUE(failure_.refused);
  EXPECT_EQ(failure_.detail, "10.0.0.2:7 refused, 10.0.0.2:8 refused");
  dial({{"nowhere", 7}});
  run();
  EXPECT_FALSE(failure_.refused);
  EXPECT_EQ(done_, 2);
}

TEST_F(FabricNetworkTest, EndsWhatNobodyWaitsFor) {
  listen();
  dial({{"10.0.0.2", 7}});
  dial_.reset();
  run();
  EXPECT_EQ(done_, 0);
  listener_.reset();
  dial({{"10.0.0.2", 7}});
  run();
  EXPECT_TRUE(failure_.refused);
}

TEST_F(FabricNetworkTest, AStreamMayGoInItsOwnCall) {
  listen();
  dial({{"10.0.0.2", 7}});
  run();
  dialed_->watch([this] { dialed_.reset(); }, [] {});
  const int before = calls_;
  ASSERT_TRUE(accepted_->send("x").has_value());
  run();
  EXPECT_EQ(dialed_, nullptr);
  EXPECT_EQ(calls_, before + 1);
  EXPECT_TRUE(heard_.starts_with("<gone>"));
}

TEST_F(FabricNetworkTest, RefusesToListenElsewhere) {
  listen();
  EXPECT_FALSE(there_.listen({"10.0.0.2", 7}, [](auto) {}).has_value());
  EXPECT_FALSE(there_.listen({"10.0.0.1", 9}, [](auto) {}).has_value());
  EXPECT_TRUE(there_.listen({"0.0.0.0", 9}, [](auto) {}).has_value());
}

}  // namespace
}  // namespace quorate::sim
