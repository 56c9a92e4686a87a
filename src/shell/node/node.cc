#include "shell/node/node.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace quorate::node {
namespace {

// One receive takes this much; a busy client's pipeline fits many times over.
constexpr size_t kScratchBytes = 256 << 10;
// A client that lets more than this pile up is not read from until it has taken some.
constexpr size_t kOutLimitBytes = 4 << 20;
// A client that keeps sending does not keep the others waiting.
constexpr int kReceivesPerTurn = 4;

}  // namespace

Node::Node(const World& world, NodeSettings settings)
    : disk_(world.disk),
      clock_(world.clock),
      settings_(std::move(settings)),
      log_(disk_, clock_, settings_.log, settings_.sync_warning),
      background_(disk_, clock_, settings_),
      started_(clock_.now()),
      scratch_(kScratchBytes) {}

Node::~Node() = default;

void Node::set_now() { ensemble_ ? void(ensemble_->wake()) : replica_->set_now(clock_.now()); }

Client* Node::accept(std::unique_ptr<env::Stream> stream, replica::PeerAddress peer) {
  const LinkSettings& limits = settings_.links;
  int32_t& from_there = per_address_[peer.ip];
  const bool total_reached = limits.max_total > 0 && clients_.size() >= static_cast<size_t>(limits.max_total);
  if (ensemble_ && ensemble_->member().ending()) {
    if (from_there == 0) per_address_.erase(peer.ip);
    stream->reset();
    return nullptr;
  }
  if (total_reached || (limits.max_per_address > 0 && from_there >= limits.max_per_address)) {
    ++replica().stats().connection_rejected;
    lines_.push_back(
        {Level::Warn, "NIOServerCnxnFactory",
         total_reached
             ? fmt::format("Error accepting new connection: Too many connections max allowed is {}", limits.max_total)
             : fmt::format("Error accepting new connection: Too many connections from /{} - max is {}", peer.ip,
                           limits.max_per_address)});
    if (from_there == 0) per_address_.erase(peer.ip);
    stream->reset();
    return nullptr;
  }
  ++from_there;
  auto owned = std::make_unique<Client>(std::move(stream), settings_.replica.max_frame_bytes);
  Client* client = owned.get();
  client->connection = &replica().open(std::move(peer));
  client->connection->shell = client;
  client->last_io = now().monotonic;
  clients_.emplace(client, std::move(owned));
  return client;
}

void Node::on_readable(Client& client) {
  for (int turn = 0; turn < kReceivesPerTurn; ++turn) {
    const auto received = client.link.receive(scratch_);
    if (!received) return on_gone(client);
    if (*received == 0) return;
    client.last_io = now().monotonic;
    consume(client);
    // A short receive emptied the socket; asking again would cost a call for nothing.
    if (*received < scratch_.size() || !client.readable_wanted) return;
  }
}

void Node::consume(Client& client) {
  replica::Connection& connection = *client.connection;
  if (connection.phase == replica::Phase::New && answer_word(client)) return update_interest(client);
  std::string_view frame;
  client.held = false;
  while (connection.accepts_frames()) {
    // A small request may have a large answer: one receive full of them must not be answered at once.
    client.held = connection.out.size() > kOutLimitBytes;
    if (client.held) break;
    const net::Inbound inbound = client.link.next(frame);
    if (inbound == net::Inbound::None) break;
    if (inbound == net::Inbound::BadLength) {
      refuse_length(client);
      break;
    }
    replica().on_frame(connection, frame);
  }
  client.link.settle();
  update_interest(client);
}

bool Node::answer_word(Client& client) {
  const auto opening = client.link.peek(4);
  if (!opening) return false;
  const size_t length = admin::word_length(*opening);
  if (length == 0) return false;
  const auto word = client.link.peek(length);
  if (!word) {
    client.link.settle();
    return true;
  }
  replica::Connection& connection = *client.connection;
  ++connection.stats.received;
  ++replica().stats().packets_received;
  connection.out.append(word_answer(client, *word));
  ++connection.stats.sent;
  ++replica().stats().packets_sent;
  replica().close(connection);
  replica().outbox().closes.push_back(&connection);
  return true;
}

void Node::refuse_length(Client& client) {
  replica::Connection& connection = *client.connection;
  lines_.push_back(
      {Level::Warn, "NIOServerCnxn",
       fmt::format("Close of session 0x{:x}: Len error. A message from {} with advertised length of {} is either a "
                   "malformed message or too large to process (length is greater than jute.maxbuffer={})",
                   static_cast<uint64_t>(connection.session.value), connection.remote_text, client.link.bad_length(),
                   settings_.replica.max_frame_bytes)});
  on_hangup(client);
}

