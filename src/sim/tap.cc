#include "sim/tap.h"

#include <algorithm>

#include "core/session/session_table.h"
#include "sim/answers.h"
#include "wire/client.h"

namespace quorate::sim {
namespace {

using wire::Code;
using wire::Op;

uint64_t hex(int64_t id) { return static_cast<uint64_t>(id); }

}  // namespace

void Tap::sent(std::string_view bytes) {
  observers_.trace.note(bytes);
  partial_.append(bytes);
  if (stranger_) return on_stranger();
  size_t at = 0;
  while (partial_.size() - at >= 4) {
    const size_t length = wire::load_be32(partial_.data() + at);
    if (partial_.size() - at - 4 < length) break;
    on_frame(std::string_view(partial_).substr(at + 4, length));
    at += 4 + length;
  }
  partial_.erase(0, at);
}

void Tap::on_stranger() {
  constexpr size_t kConnectResponseBytes = 36;
  if (partial_.size() < 4 + kConnectResponseBytes || wire::load_be32(partial_.data()) > 40) return;
  wire::Decoder in(std::string_view(partial_).substr(4));
  wire::ConnectResponse response;
  if (wire::decode(in, response) && response.time_out != 0) {
    observers_.verdict.fail("a stranger got session 0x{:x}", hex(response.session_id.value));
  }
}

void Tap::on_frame(std::string_view frame) {
  if (!connected_) return on_connect(frame);
  wire::Decoder in(frame);
  wire::ReplyHeader header;
  if (!wire::decode(in, header)) return observers_.verdict.fail("a reply without a header");
  observers_.trace.say("client {}: gets xid {} zxid {} err {}", client_, header.xid, header.zxid.value, header.err);
  if (header.xid == wire::kNotificationXid) return on_event(header.zxid.value, in.rest());
  if (header.xid == wire::kAuthXid) {
    if (header.err != 0 || auths_-- == 0) observers_.verdict.fail("client {}: auth was refused", client_);
    return;
  }
  on_reply(header, in.rest());
}

void Tap::on_connect(std::string_view frame) {
  wire::Decoder in(frame);
  wire::ConnectResponse response;
  if (!wire::decode(in, response)) return observers_.verdict.fail("a malformed ConnectResponse");
  connected_ = true;
  observers_.trace.say("client {}: session 0x{:x}, timeout {}", client_, hex(response.session_id.value),
                       response.time_out);
  if (response.time_out == 0) return on_refusal();
  const int64_t id = response.session_id.value;
  if (session_ != 0 && id != session_) {
    return observers_.verdict.fail("client {}: asked for session 0x{:x}, got 0x{:x}", client_, hex(session_), hex(id));
  }
  const auto found = observers_.history.model.sessions.find(id);
  if (found == observers_.history.model.sessions.end() || found->second.closed_zxid != 0) {
    return observers_.verdict.fail("client {}: got session 0x{:x}, which is not live", client_, hex(id));
  }
  if (!session::password_matches(response.session_id, response.passwd)) {
    observers_.verdict.fail("client {}: wrong password for session 0x{:x}", client_, hex(id));
  }
  if (response.time_out != timeout_ms_) {
    observers_.verdict.fail("client {}: timeout {} was granted, must be {}", client_, response.time_out, timeout_ms_);
  }
  observers_.history.acknowledged(found->second.created_zxid);
  found->second.used_timeout_ms = response.time_out;
  session_ = id;
}

void Tap::on_refusal() {
  if (session_ == 0) return observers_.verdict.fail("client {}: no new session was given", client_);
  const auto found = observers_.history.model.sessions.find(session_);
  if (found == observers_.history.model.sessions.end() || found->second.closed_zxid != 0) return;
  const SessionFact& session = found->second;
  if (observers_.clock.micros() - session.touched_at < int64_t{session.used_timeout_ms} * 1000) {
    observers_.verdict.fail("client {}: session 0x{:x} was refused, but it is live", client_, hex(session_));
  }
}

void Tap::on_event(int64_t zxid, std::string_view body) {
  wire::Decoder in(body);
  wire::WatcherEvent record;
  if (!wire::decode(in, record)) return observers_.verdict.fail("a malformed notification");
  const ExpectedEvent event{zxid, static_cast<wire::Event>(record.type), std::string(record.path)};
  observers_.trace.say("client {}: event {} on {}", client_, record.type, record.path);
  if (zxid == -1) {
    restored_.push_back(event);
    return;
  }
  observers_.history.acknowledged(zxid);
  if (observers_.verdict.failed()) return;
  twin_.advance(observers_.history, zxid, who_);
  if (twin_.owed().empty() || twin_.owed().front() != event) {
    return observers_.verdict.fail("client {}: event {} on {} at zxid {}, which {}", client_, record.type, record.path,
                                   zxid,
                                   twin_.owed().empty() ? "no watch waited for" : "is not the next one it waits for");
  }
  twin_.owed().pop_front();
}

void Tap::on_reply(const wire::ReplyHeader& header, std::string_view body) {
  if (owed_.empty() || owed_.front()->xid != header.xid) {
    return observers_.verdict.fail("client {}: reply with xid {}, but {} is next", client_, header.xid,
                                   owed_.empty() ? 0 : owed_.front()->xid);
  }
  const Request& request = *owed_.front();
  owed_.pop_front();
  if (request.unreadable) {
    return observers_.verdict.fail("client {}: xid {} in or behind a frame that is too long was answered", client_,
                                   header.xid);
  }
  observers_.history.acknowledged(header.zxid.value);
  if (header.zxid.value < last_zxid_) {
    observers_.verdict.fail("client {}: zxid went back from {} to {}", client_, last_zxid_, header.zxid.value);
  }
  last_zxid_ = header.zxid.value;
  if (observers_.verdict.failed()) return;
  settle(last_zxid_);
  const auto session = observers_.history.model.sessions.find(session_);
  if (session != observers_.history.model.sessions.end()) {
    session->second.touched_at = std::max(session->second.touched_at, request.sent_at);
  }
  is_write(request.op) ? check_write(request, header, body) : check_read(request, header, body);
}

void Tap::settle(int64_t zxid) {
  twin_.advance(observers_.history, zxid, who_);
  if (twin_.owed().empty()) return;
  const ExpectedEvent& event = twin_.owed().front();
  observers_.verdict.fail("client {}: event {} on {} of zxid {} did not come before zxid {} was shown", client_,
                          static_cast<int32_t>(event.type), event.path, event.zxid, zxid);
}

void Tap::check_write(const Request& request, const wire::ReplyHeader& header, std::string_view body) {
  if (header.zxid.value != request.logged_zxid) {
    return observers_.verdict.fail("client {}: xid {} was logged as zxid {}, its reply says {}", client_, header.xid,
                                   request.logged_zxid, header.zxid.value);
  }
  if (header.err != static_cast<int32_t>(request.expected)) {
    return observers_.verdict.fail("client {}: xid {} (op {} on {}) answers {}, must be {}", client_, header.xid,
                                   static_cast<int32_t>(request.op), request.ask.path, header.err,
                                   static_cast<int32_t>(request.expected));
  }
  if (body != request.expected_body) {
    observers_.verdict.fail("client {}: the result of xid {} (op {} on {}, zxid {}) is wrong", client_, header.xid,
                            static_cast<int32_t>(request.op), request.ask.path, header.zxid.value);
  }
}

void Tap::check_read(const Request& request, const wire::ReplyHeader& header, std::string_view body) {
  const bool for_watches =
      request.op == Op::SetWatches2 || request.op == Op::RemoveWatches || request.op == Op::CheckWatches;
  if (for_watches && !body.empty()) observers_.verdict.fail("client {}: xid {} has a body", client_, header.xid);
  if (request.op == Op::SetWatches2) return check_restored(request, header);
  if (!restored_.empty()) {
    return observers_.verdict.fail("client {}: xid {} comes behind events of a setWatches", client_, header.xid);
  }
  if (for_watches) return check_watch_request(request, header);
  const auto code = static_cast<Code>(header.err);
  const std::string wrong = wrong_read(observers_.history.model, request, last_zxid_, code, body);
  if (!wrong.empty()) {
    observers_.verdict.fail("client {}: xid {} (op {} on {}) at zxid {}: {}", client_, header.xid,
                            static_cast<int32_t>(request.op), request.ask.path, last_zxid_, wrong);
  }
  register_watch(request, code);
}

void Tap::check_restored(const Request& request, const wire::ReplyHeader& header) {
  const std::vector<ExpectedEvent> wanted = twin_.restore(observers_.history.model, request.lists, last_zxid_);
  if (restored_ != wanted || header.err != 0) {
    observers_.verdict.fail("client {}: setWatches at zxid {} told {} events, not the {} that are right", client_,
                            last_zxid_, restored_.size(), wanted.size());
  }
  restored_.clear();
}

void Tap::check_watch_request(const Request& request, const wire::ReplyHeader& header) {
  const bool there = request.op == Op::RemoveWatches ? twin_.remove(request.ask.path, request.mode)
                                                     : twin_.contains(request.ask.path, request.mode);
  const Code wanted = there ? Code::Ok : Code::NoWatcher;
  if (header.err != static_cast<int32_t>(wanted)) {
    observers_.verdict.fail("client {}: watches on {} of type {}: {}, must be {}", client_, request.ask.path,
                            request.mode, header.err, static_cast<int32_t>(wanted));
  }
}

void Tap::register_watch(const Request& request, Code code) {
  const std::string& path = request.ask.path;
  if (request.op == Op::AddWatch) {
    twin_.add_data(path, request.mode == 0 ? WatchTwin::kPersistent : WatchTwin::kRecursive);
    if (request.mode == 0) twin_.add_child(path, WatchTwin::kPersistent);
  }
  if (!request.watch) return;
  const bool for_missing = request.op == Op::Exists && code == Code::NoNode;
  if (code != Code::Ok && !for_missing) return;
  if (request.op == Op::Exists || request.op == Op::GetData) twin_.add_data(path, WatchTwin::kStandard);
  if (request.op == Op::GetChildren || request.op == Op::GetChildren2) twin_.add_child(path, WatchTwin::kStandard);
}

}  // namespace quorate::sim
