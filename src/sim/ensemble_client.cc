#include "sim/ensemble_client.h"

#include <algorithm>
#include <utility>

#include "wire/client.h"

namespace quorate::sim {
namespace {

using wire::Op;

constexpr size_t kMostAwaited = 16;
constexpr int64_t kMicros = 1000;

}  // namespace

EnsembleClient::EnsembleClient(EnsembleClientWorld world, uint32_t number, HostId host)
    : world_(world),
      number_(number),
      host_(host),
      asks_(world.rng, number),
      timeout_ms_(world.plan.session_timeout_ms) {
  last_server_ = 1 + static_cast<uint32_t>(world_.rng.below(world_.plan.servers));
}

void EnsembleClient::start() {
  world_.agenda.in(world_.rng.between(0, 50'000), [this] {
    const int64_t pause_us = act();
    if (pause_us < 0) return;
    world_.agenda.in(pause_us, [this] { start(); });
  });
}

/// Does what comes next; returns when to be called again.
int64_t EnsembleClient::act() {
  if (gone_) {
    if (stream_ != nullptr && lost_patience()) hang_up(true);
    return stream_ == nullptr ? -1 : pause();
  }
  if (stream_ == nullptr) {
    if (dial_ == 0 && (settling_ || !world_.plan.idle_clients)) try_next_server();
    return pause();
  }
  if (lost_patience()) {
    hang_up(true);
  } else if (!connected_) {
    return pause();
  } else if (world_.plan.idle_clients || settling_) {
    if (settling_ && !proven_ && !proving_) {
      proving_ = true;
      send(asks_.read(Op::Sync, "/"));
      send(asks_.create("/c"));
    }
    if (awaited_.empty() && world_.agenda.now() - last_sent_ > int64_t{timeout_ms_} * 300) ping();
  } else if (world_.rng.below(100) < world_.plan.vanish_percent) {
    hang_up(world_.rng.percent(50));
  } else if (world_.rng.one_in(300) && !closing_) {
    closing_ = true;
    Request request;
    request.op = request.ask.op = Op::CloseSession;
    send(std::move(request));
  } else if (!closing_ && awaited_.size() < kMostAwaited) {
    send_burst();
  }
  flush();
  return pause();
}

int64_t EnsembleClient::pause() {
  const int64_t mean = settling_ || world_.plan.idle_clients ? 50'000 : world_.plan.mean_pause_us;
  const int64_t drawn = world_.rng.one_in(3) ? world_.rng.between(0, mean / 8) : world_.rng.between(mean / 2, mean * 2);
  return std::min<int64_t>(drawn, int64_t{timeout_ms_} * 200);
}

bool EnsembleClient::lost_patience() const {
  const bool waits = !connected_ || !awaited_.empty();
  return waits && world_.agenda.now() - std::max(last_heard_, last_sent_) > int64_t{timeout_ms_} * 667;
}

void EnsembleClient::try_next_server() { connect_to(last_server_ % world_.plan.servers + 1); }

void EnsembleClient::connect_to(uint32_t server) {
  last_server_ = server;
  world_.trace.say("client {}: dials server {}, session 0x{:x}", number_, server, session_);
  const int64_t patience = std::max<int64_t>(int64_t{timeout_ms_} * kMicros / world_.plan.servers, 20'000);
  dial_ = world_.fabric.dial(host_, {host_of(server), kClientPort}, patience, [this, server](auto outcome) {
    dial_ = 0;
    if (!outcome || gone_) return;
    server_ = server;
    dialed(std::move(*outcome));
  });
}

void EnsembleClient::dialed(SimStreamPtr stream) {
  stream_ = std::move(stream);
  stream_->watch([this] { on_readable(); }, [this] { flush(); });
  stream_->want_writable(false);
  connected_ = closing_ = false;
  last_heard_ = last_sent_ = world_.agenda.now();
  ++connection_;
  send_connect();
  restore_watches();
  // No writes: were this attempt confirmed long after the client has gone elsewhere, they would be carried out then.
  if (session_ != 0 && !settling_ && !world_.plan.idle_clients && world_.rng.percent(40)) send(asks_.next_read());
  flush();
}

void EnsembleClient::send_connect() {
  const size_t at = out_.size();
  out_.grow(4);
  wire::Encoder out(out_);
  const std::string password = session_ == 0 ? std::string(16, '\0') : password_;
  wire::encode(out, wire::ConnectRequest{0, Zxid{last_zxid_}, timeout_ms_, SessionId{session_}, password});
  out.boolean(reads_only_);
  wire::store_be32(out_.data() + at, static_cast<uint32_t>(out_.size() - at - 4));
}

void EnsembleClient::restore_watches() {
  told_created_.clear();
  told_deleted_.clear();
  restoring_ = session_ != 0 && !watches_.empty();
  if (!restoring_) return;
  relative_zxid_ = last_zxid_;
  Request request;
  request.xid = wire::kSetWatchesXid;
  request.op = request.ask.op = Op::SetWatches2;
  request.lists.seen_zxid = last_zxid_;
  request.lists.data.assign(watches_.data.begin(), watches_.data.end());
  request.lists.exist.assign(watches_.exist.begin(), watches_.exist.end());
  request.lists.child.assign(watches_.child.begin(), watches_.child.end());
  send(std::move(request));
}

void EnsembleClient::send_burst() {
  const int64_t count = world_.rng.one_in(6) ? world_.rng.between(4, 10) : world_.rng.between(1, 3);
  for (int64_t i = 0; i < count; ++i) send(asks_.next());
}

void EnsembleClient::ping() {
  Request request;
  request.xid = wire::kPingXid;
  request.op = request.ask.op = Op::Ping;
  send(std::move(request));
}

void EnsembleClient::send(Request request) {
  Awaited awaited{std::move(request), SIZE_MAX};
  if (awaited.request.op == Op::Sync) awaited.floor = world_.record.sync_floor(server_);
  if (awaited.request.xid == 0) {
    awaited.request.xid = next_xid_++;
    ClientRequest fact;
    fact.session = session_;
    fact.connection = connection_;
    fact.number = static_cast<uint32_t>(awaited.request.xid);
    fact.is_write = is_write(awaited.request.op);
    awaited.place = world_.record.history().requests.size();
    world_.record.history().requests.push_back(std::move(fact));
  }
  world_.trace.say("client {}: asks xid {} op {} {}", number_, awaited.request.xid,
                   static_cast<int32_t>(awaited.request.op), awaited.request.ask.path);
  encode_request(awaited.request, out_);
  awaited_.push_back(std::move(awaited));
}

void EnsembleClient::flush() {
  if (stream_ == nullptr || out_.empty()) return;
  const auto sent = stream_->send(out_.view());
  if (!sent) return forget_connection();
  if (*sent > 0) last_sent_ = world_.agenda.now();
  std::string rest(out_.view().substr(*sent));
  out_.clear();
  out_.append(rest);
  stream_->want_writable(!out_.empty());
}

void EnsembleClient::hang_up(bool politely) {
  world_.trace.say("client {}: {}", number_, politely ? "hangs up" : "leaves its connection behind");
  if (!politely && stream_ != nullptr) {
    connected_ ? watch_left_behind(std::move(stream_)) : stream_.reset();
  }
  if (dial_ != 0) world_.fabric.forget_dial(std::exchange(dial_, 0));
  forget_connection();
}

void EnsembleClient::forget_connection() {
  if (stream_ != nullptr || connected_) ++losses_;
  stream_.reset();
  connected_ = restoring_ = proving_ = false;
  partial_.clear();
  out_.clear();
  if (std::ranges::any_of(awaited_, [](const Awaited& one) { return one.place != SIZE_MAX; })) {
    world_.record.hit(EnsembleEvent::OutcomeUnknown);
  }
  awaited_.clear();
  if (std::exchange(closing_, false)) forget_session();
}

void EnsembleClient::forget_session() {
  session_ = 0;
  connection_ = 0;
  next_xid_ = 1;
  last_zxid_ = 0;
  watches_ = {};
}

void EnsembleClient::settle_down() {
  settling_ = true;
  proven_ = proving_ = false;
}

void EnsembleClient::leave() {
  gone_ = true;
  if (dial_ != 0) world_.fabric.forget_dial(std::exchange(dial_, 0));
  left_behind_.clear();
  if (stream_ == nullptr) return;
  if (!connected_ || world_.rng.percent(50)) return hang_up(true);
  closing_ = true;
  Request request;
  request.op = request.ask.op = Op::CloseSession;
  send(std::move(request));
  flush();
}

void EnsembleClient::on_readable() {
  char bytes[4096];
  for (;;) {
    const auto count = stream_->receive(bytes);
    if (!count) {
      world_.trace.say("client {}: was hung up on", number_);
      return forget_connection();
    }
    if (*count == 0) break;
    last_heard_ = world_.agenda.now();
    partial_.append(bytes, *count);
  }
  size_t at = 0;
  while (stream_ != nullptr && partial_.size() - at >= 4) {
    const size_t length = wire::load_be32(partial_.data() + at);
    if (partial_.size() - at - 4 < length) break;
    const std::string frame = partial_.substr(at + 4, length);
    at += 4 + length;
    on_frame(frame);
  }
  if (stream_ != nullptr) partial_.erase(0, at);
}

}  // namespace quorate::sim
