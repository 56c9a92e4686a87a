#include "shell/io/event_loop.h"

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <utility>

#include "shell/io/asio_dial.h"
#include "shell/io/asio_listener.h"
#include "shell/io/asio_stream.h"
#include "shell/io/loop_core.h"

namespace quorate::io {

namespace asio = boost::asio;

struct EventLoop::State {
  explicit State(Lookup lookup) : core(std::make_shared<LoopCore>(std::move(lookup))) {}

  std::shared_ptr<LoopCore> core;
  asio::signal_set signals{core->context};
};

EventLoop::EventLoop(Lookup lookup) : state_(std::make_unique<State>(std::move(lookup))) {}

EventLoop::~EventLoop() { state_->core->replaced.clear(); }

Result<std::unique_ptr<Listener>> EventLoop::listen(const ListenSettings& settings) {
  return make_listener(state_->core, settings);
}

std::unique_ptr<Task> EventLoop::dial(DialRequest request, Dialed done) {
  return start_dial(state_->core, std::move(request), std::move(done));
}

std::unique_ptr<Task> EventLoop::look_up(const std::string& host, Millis deadline, Found done) {
  return start_lookup(state_->core, host, deadline, std::move(done));
}

void EventLoop::on_stop_signal(std::function<void()> call) {
  state_->signals.add(SIGTERM);
  state_->signals.add(SIGINT);
  state_->signals.async_wait([call = std::move(call)](boost::system::error_code error, int) {
    if (!error) call();
  });
}

void EventLoop::post(std::function<void()> call) { asio::post(state_->core->context, std::move(call)); }

bool EventLoop::run(Millis wait) {
  // A socket is waited for once a round: one that is always ready (a peer that has gone, a client that never stops
  // sending) would otherwise keep poll() from ever coming back.
  rearm_sockets(*state_->core);
  size_t ran = 0;
  if (wait.value > 0) ran += state_->core->context.run_one_for(std::chrono::milliseconds(wait.value));
  ran += state_->core->context.poll();
  return ran > 0;
}

}  // namespace quorate::io
