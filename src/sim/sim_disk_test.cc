#include "sim/sim_disk.h"

#include <gtest/gtest.h>

namespace quorate::sim {
namespace {

class SimDiskTest : public testing::Test {
 protected:
  SimDiskTest() : disk_(clock_, rng_, trace_) { EXPECT_TRUE(disk_.make_directories("/d")); }
  std::unique_ptr<env::File> create(const std::string& path) { return *disk_.open(path, env::Open::Create); }
  size_t size_of(const std::string& path) { return disk_.find(path)->content.bytes().size(); }

  SimClock clock_;
  Rng rng_{1};
  Trace trace_;
  SimDisk disk_;
};

TEST_F(SimDiskTest, WritesWhatFitsAndThenRefuses) {
  auto file = create("/d/log.1");
  disk_.limit_growth(100);
  EXPECT_TRUE(file->write(0, std::string(60, 'x')));
  EXPECT_FALSE(disk_.log_error_given());
  const auto refused = file->write(60, std::string(60, 'x'));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::NoSpace);
  EXPECT_TRUE(disk_.log_error_given());
  EXPECT_EQ(size_of("/d/log.1"), 100u);
  EXPECT_TRUE(file->write(0, std::string(100, 'y'))) << "what is there may be overwritten";
  EXPECT_FALSE(disk_.open("/d/other", env::Open::Create));
}

TEST_F(SimDiskTest, WholePagesEndInZerosThatAreNoneOfTheLog) {
  disk_.take_whole_pages(true);
  std::string logged;
  disk_.on_log_bytes = [&](std::string_view bytes) { logged += bytes; };
  auto file = *disk_.open_direct("/d/log.1", env::Open::Create);
  ASSERT_TRUE(file->write(0, "hello"));
  ASSERT_TRUE(file->write(5, " you"));
  EXPECT_EQ(disk_.find("/d/log.1")->content.bytes(), "hello you" + std::string(4087, '\0'));
  EXPECT_EQ(logged, "hello you");
  EXPECT_EQ(size_of("/d/log.1"), 4096u);
  ASSERT_TRUE((*disk_.open("/d/log.1", env::Open::ReadWrite))->write(4095, "!?"));
  EXPECT_EQ(size_of("/d/log.1"), 4097u);
}

TEST_F(SimDiskTest, RemovalMakesRoom) {
  auto old = create("/d/old");
  ASSERT_TRUE(old->write(0, std::string(50, 'x')));
  auto file = create("/d/new");
  disk_.limit_growth(0);
  EXPECT_FALSE(file->write(0, "y"));
  ASSERT_TRUE(disk_.remove("/d/old"));
  EXPECT_TRUE(file->write(0, std::string(50, 'y')));
  EXPECT_FALSE(file->write(50, "y"));
  disk_.lift_limit();
  EXPECT_TRUE(file->write(50, "y"));
}

TEST_F(SimDiskTest, ALimitOutlivesTheProcess) {
  auto file = create("/d/a");
  disk_.limit_growth(0);
  disk_.crash();
  disk_.process_end();
  disk_.power_on();
  EXPECT_FALSE((*disk_.open("/d/a", env::Open::ReadWrite))->write(0, "x"));
}

}  // namespace
}  // namespace quorate::sim
