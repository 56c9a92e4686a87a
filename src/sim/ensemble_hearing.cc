#include <algorithm>
#include <utility>

#include "sim/ensemble_client.h"
#include "wire/client.h"

/// What a client hears, written down for the judges.
namespace quorate::sim {
namespace {

using wire::Code;
using wire::Op;

WatchTold::What what_of(wire::Event event) {
  switch (event) {
    case wire::Event::Created:
      return WatchTold::What::Created;
    case wire::Event::Deleted:
      return WatchTold::What::Deleted;
    case wire::Event::DataChanged:
      return WatchTold::What::DataChanged;
    case wire::Event::ChildrenChanged:
      break;
  }
  return WatchTold::What::ChildrenChanged;
}

constexpr size_t kMostLeftBehind = 4;

bool of_children(Op op) { return op == Op::GetChildren || op == Op::GetChildren2; }

}  // namespace

void EnsembleClient::on_frame(std::string_view frame) {
  if (!connected_) return on_connected(frame);
  wire::Decoder in(frame);
  wire::ReplyHeader header;
  if (!wire::decode(in, header)) return world_.verdict.fail("client {}: a reply without a header", number_);
  world_.trace.say("client {}: hears xid {} zxid 0x{:x} err {}", number_, header.xid, header.zxid.value, header.err);
  if (header.zxid.value > last_zxid_) last_zxid_ = header.zxid.value;
  if (header.xid == wire::kNotificationXid) return on_event(header, in.rest());
  if (awaited_.empty() || awaited_.front().request.xid != header.xid) {
    return world_.verdict.fail("client {}: an answer to xid {}, which is not the next", number_, header.xid);
  }
  const Awaited awaited = std::move(awaited_.front());
  awaited_.pop_front();
  on_answer(awaited, header, in.rest());
}

void EnsembleClient::on_connected(std::string_view frame) {
  wire::Decoder in(frame);
  wire::ConnectResponse response;
  if (!wire::decode(in, response)) return world_.verdict.fail("client {}: a malformed ConnectResponse", number_);
  world_.trace.say("client {}: session 0x{:x} on server {}, timeout {}", number_, response.session_id.value, server_,
                   response.time_out);
  if (response.time_out == 0) {
    if (session_ == 0) return world_.verdict.fail("client {}: no new session was given", number_);
    world_.record.hit(EnsembleEvent::SessionExpired);
    ++expiries_;
    awaited_.clear();
    forget_session();
    return forget_connection();
  }
  const int64_t session = response.session_id.value;
  if (session_ != 0 && session != session_) {
    return world_.verdict.fail("client {}: asked for session 0x{:x}, got 0x{:x}", number_, session_, session);
  }
  if (session_ != 0) world_.record.hit(EnsembleEvent::SessionRenewedElsewhere);
  connected_ = true;
  session_ = session;
  password_ = response.passwd;
  timeout_ms_ = response.time_out;
  const uint64_t order = world_.record.next_order();
  const auto [made, epoch] = world_.record.let_in(stream_->number());
  world_.record.history().attached.push_back({session_, connection_, order, made, epoch});
  if (!restoring_) return;
  world_.record.hit(EnsembleEvent::WatchesRestored);
  for (const std::string& path : watches_.data) note_watch(path, false, relative_zxid_, order);
  for (const std::string& path : watches_.child) note_watch(path, true, relative_zxid_, order);
}

void EnsembleClient::note_watch(const std::string& path, bool children, int64_t zxid, uint64_t order) {
  world_.record.history().watches.push_back({session_, connection_, order, zxid, path, children});
}

void EnsembleClient::on_event(const wire::ReplyHeader& header, std::string_view body) {
  wire::Decoder in(body);
  wire::WatcherEvent event;
  if (!wire::decode(in, event)) return world_.verdict.fail("client {}: a malformed notification", number_);
  const std::string path(event.path);
  const auto type = static_cast<wire::Event>(event.type);
  world_.trace.say("client {}: event {} on {}", number_, event.type, path);
  if (header.zxid.value <= 0) {
    // A deletion that was missed is told for the list of each kind, and once counts.
    if (type == wire::Event::Deleted && !told_deleted_.insert(path).second) return;
    if (type == wire::Event::Created && told_created_.insert(path).second && watches_.exist.contains(path)) {
      // The server saw it there: it came to be behind what the client had seen.
      note_watch(path, false, relative_zxid_, world_.record.next_order());
    }
  }
  world_.record.history().events.push_back(
      {session_, connection_, world_.record.next_order(), header.zxid.value, path, what_of(type)});
  if (type != wire::Event::ChildrenChanged) {
    watches_.data.erase(path);
    watches_.exist.erase(path);
  }
  if (type == wire::Event::ChildrenChanged || type == wire::Event::Deleted) watches_.child.erase(path);
}

void EnsembleClient::on_answer(const Awaited& awaited, const wire::ReplyHeader& header, std::string_view body) {
  const Request& request = awaited.request;
  const uint64_t order = world_.record.next_order();
  if (header.err == static_cast<int32_t>(Code::SessionMoved)) {
    return world_.verdict.fail("client {}: xid {} is answered with \"session moved\"", number_, header.xid);
  }
  const auto code = static_cast<Code>(header.err);
  if (code == Code::SessionExpired || code == Code::UnknownSession) {
    world_.record.told_expired(session_, header.zxid.value);
  }
  if (request.op == Op::SetWatches2) on_restored(request, header, order);
  if (awaited.place == SIZE_MAX) return;
  ++answers_;
  last_code_ = header.err;
  ClientRequest& fact = world_.record.history().requests[awaited.place];
  fact.order = order;
  fact.zxid = header.zxid.value;
  fact.succeeded = header.err == 0;
  if (fact.is_write) world_.record.acknowledged(fact.zxid);
  if (request.op == Op::Sync && fact.succeeded) check_sync(awaited, fact.zxid);
  if (settling_ && proving_ && is_create(request.op)) proven_ = true;
  if (request.op == Op::CloseSession) {
    closing_ = false;
    forget_session();
    return forget_connection();
  }
  if (!fact.is_write) take_read(request, header.err, wire::Decoder(body), fact);
  if (is_create(request.op) && header.err == 0) take_created(request, wire::Decoder(body));
  if (request.watch) take_watch(request, header, order);
}

/// As long as the leader is the same, a sync comes up to all that anybody had been told when it was asked for.
void EnsembleClient::check_sync(const Awaited& awaited, int64_t zxid) {
  const auto now = world_.record.sync_floor(server_);
  if (!awaited.floor || !now || awaited.floor->epoch != now->epoch || zxid >= awaited.floor->zxid) return;
  world_.verdict.fail("client {}: a sync is answered at 0x{:x}, but 0x{:x} had been acknowledged before", number_, zxid,
                      awaited.floor->zxid);
}

/// Whatever comes there, it is not that the session has moved.
void EnsembleClient::watch_left_behind(SimStreamPtr stream) {
  auto left = std::make_shared<LeftBehind>(LeftBehind{std::move(stream), std::exchange(partial_, {})});
  left->stream->watch(
      [this, left = std::weak_ptr(left)] {
        const auto kept = left.lock();
        char bytes[4096];
        const auto count = kept->stream->receive(bytes);
        if (!count) return kept->stream->want_readable(false);
        kept->partial.append(bytes, *count);
        while (kept->partial.size() >= 20) {
          const size_t length = wire::load_be32(kept->partial.data());
          if (kept->partial.size() - 4 < length) return;
          const auto code = static_cast<Code>(wire::load_be32(kept->partial.data() + 16));
          if (code == Code::SessionMoved) world_.verdict.fail("client {}: is told that its session has moved", number_);
          kept->partial.erase(0, 4 + length);
        }
      },
      [] {});
  left->stream->want_writable(false);
  left_behind_.push_back(std::move(left));
  if (left_behind_.size() > kMostLeftBehind) left_behind_.erase(left_behind_.begin());
}

void EnsembleClient::on_restored(const Request& request, const wire::ReplyHeader& header, uint64_t order) {
  restoring_ = false;
  if (header.err != 0) return world_.verdict.fail("client {}: watches are refused with {}", number_, header.err);
  for (const std::string& path : request.lists.exist) {
    if (!told_created_.contains(path)) note_watch(path, false, header.zxid.value, order);
  }
}

void EnsembleClient::take_created(const Request& request, wire::Decoder in) {
  const std::string path(in.view());
  if (path != request.ask.path) asks_.learn_name(path);
}

void EnsembleClient::take_read(const Request& request, int32_t err, wire::Decoder in, ClientRequest& fact) {
  const std::string& path = request.ask.path;
  const bool reads = request.op == Op::GetData || request.op == Op::Exists || of_children(request.op);
  if (!reads) return;
  if (err == static_cast<int32_t>(Code::NoNode)) return fact.seen.push_back({path, std::nullopt, std::nullopt});
  if (err != 0) return;
  if (of_children(request.op)) {
    std::vector<std::string> names;
    wire::StringVector::take(in).each([&](const wire::StringItem& item) { names.emplace_back(item.text); });
    std::ranges::sort(names);
    return fact.seen.push_back({path, std::nullopt, std::move(names)});
  }
  const std::string_view data = request.op == Op::GetData ? in.view() : std::string_view();
  wire::Stat stat;
  if (!wire::decode(in, stat)) return world_.verdict.fail("client {}: an answer without a stat", number_);
  fact.seen.push_back({path, shown(stat.mzxid, stat.version), std::nullopt});
  if (request.op == Op::GetData) world_.record.read_data(path, stat.mzxid, data);
  asks_.learn_version(path, stat.version);
}

void EnsembleClient::take_watch(const Request& request, const wire::ReplyHeader& header, uint64_t order) {
  const std::string& path = request.ask.path;
  const bool missing = header.err == static_cast<int32_t>(Code::NoNode);
  if (header.err != 0 && !(missing && request.op == Op::Exists)) return;
  note_watch(path, of_children(request.op), header.zxid.value, order);
  if (of_children(request.op)) {
    watches_.child.insert(path);
  } else {
    (missing ? watches_.exist : watches_.data).insert(path);
  }
}

}  // namespace quorate::sim
