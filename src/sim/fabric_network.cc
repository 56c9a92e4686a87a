#include "sim/fabric_network.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace quorate::sim {
namespace {

constexpr int64_t kMicros = 1000;

}  // namespace

class FabricNetwork::Stream final : public env::PeerStream {
 public:
  /// A learner's if `dials`, else its leader's. `tap` may be null.
  Stream(SimStreamPtr stream, Hook called, LearnerTap* tap, HostId host, bool dials)
      : stream_(std::move(stream)), called_(std::move(called)), tap_(tap), dials_(dials) {
    wire_ = {.learner = dials ? host : stream_->peer(),
             .leader = dials ? stream_->peer() : host,
             .connection = stream_->number()};
  }

  Result<size_t> receive(std::span<char> into) override {
    auto count = stream_->receive(into);
    if (tap_ != nullptr && !dials_ && count && *count > 0) tap_->leader_reads(wire_, *count);
    return count;
  }
  Result<size_t> send(std::string_view bytes) override {
    auto count = stream_->send(bytes);
    if (tap_ != nullptr && dials_ && count) tap_->learner_sends(wire_, bytes.substr(0, *count), *count == bytes.size());
    return count;
  }
  void want_writable(bool wanted) override { stream_->want_writable(wanted); }
  void want_readable(bool wanted) override { stream_->want_readable(wanted); }
  void reset() override { stream_->reset(); }
  void watch(Callback readable, Callback writable) override {
    stream_->watch(with_hook(std::move(readable)), with_hook(std::move(writable)));
  }
  std::string peer_text() const override {
    return fmt::format("/{}:{}", Fabric::ip_of(stream_->peer()), 40000 + stream_->number());
  }

 private:
  /// The callback may destroy this stream; the hook is none of its members then.
  Callback with_hook(Callback callback) const {
    return [callback = std::move(callback), called = called_] {
      const Hook kept = called;
      callback();
      (*kept)();
    };
  }

  SimStreamPtr stream_;
  Hook called_;
  LearnerTap* tap_;
  LearnerTap::Wire wire_;
  bool dials_;
};

class FabricNetwork::Listener final : public env::NetworkTask {
 public:
  Listener(Fabric& fabric, Address address) : fabric_(fabric), address_(address) {}
  ~Listener() override { fabric_.stop_listening(address_); }

 private:
  Fabric& fabric_;
  Address address_;
};

/// One address behind the other, which is a legal order where all at once were asked for, too.
class FabricNetwork::DialTask final : public env::NetworkTask {
 public:
  DialTask(FabricNetwork& network, env::PeerDial request, Dialed done)
      : state_(std::make_shared<State>(network, std::move(request), std::move(done))) {
    // Also what fails at once fails in a later turn of the loop.
    network.agenda_.in(0, [state = state_] { next(state); });
  }
  ~DialTask() override {
    state_->done = nullptr;
    if (state_->number != 0) state_->fabric.forget_dial(state_->number);
  }

 private:
  struct State {
    State(FabricNetwork& network, env::PeerDial r, Dialed d)
        : fabric(network.fabric_),
          host(network.host_),
          called(network.called_),
          tap(network.tap_),
          request(std::move(r)),
          done(std::move(d)) {}
    Fabric& fabric;
    HostId host;
    Hook called;
    Tap tap;
    env::PeerDial request;
    Dialed done;
    size_t at = 0;
    uint32_t number = 0;  ///< Of the dial under way; 0: none.
    bool all_refused = true;
    std::string detail;
  };
  using StatePtr = std::shared_ptr<State>;

  static void next(const StatePtr& state) {
    if (state->done == nullptr) return;
    if (state->at == state->request.addresses.size()) {
      return finish(state, std::unexpected(env::PeerDialFailure{state->all_refused, state->detail}));
    }
    const env::HostPort& address = state->request.addresses[state->at++];
    const auto host = state->fabric.find(address.host);
    if (!host) {
      note(*state, address, "cannot be resolved", false);
      return next(state);
    }
    const int64_t share =
        state->request.patience.value * kMicros / static_cast<int64_t>(state->request.addresses.size());
    state->number =
        state->fabric.dial(state->host, {*host, address.port}, std::max<int64_t>(share, 1),
                           [state, address](auto outcome) { on_dialed(state, address, std::move(outcome)); });
  }

  static void on_dialed(const StatePtr& state, const env::HostPort& address,
                        std::expected<SimStreamPtr, DialFailure> outcome) {
    state->number = 0;
    if (outcome) {
      LearnerTap* tap = state->tap.on(static_cast<uint16_t>(address.port));
      return finish(state, std::make_unique<Stream>(std::move(*outcome), state->called, tap, state->host, true));
    }
    const bool refused = outcome.error() == DialFailure::Refused;
    note(*state, address, refused ? "refused" : "no answer", refused);
    next(state);
  }

  static void finish(const StatePtr& state,
                     std::expected<std::unique_ptr<env::PeerStream>, env::PeerDialFailure> outcome) {
    const Dialed done = std::exchange(state->done, nullptr);
    if (done == nullptr) return;
    const Hook called = state->called;
    done(std::move(outcome));
    (*called)();
  }

  static void note(State& state, const env::HostPort& address, std::string_view what, bool refused) {
    state.all_refused = state.all_refused && refused;
    state.detail += fmt::format("{}{}:{} {}", state.detail.empty() ? "" : ", ", address.host, address.port, what);
  }

  StatePtr state_;
};

FabricNetwork::FabricNetwork(Fabric& fabric, Agenda& agenda, HostId host, std::function<void()> called)
    : fabric_(fabric),
      agenda_(agenda),
      host_(host),
      called_(std::make_shared<std::function<void()>>(std::move(called))) {}

FabricNetwork::~FabricNetwork() = default;

std::unique_ptr<env::NetworkTask> FabricNetwork::dial(env::PeerDial request, Dialed done) {
  return std::make_unique<DialTask>(*this, std::move(request), std::move(done));
}

Result<std::unique_ptr<env::NetworkTask>> FabricNetwork::listen(const env::HostPort& address, Accepted accepted) {
  if (!address.host.empty() && address.host != "0.0.0.0" && fabric_.find(address.host) != host_) {
    return fail(Fault::Invalid, address.host + " is no address of this host");
  }
  const Address place{host_, address.port};
  LearnerTap* tap = tap_.on(address.port);
  const auto take = [accepted = std::move(accepted), called = called_, tap, host = host_](SimStreamPtr stream) {
    const Hook kept = called;
    accepted(std::make_unique<Stream>(std::move(stream), kept, tap, host, false));
    (*kept)();
  };
  const bool listens = fabric_.listen(place, take);
  if (!listens) return fail(Fault::Io, fmt::format("port {} is in use", address.port));
  return std::make_unique<Listener>(fabric_, place);
}

}  // namespace quorate::sim
