#include "shell/server/worker.h"

#include <pthread.h>

#include <utility>

namespace quorate::server {

Worker::Worker(const char* name) : thread_([this] { serve(); }) { pthread_setname_np(thread_.native_handle(), name); }

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Worker::run(std::function<void()> job, std::function<void()> done) {
  {
    const std::lock_guard lock(mutex_);
    job_ = std::move(job);
    done_ = std::move(done);
  }
  changed_.notify_one();
}

void Worker::serve() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || job_ != nullptr; });
    if (job_ == nullptr) return;
    const auto job = std::exchange(job_, nullptr);
    const auto done = std::exchange(done_, nullptr);
    lock.unlock();
    job();
    done();
    lock.lock();
  }
}

}  // namespace quorate::server
