#include "shell/io/asio_dial.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "shell/io/asio_stream.h"

namespace quorate::io {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

/// A name to look up, or an address to connect to.
struct Target {
  HostPort named;
  std::optional<tcp::endpoint> endpoint;
  bool both_families = false;  ///< Its name has addresses of both.
};

/// One lookup or connect, from its start to its outcome.
struct Attempt {
  Attempt(asio::io_context& context, Target t) : target(std::move(t)), socket(context) {}
  Target target;
  tcp::socket socket;
  std::string outcome;
};

std::string text_of(const Target& target) {
  if (!target.endpoint) return fmt::format("{}:{}", target.named.host, target.named.port);
  const std::string number = name_of(*target.endpoint).text;
  error_code no_number;
  asio::ip::make_address(target.named.host, no_number);
  return no_number ? target.named.host + number : number.substr(1);
}

bool no_way_to_family(const error_code& error) {
  return error == asio::error::address_family_not_supported || error == asio::error::network_unreachable ||
         error == boost::system::errc::address_not_available;
}

/// Nobody listens on a port of this machine from which the kernel then happens to dial: the socket meets itself.
bool is_own_echo(const tcp::socket& socket) {
  error_code no_local, no_remote;
  return socket.local_endpoint(no_local) == socket.remote_endpoint(no_remote) && !no_local && !no_remote;
}

/// With a reset: the port belongs to whoever will listen there, and must not be left in TIME_WAIT.
error_code end_echo(tcp::socket& socket) {
  error_code ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
  return asio::error::connection_refused;
}

/// Shared with its handlers, which can outlive the task; over when done_ is empty.
class Dial : public std::enable_shared_from_this<Dial> {
 public:
  Dial(const std::shared_ptr<LoopCore>& core, DialRequest request, Dialed done);
  void start();
  void stop();

 private:
  void begin_next();
  void go_on();
  void look_up(const std::shared_ptr<Attempt>& attempt);
  void connect(const std::shared_ptr<Attempt>& attempt);
  void on_found(Attempt& attempt, const Result<std::vector<std::string>>& addresses);
  void on_connected(Attempt& attempt, error_code error);
  void note(Attempt& attempt, const error_code& error);
  void share_time();
  void finish(DialResult result);
  DialFailure failure(DialFault fault) const;

