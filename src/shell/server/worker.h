#pragma once
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

/// One thread that does one job at a time: an actor's perform(). The loop hands a job over only after the last one was
/// reported done, so there is no queue.
namespace quorate::server {

class Worker {
 public:
  explicit Worker(const char* name);
  /// Waits for the job at hand.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Runs `job`, then `done`, on the thread. Requires: the last job is done.
  void run(std::function<void()> job, std::function<void()> done);

 private:
  void serve();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> job_;
  std::function<void()> done_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace quorate::server
