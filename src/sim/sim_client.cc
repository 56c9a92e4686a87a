#include "sim/sim_client.h"

#include <algorithm>
#include <utility>

#include "core/auth/digest.h"
#include "wire/client.h"

namespace quorate::sim {
namespace {

using wire::Code;
using wire::Op;

constexpr size_t kMostAwaited = 24;
constexpr size_t kLengthBytes = 4;
// What a frame of setWatches2 holds beside its paths.
constexpr size_t kSetWatchesBytes = 36;

}  // namespace

SimClient::SimClient(ClientWorld world, uint32_t number)
    : world_(std::move(world)), number_(number), timeout_ms_(world_.plan.session_timeout_ms) {
  if (!world_.rng.percent(50)) return;
  credentials_ = number % 2 == 0 ? "ann:apple" : "bob:pear";
  who_ = *auth::digest_id(credentials_, auth::find_digest("SHA1"));
}

int64_t SimClient::act() {
  if (gone_) return -1;
  if (link_ == nullptr && was_refused_) {
    // Nobody there: real clients wait before they try again, too.
    was_refused_ = false;
    return world_.rng.between(30'000, 600'000);
  }
  if (link_ == nullptr) {
    connect();
  } else if (lost_patience()) {
    hang_up(true);
  } else if (!connected_) {
    return pause();
  } else if (settling_) {
    if (awaited_.empty() && now() - last_sent_ > int64_t{timeout_ms_} * 250) ping();
  } else if (world_.rng.percent(1)) {
    return int64_t{timeout_ms_} * world_.rng.between(300, 2500);  // oversleeps
  } else if (!misbehave() && !closing_ && awaited_.size() < kMostAwaited) {
    send_burst();
  }
  flush();
  return pause();
}

/// Now and then it goes, in one way or another.
bool SimClient::misbehave() {
  const uint64_t draw = world_.rng.below(1000);
  if (draw < 20) {
    hang_up(draw < 12);
  } else if (draw < 28 && !closing_) {
    close_session();
  } else {
    return false;
  }
  return true;
}

void SimClient::close_session() {
  closing_ = true;
  Request request;
  request.op = request.ask.op = Op::CloseSession;
  send(std::move(request));
}

int64_t SimClient::pause() {
  const int64_t mean = world_.plan.mean_pause_us;
  const int64_t drawn = world_.rng.one_in(3) ? world_.rng.between(0, mean / 8) : world_.rng.between(mean / 2, mean * 2);
  return std::min<int64_t>(drawn, int64_t{timeout_ms_} * 300);
}

bool SimClient::lost_patience() const {
  const bool waits = !connected_ || !awaited_.empty();
  return waits && now() - std::max(last_heard_, last_sent_) > int64_t{timeout_ms_} * 667;
}

void SimClient::connect() {
  if (world_.rng.percent(world_.plan.stranger_percent)) send_stranger();
  const session::TimeoutLimits& limits = world_.plan.settings.replica.timeouts;
  const int32_t granted = std::clamp(timeout_ms_, limits.min_ms, limits.max_ms);
  link_ = &world_.network.connect(number_, Tap(world_.observers, number_, who_, session_, granted));
  world_.observers.trace.say("client {}: dials, link {}, session 0x{:x}", number_, link_->id,
                             static_cast<uint64_t>(session_));
  world_.dial(*link_);
  connected_ = false;
  closing_ = false;
  overdone_ = false;
  last_heard_ = now();
  send_connect();
  if (!credentials_.empty()) send_auth();
  if (session_ == 0) return;
  restore_watches();
  if (!settling_ && world_.rng.percent(40)) send_burst();
}

/// Somebody else on a connection of its own: a port scanner, a broken program, a guesser of passwords.
void SimClient::send_stranger() {
  Link& link = world_.network.connect(number_, Tap(world_.observers, number_, {}, 0, 0));
  link.tap.be_stranger();
  world_.dial(link);
  ByteBuffer bytes;
  wire::Encoder out(bytes);
  switch (world_.rng.below(5)) {
    case 0:
      out.raw("ruok");
      break;
    case 1:
      out.i32(static_cast<int32_t>(world_.rng.next()));
      break;
    case 2:
      out.i32(static_cast<int32_t>(world_.rng.below(60)));
      for (int i = 0; i < 9; ++i) out.i64(static_cast<int64_t>(world_.rng.next()));
      break;
    case 3:
      out.i32(45);
      wire::encode(out, wire::ConnectRequest{0, Zxid{0}, timeout_ms_, SessionId{session_ + 1}, "0123456789abcdef"});
      out.boolean(false);
      break;
    default:
      break;
  }
  if (!bytes.empty()) world_.network.client_sends(link, bytes.view());
  if (world_.rng.percent(50)) world_.network.client_closes(link);
}

void SimClient::send_connect() {
  const size_t at = out_.size();
  out_.grow(4);
  wire::Encoder out(out_);
  const std::string password = session_ == 0 ? std::string(16, '\0') : password_;
  wire::encode(out, wire::ConnectRequest{0, Zxid{last_zxid_}, timeout_ms_, SessionId{session_}, password});
  out.boolean(false);
  wire::store_be32(out_.data() + at, static_cast<uint32_t>(out_.size() - at - 4));
}

void SimClient::send_auth() {
  const size_t at = out_.size();
  out_.grow(4);
  wire::Encoder out(out_);
  out.i32(wire::kAuthXid);
  out.i32(static_cast<int32_t>(Op::Auth));
  wire::encode(out, wire::AuthRequest{0, "digest", credentials_});
  wire::store_be32(out_.data() + at, static_cast<uint32_t>(out_.size() - at - 4));
  link_->tap.expect_auth();
}

/// In as many requests as it takes for each to be short enough. A path that fits into none is given up.
void SimClient::restore_watches() {
  const auto room = static_cast<size_t>(world_.plan.settings.replica.max_frame_bytes) - kSetWatchesBytes;
  WatchLists lists;
  size_t bytes = 0;
  const auto send_lists = [&] {
    Request request;
    request.xid = wire::kSetWatchesXid;
    request.op = Op::SetWatches2;
    request.lists = std::exchange(lists, {});
    request.lists.seen_zxid = last_zxid_;
    bytes = 0;
    send(std::move(request));
  };
  const auto add = [&](const std::set<std::string>& paths, std::vector<std::string>& list) {
    for (const std::string& path : paths) {
      if (path.size() + kLengthBytes > room) continue;
      if (bytes + path.size() + kLengthBytes > room) send_lists();
      list.push_back(path);
      bytes += path.size() + kLengthBytes;
    }
  };
  add(watches_.data, lists.data);
  add(watches_.exist, lists.exist);
  add(watches_.child, lists.child);
  add(watches_.persistent, lists.persistent);
  add(watches_.recursive, lists.recursive);
  if (bytes > 0) send_lists();
}

void SimClient::send_burst() {
  for (int64_t count = world_.rng.one_in(6) ? world_.rng.between(5, 12) : world_.rng.between(1, 4); count > 0;
       --count) {
    if (world_.requests_left == 0) return;
    --world_.requests_left;
    send(world_.workload.next());
  }
}

void SimClient::ping() {
  Request request;
  request.xid = wire::kPingXid;
  request.op = Op::Ping;
  send(std::move(request));
}

void SimClient::send(Request request) {
  if (request.xid == 0) request.xid = next_xid_++;
  request.who = who_;
  request.session = session_;
  request.link = link_->id;
  request.sent_at = now();
  Request& kept = world_.observers.history.sent(std::move(request));
  world_.observers.trace.say("client {}: sends xid {} op {} {}", number_, kept.xid, static_cast<int32_t>(kept.op),
                             kept.ask.path);
  link_->tap.expect(&kept);
  awaited_.push_back(&kept);
  const size_t at = link_->sent_bytes + out_.size();
  encode_request(kept, out_);
  const size_t frame_bytes = link_->sent_bytes + out_.size() - at - kLengthBytes;
  if (!overdone_ && frame_bytes > static_cast<size_t>(world_.plan.settings.replica.max_frame_bytes)) {
    overdone_ = true;
    link_->unreadable_from = at + kLengthBytes;
    world_.observers.trace.hit(Rare::FrameTooLong);
  }
  kept.unreadable = overdone_;
}

void SimClient::flush() {
  if (link_ == nullptr || out_.empty()) return;
  world_.network.client_sends(*link_, out_.view());
  out_.clear();
  last_sent_ = now();
}

void SimClient::hang_up(bool politely) {
  world_.observers.trace.say("client {}: {}", number_, politely ? "hangs up" : "vanishes from its link");
  if (politely) {
    world_.network.client_closes(*link_);
  } else {
    link_->silent = true;
    link_->client_open = false;
  }
  forget_link();
}

void SimClient::forget_link() {
  was_refused_ = !connected_;
  link_ = nullptr;
  connected_ = false;
  partial_.clear();
  out_.clear();
  awaited_.clear();
  if (closing_) forget_session();
  closing_ = false;
}

void SimClient::forget_session() {
  session_ = 0;
  watches_ = {};
}

void SimClient::leave() {
  gone_ = true;
  if (link_ == nullptr) return;
  const uint64_t draw = world_.rng.below(3);
  if (draw < 2 || !connected_) return hang_up(draw == 0);
  close_session();
  flush();
}

void SimClient::on_chunk(Link& link, const Chunk& chunk) {
  if (&link != link_) return;
  last_heard_ = now();
  if (chunk.end) {
    world_.observers.trace.say("client {}: was hung up on", number_);
    return forget_link();
  }
  partial_ += chunk.bytes;
  size_t at = 0;
  while (link_ != nullptr && partial_.size() - at >= 4) {
    const size_t length = wire::load_be32(partial_.data() + at);
    if (partial_.size() - at - 4 < length) break;
    on_frame(std::string_view(partial_).substr(at + 4, length));
    at += 4 + length;
  }
  partial_.erase(0, at);
}

void SimClient::on_frame(std::string_view frame) {
  if (!connected_) return on_connected(frame);
  wire::Decoder in(frame);
  wire::ReplyHeader header;
  wire::decode(in, header);
  if (header.xid == wire::kNotificationXid) return on_event(in.rest());
  if (header.xid == wire::kAuthXid || awaited_.empty()) return;
  const Request& request = *awaited_.front();
  awaited_.pop_front();
  if (header.zxid.value > 0) last_zxid_ = header.zxid.value;
  on_reply(request, header.err);
}

void SimClient::on_connected(std::string_view frame) {
  wire::Decoder in(frame);
  wire::ConnectResponse response;
  wire::decode(in, response);
  connected_ = true;
  if (response.time_out == 0) return forget_session();
  session_ = response.session_id.value;
  password_ = response.passwd;
  timeout_ms_ = response.time_out;
}

void SimClient::on_reply(const Request& request, int32_t err) {
  const std::string& path = request.ask.path;
  if (request.op == Op::CloseSession) return;
  if (request.op == Op::RemoveWatches && err == 0) {
    // Forgetting more than was removed is allowed: a client need not restore a watch.
    for (auto* set : {&watches_.data, &watches_.exist, &watches_.child, &watches_.persistent, &watches_.recursive}) {
      set->erase(path);
    }
  }
  if (request.op == Op::AddWatch && err == 0) {
    (request.mode == 0 ? watches_.persistent : watches_.recursive).insert(path);
  }
  if (!request.watch) return;
  const bool missing = err == static_cast<int32_t>(Code::NoNode);
  if (request.op == Op::Exists && missing) watches_.exist.insert(path);
  if (err != 0) return;
  if (request.op == Op::Exists || request.op == Op::GetData) watches_.data.insert(path);
  if (request.op == Op::GetChildren || request.op == Op::GetChildren2) watches_.child.insert(path);
}

void SimClient::on_event(std::string_view body) {
  wire::Decoder in(body);
  wire::WatcherEvent event;
  wire::decode(in, event);
  const std::string path(event.path);
  const auto type = static_cast<wire::Event>(event.type);
  if (type != wire::Event::ChildrenChanged) {
    watches_.data.erase(path);
    watches_.exist.erase(path);
  }
  if (type == wire::Event::ChildrenChanged || type == wire::Event::Deleted) watches_.child.erase(path);
}

}  // namespace quorate::sim