  std::weak_ptr<LoopCore> core_;
  DialRequest request_;
  Dialed done_;
  asio::steady_timer deadline_;
  asio::steady_timer turn_;  ///< When the next target may begin although none has failed.
  std::deque<Target> waiting_;
  std::vector<std::shared_ptr<Attempt>> attempts_;
  size_t under_way_ = 0;
  bool refused_ = false;  ///< At least one refused the connection.
  bool failed_ = false;   ///< At least one failed in a way that says nothing about a listener.
};

Dial::Dial(const std::shared_ptr<LoopCore>& core, DialRequest request, Dialed done)
    : core_(core),
      request_(std::move(request)),
      done_(std::move(done)),
      deadline_(core->context, std::chrono::milliseconds(request_.deadline.value)),
      turn_(core->context) {
  for (const HostPort& each : request_.addresses) {
    Target target{each, std::nullopt, false};
    const auto number = parse_addresses({each.host});
    if (!number.empty()) target.endpoint.emplace(number.front(), each.port);
    waiting_.push_back(std::move(target));
  }
}

void Dial::start() {
  deadline_.async_wait([self = shared_from_this()](error_code error) {
    if (!error && self->done_) self->finish(std::unexpected(self->failure(DialFault::Deadline)));
  });
  asio::post(deadline_.get_executor(), [self = shared_from_this()] { self->go_on(); });
}

void Dial::stop() {
  done_ = nullptr;
  deadline_.cancel();
  turn_.cancel();
  error_code ignored;
  for (const auto& attempt : attempts_) attempt->socket.close(ignored);
}

/// Something has come to its end, or a turn has come.
void Dial::go_on() {
  if (!done_) return;
  if (waiting_.empty() && under_way_ == 0) {
    finish(std::unexpected(failure(refused_ && !failed_ ? DialFault::Refused : DialFault::Failed)));
    return;
  }
  while (!waiting_.empty()) {
    begin_next();
    if (!request_.parallel) break;
  }
  share_time();
}

/// Nothing ends within it: handlers tell.
void Dial::begin_next() {
  const auto core = core_.lock();
  const auto attempt = std::make_shared<Attempt>(core->context, std::move(waiting_.front()));
  waiting_.pop_front();
  attempts_.push_back(attempt);
  ++under_way_;
  attempt->target.endpoint ? connect(attempt) : look_up(attempt);
}

void Dial::share_time() {
  if (waiting_.empty()) return;
  const auto left = deadline_.expiry() - asio::steady_timer::clock_type::now();
  turn_.expires_after(left / static_cast<int64_t>(waiting_.size() + 1));
  turn_.async_wait([self = shared_from_this()](error_code error) {
    if (!error) self->go_on();
  });
}

void Dial::look_up(const std::shared_ptr<Attempt>& attempt) {
  core_.lock()->names.start(attempt->target.named.host, [weak = weak_from_this(), attempt](const auto& addresses) {
    if (const auto self = weak.lock(); self && self->done_) self->on_found(*attempt, addresses);
  });
}

void Dial::on_found(Attempt& attempt, const Result<std::vector<std::string>>& addresses) {
  --under_way_;
  const auto numbers = addresses ? parse_addresses(*addresses) : std::vector<asio::ip::address>{};
  attempt.outcome = addresses ? fmt::format("{} addresses", numbers.size()) : addresses.error().detail;
  if (numbers.empty()) failed_ = true;
  const auto sixes = std::ranges::count_if(numbers, [](const auto& number) { return number.is_v6(); });
  const bool both = sixes > 0 && std::cmp_less(sixes, numbers.size());
  auto at = waiting_.begin();
  for (const auto& number : numbers) {
    const HostPort& named = attempt.target.named;
    at = std::next(waiting_.insert(at, Target{named, tcp::endpoint(number, named.port), both}));
  }
  go_on();
}

void Dial::connect(const std::shared_ptr<Attempt>& attempt) {
  attempt->socket.async_connect(*attempt->target.endpoint, [self = shared_from_this(), attempt](error_code error) {
    if (self->done_) self->on_connected(*attempt, error);
  });
}

void Dial::on_connected(Attempt& attempt, error_code error) {
  --under_way_;
  if (!error && is_own_echo(attempt.socket)) error = end_echo(attempt.socket);
  if (!error) {
    auto stream = make_stream(core_.lock(), std::move(attempt.socket), request_.socket);
    if (stream) return finish(std::move(stream));
    error = asio::error::not_connected;
  }
  note(attempt, error);
  go_on();
}

void Dial::note(Attempt& attempt, const error_code& error) {
  attempt.outcome = error.message();
  error_code ignored;
  attempt.socket.close(ignored);
  if (error == asio::error::connection_refused) {
    refused_ = true;
  } else if (!attempt.target.both_families || !no_way_to_family(error)) {
    failed_ = true;
  }
}

void Dial::finish(DialResult result) {
  const Dialed done = std::move(done_);
  stop();
  done(std::move(result));
}

DialFailure Dial::failure(DialFault fault) const {
  std::string detail;
  const auto add = [&](const Target& target, std::string_view outcome) {
    detail += fmt::format("{}{}: {}", detail.empty() ? "" : "; ", text_of(target), outcome);
  };
  for (const auto& each : attempts_) add(each->target, each->outcome.empty() ? "no answer" : each->outcome);
  for (const Target& target : waiting_) add(target, "not tried");
  if (fault == DialFault::Deadline) detail = fmt::format("not within {} ms: {}", request_.deadline.value, detail);
  return {fault, detail.empty() ? "no address to dial" : detail};
}

class DialTask final : public Task {
 public:
  DialTask(std::shared_ptr<LoopCore> core, DialRequest request, Dialed done)
      : core_(std::move(core)), dial_(std::make_shared<Dial>(core_, std::move(request), std::move(done))) {
    dial_->start();
  }
  ~DialTask() override { dial_->stop(); }

 private:
  std::shared_ptr<LoopCore> core_;
  std::shared_ptr<Dial> dial_;
};

class LookupTask final : public Task {
 public:
  LookupTask(std::shared_ptr<LoopCore> core, const std::string& host, Millis deadline, EventLoop::Found done)
      : core_(std::move(core)), asked_(std::make_shared<Asked>(core_->context, std::move(done))) {
    asked_->deadline.expires_after(std::chrono::milliseconds(deadline.value));
    asked_->deadline.async_wait([asked = asked_, text = fmt::format("cannot resolve {}: no answer within {} ms", host,
                                                                    deadline.value)](error_code error) {
      if (!error) asked->finish(fail(Fault::Io, text));
    });
    core_->names.start(host, [weak = std::weak_ptr(asked_)](const auto& found) {
      if (const auto asked = weak.lock()) asked->finish(found);
    });
  }
  ~LookupTask() override { asked_->done = nullptr, asked_->deadline.cancel(); }

 private:
  struct Asked {
    Asked(asio::io_context& context, EventLoop::Found d) : deadline(context), done(std::move(d)) {}
    void finish(Result<std::vector<std::string>> found) {
      deadline.cancel();
      if (const auto call = std::exchange(done, nullptr)) call(std::move(found));
    }
    asio::steady_timer deadline;
    EventLoop::Found done;
  };

  std::shared_ptr<LoopCore> core_;
  std::shared_ptr<Asked> asked_;
};

}  // namespace

std::unique_ptr<Task> start_dial(std::shared_ptr<LoopCore> core, DialRequest request, Dialed done) {
  return std::make_unique<DialTask>(std::move(core), std::move(request), std::move(done));
}

std::unique_ptr<Task> start_lookup(std::shared_ptr<LoopCore> core, const std::string& host, Millis deadline,
                                   EventLoop::Found done) {
  return std::make_unique<LookupTask>(std::move(core), host, deadline, std::move(done));
}

}  // namespace quorate::io
