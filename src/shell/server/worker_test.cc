#include "shell/server/worker.h"

#include <gtest/gtest.h>

#include <future>
#include <vector>

namespace quorate::server {
namespace {

TEST(Worker, DoesTheJobElsewhereThenReports) {
  std::vector<const char*> order;
  std::thread::id where;
  std::promise<void> finished;
  Worker worker("test");
  worker.run(
      [&] {
        order.push_back("job");
        where = std::this_thread::get_id();
      },
      [&] {
        order.push_back("done");
        finished.set_value();
      });
  finished.get_future().get();
  EXPECT_EQ(order, (std::vector<const char*>{"job", "done"}));
  EXPECT_NE(where, std::this_thread::get_id());
}

// As the loop uses it: the next job as soon as the last one was reported, from inside the report too.
TEST(Worker, TakesOneJobAfterTheOther) {
  constexpr int kJobs = 1000;
  int count = 0;
  Worker worker("test");
  for (int i = 0; i < kJobs; ++i) {
    std::promise<void> finished;
    worker.run([&] { ++count; }, [&] { finished.set_value(); });
    finished.get_future().get();
  }
  EXPECT_EQ(count, kJobs);

  std::promise<void> last;
  worker.run([&] { ++count; }, [&] { worker.run([&] { ++count; }, [&] { last.set_value(); }); });
  last.get_future().get();
  EXPECT_EQ(count, kJobs + 2);
}

TEST(Worker, EndsAfterTheJobAtHand) {
  bool ran = false;
  bool reported = false;
  std::promise<void> may_go;
  {
    Worker worker("test");
    worker.run([&, go = may_go.get_future().share()] { go.wait(), ran = true; }, [&] { reported = true; });
    may_go.set_value();
  }
  EXPECT_TRUE(ran);
  EXPECT_TRUE(reported);
  const Worker idle("test");
}

}  // namespace
}  // namespace quorate::server
