#pragma once
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "shell/env/network.h"

/// A network of a few hosts in memory, for tests of this room: everything arrives in the next turn, unless it is cut.
namespace quorate::node::testing {

class Lan {
 public:
  /// What one host sees of it.
  class Host final : public env::Network {
   public:
    Host(Lan& lan, std::string name) : lan_(lan), name_(std::move(name)) {}
    std::unique_ptr<env::NetworkTask> dial(env::PeerDial request, Dialed done) override {
      auto call = std::make_shared<Call>(Call{name_, request.addresses.front(), std::move(done)});
      lan_.calls_.push_back(call);
      return std::make_unique<Task>([call] { call->done = nullptr; });
    }
    Result<std::unique_ptr<env::NetworkTask>> listen(const env::HostPort& address, Accepted accepted) override {
      const std::string key = key_of(address);
      if (lan_.listeners_.contains(key)) return fail(Fault::Io, "the address is in use");
      lan_.listeners_[key] = std::move(accepted);
      return std::make_unique<Task>([&lan = lan_, key] { lan.listeners_.erase(key); });
    }

   private:
    Lan& lan_;
    std::string name_;
  };

  void cut(const std::string& host) { cut_.push_back(host); }
  void heal() { cut_.clear(); }
  /// So many connections to "host:port" are accepted, by nobody, and closed: something stands in front of it.
  void hang_up_on(const std::string& address, int times) { hang_ups_[address] = times; }
  /// False: there was nothing to be done.
  bool turn() {
    bool did = false;
    for (const auto& call : std::exchange(calls_, {})) did |= connect(call);
    const auto ends = ends_;
    for (const auto& weak : ends) {
      if (const auto end = weak.lock()) did |= tell(end);
    }
    std::erase_if(ends_, [](const auto& end) { return end.expired(); });
    return did;
  }
  size_t connections() const { return ends_.size() / 2; }

 private:
  struct End {
    std::string host;
    std::string incoming;
    bool ended = false;  ///< The other side has gone.
    bool readable_wanted = true;
    bool writable_wanted = false;
    std::weak_ptr<End> other;
    std::function<void()> readable, writable;
  };
  struct Call {
    std::string from;
    env::HostPort to;
    env::Network::Dialed done;
  };
  class Task final : public env::NetworkTask {
   public:
    explicit Task(std::function<void()> end) : end_(std::move(end)) {}
    ~Task() override { end_(); }

   private:
    std::function<void()> end_;
  };
  class Stream final : public env::PeerStream {
   public:
    explicit Stream(std::shared_ptr<End> end) : end_(std::move(end)) {}
    ~Stream() override {
      if (const auto other = end_->other.lock()) other->ended = true;
    }
    Result<size_t> receive(std::span<char> into) override {
      const size_t n = std::min(into.size(), end_->incoming.size());
      if (n == 0 && end_->ended) return fail(Fault::Closed, "");
      std::copy_n(end_->incoming.data(), n, into.data());
      end_->incoming.erase(0, n);
      return n;
    }
    Result<size_t> send(std::string_view bytes) override {
      const auto other = end_->other.lock();
      if (!other) return fail(Fault::Closed, "");
      const size_t room = kWindow - std::min(kWindow, other->incoming.size());
      other->incoming += bytes.substr(0, room);
      return std::min(room, bytes.size());
    }
    void want_writable(bool wanted) override { end_->writable_wanted = wanted; }
    void want_readable(bool wanted) override { end_->readable_wanted = wanted; }
    void reset() override {}
    void watch(Callback readable, Callback writable) override {
      end_->readable = std::move(readable);
      end_->writable = std::move(writable);
    }
    std::string peer_text() const override { return "/peer"; }

   private:
    std::shared_ptr<End> end_;
  };

  static constexpr size_t kWindow = 1 << 16;

  static std::string key_of(const env::HostPort& address) { return address.host + ":" + std::to_string(address.port); }
  bool is_cut(const std::string& host) const { return std::ranges::find(cut_, host) != cut_.end(); }
  bool connect(const std::shared_ptr<Call>& call) {
    if (call->done == nullptr) return false;
    if (is_cut(call->from) || is_cut(call->to.host)) {
      calls_.push_back(call);
      return false;
    }
    const auto done = std::exchange(call->done, nullptr);
    if (const auto hang_up = hang_ups_.find(key_of(call->to)); hang_up != hang_ups_.end() && hang_up->second > 0) {
      --hang_up->second;
      const auto here = std::make_shared<End>();
      here->host = call->from;
      here->ended = true;
      ends_.push_back(here);
      done(std::make_unique<Stream>(here));
      return true;
    }
    const auto listener = listeners_.find(key_of(call->to));
    if (listener == listeners_.end()) {
      done(std::unexpected(env::PeerDialFailure{true, "refused"}));
      return true;
    }
    const auto here = std::make_shared<End>();
    const auto there = std::make_shared<End>();
    here->host = call->from;
    there->host = call->to.host;
    here->other = there;
    there->other = here;
    ends_.insert(ends_.end(), {here, there});
    const auto accepted = listener->second;
    accepted(std::make_unique<Stream>(there));
    done(std::make_unique<Stream>(here));
    return true;
  }
  bool tell(const std::shared_ptr<End>& end) {
    const auto other = end->other.lock();
    if (is_cut(end->host) || (other && is_cut(other->host))) return false;
    bool did = false;
    if (end->readable && end->readable_wanted && (!end->incoming.empty() || end->ended)) {
      const auto call = end->readable;
      call();
      did = true;
    }
    if (end->writable && end->writable_wanted && other && other->incoming.size() < kWindow) {
      const auto call = end->writable;
      call();
      did = true;
    }
    return did;
  }

  std::vector<std::shared_ptr<Call>> calls_;
  std::map<std::string, env::Network::Accepted> listeners_;
  std::vector<std::weak_ptr<End>> ends_;
  std::vector<std::string> cut_;
  std::map<std::string, int> hang_ups_;
};

}  // namespace quorate::node::testing