void Node::on_gone(Client& client) {
  const replica::Connection& connection = *client.connection;
  if (connection.phase == replica::Phase::Live) {
    lines_.push_back({Level::Info, "NIOServerCnxn",
                      fmt::format("Unable to read additional data from client, it probably closed the socket: "
                                  "address = {}, session = 0x{:x}",
                                  connection.remote_text, static_cast<uint64_t>(connection.session.value))});
  }
  on_hangup(client);
}

void Node::on_hangup(Client& client) {
  if (client.connection->phase == replica::Phase::Closed) return;
  replica().close(*client.connection);
  client.connection->out.clear();
  replica().outbox().closes.push_back(client.connection);
}

void Node::on_writable(Client& client) { send(client); }

void Node::flush() {
  do {
    flush_clients();
  } while (ensemble_ && ensemble_->flush());
  collect_lines();
}

void Node::flush_clients() {
  open_gates();
  replica::Outbox& outbox = replica().outbox();
  for (size_t i = 0; i < outbox.dirty.size(); ++i) {
    outbox.dirty[i]->dirty = false;
    send(*static_cast<Client*>(outbox.dirty[i]->shell));
  }
  outbox.dirty.clear();
  close_listed();
  collect_lines();
}

bool Node::walking() const {
  return walking_ || !replica().outbox().gates.empty() || (ensemble_ && ensemble_->walking());
}

void Node::open_gates() {
  replica::Outbox& outbox = replica().outbox();
  // Frames that waited behind a gate may open or close others: the list grows while it is walked.
  for (size_t i = 0; i < outbox.gates.size(); ++i) {
    if (outbox.gates[i]->phase != replica::Phase::Closed) consume(*static_cast<Client*>(outbox.gates[i]->shell));
  }
  outbox.gates.clear();
}

void Node::send(Client& client) {
  const auto emptied = transmit(client);
  if (!emptied) return on_hangup(client);
  client.busy_lately = true;
  if (!std::exchange(client.warm, true)) warm_.push_back(&client);
  if (client.held && client.connection->out.size() <= kOutLimitBytes) {
    client.held = false;
    replica().outbox().gates.push_back(client.connection);
  }
  update_interest(client);
}

/// True: nothing is left to be sent.
Result<bool> Node::transmit(Client& client) {
  ByteBuffer& out = client.connection->out;
  const size_t before = out.size();
  const auto emptied = client.link.send(out);
  if (!emptied) return emptied;
  if (out.size() < before) client.last_io = now().monotonic;
  if (client.writable_wanted == *emptied) {
    client.writable_wanted = !*emptied;
    client.stream->want_writable(client.writable_wanted);
  }
  return emptied;
}

void Node::update_interest(Client& client) {
  const replica::Connection& connection = *client.connection;
  const bool wanted = connection.accepts_frames() && !client.held && connection.out.size() <= kOutLimitBytes;
  if (wanted == client.readable_wanted) return;
  client.readable_wanted = wanted;
  client.stream->want_readable(wanted);
}

void Node::close_listed() {
  replica::Outbox& outbox = replica().outbox();
  std::vector<replica::Connection*> still_sending;
  const bool ending = ensemble_ && ensemble_->member().ending();
  const std::vector<replica::Connection*> listed = std::exchange(outbox.closes, {});
  for (replica::Connection* connection : listed) {
    Client& client = *static_cast<Client*>(connection->shell);
    const auto emptied = transmit(client);
    if (emptied && !*emptied && !ending) {
      still_sending.push_back(connection);
    } else {
      drop(client);
    }
  }
  outbox.closes.insert(outbox.closes.end(), still_sending.begin(), still_sending.end());
}

void Node::drop(Client& client) {
  replica::Connection& connection = *client.connection;
  const auto from_there = per_address_.find(connection.remote_ip);
  if (--from_there->second == 0) per_address_.erase(from_there);
  if (client.warm) std::erase(warm_, &client);
  replica().release(connection);
  clients_.erase(&client);
}

void Node::collect_lines() {
  for (LogLine& line : background_.take_lines()) lines_.push_back(std::move(line));
  for (LogLine& line : replica().outbox().lines) lines_.push_back(std::move(line));
  replica().outbox().lines.clear();
  if (!ensemble_) return;
  for (LogLine& line : ensemble_->take_lines()) lines_.push_back(std::move(line));
}

std::vector<LogLine> Node::take_lines() { return std::exchange(lines_, {}); }

}  // namespace quorate::node
