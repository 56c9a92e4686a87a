#include "sim/network.h"

#include <algorithm>

namespace quorate::sim {

class Network::ServerEnd final : public env::Stream {
 public:
  ServerEnd(Network& network, Link& link) : network_(network), link_(link) { link_.server_open = true; }
  ~ServerEnd() override {
    link_.server_open = false;
    link_.node_client = nullptr;
    link_.tap.closed();
    // A node that goes closes all at once, in no order that a run could rely on.
    if (!network_.server_goes_) network_.end_for_client(link_);
  }

  Result<size_t> receive(std::span<char> into) override {
    size_t count = std::min(into.size(), link_.arrived.size() - link_.read);
    if (count == 0) {
      if (link_.peer_ended) return fail(Fault::Closed, "the peer has closed");
      return size_t{0};
    }
    if (network_.rng_.one_in(8)) count = 1 + network_.rng_.below(count);
    std::copy_n(link_.arrived.data() + link_.read, count, into.data());
    link_.read += count;
    link_.received_bytes += count;
    if (link_.read == link_.arrived.size()) {
      link_.arrived.clear();
      link_.read = 0;
    }
    return count;
  }

  Result<size_t> send(std::string_view bytes) override {
    const size_t room = link_.window - std::min(link_.window, link_.bytes_to_client);
    const size_t count = std::min(room, bytes.size());
    if (count == 0) return size_t{0};
    link_.tap.sent(bytes.substr(0, count));
    network_.send_to_client(link_, {std::string(bytes.substr(0, count)), false});
    return count;
  }

  void want_writable(bool wanted) override { link_.wants_writable = wanted; }
  void want_readable(bool wanted) override { link_.wants_readable = wanted; }
  void reset() override {}

 private:
  Network& network_;
  Link& link_;
};

Link& Network::connect(uint32_t client, Tap tap) {
  links_.push_back(std::make_unique<Link>(static_cast<uint32_t>(links_.size()), client, std::move(tap)));
  Link& link = *links_.back();
  link.base_delay = rng_.percent(80) ? rng_.between(20, 2000) : rng_.between(2000, 60000);
  if (rng_.percent(15)) link.window = static_cast<size_t>(rng_.between(64, 3000));
  return link;
}

int64_t Network::arrival(const Link& link, int64_t last) {
  const int64_t jitter = rng_.between(0, link.base_delay);
  const int64_t hiccup = rng_.one_in(50) ? rng_.between(0, 500'000) : 0;
  return std::max(last + 1, now_ + link.base_delay + jitter + hiccup);
}

void Network::client_sends(Link& link, std::string_view bytes) {
  link.sent_bytes += bytes.size();
  const bool split = bytes.size() > 1 && rng_.percent(20);
  const size_t first = split ? 1 + rng_.below(bytes.size() - 1) : bytes.size();
  for (const std::string_view piece : {bytes.substr(0, first), bytes.substr(first)}) {
    if (piece.empty()) continue;
    link.to_server.push_back({std::string(piece), false});
    link.last_to_server = arrival(link, link.last_to_server);
    schedule_(link.last_to_server, NetEvent::ToServer, link.id);
  }
}

void Network::client_closes(Link& link) {
  link.client_open = false;
  link.to_server.push_back({{}, true});
  link.last_to_server = arrival(link, link.last_to_server);
  schedule_(link.last_to_server, NetEvent::ToServer, link.id);
}

void Network::arrive_at_server(Link& link) {
  Chunk chunk = std::move(link.to_server.front());
  link.to_server.pop_front();
  if (link.silent || !link.server_open) return;
  link.arrived += chunk.bytes;
  link.peer_ended = link.peer_ended || chunk.end;
}

void Network::send_to_client(Link& link, Chunk chunk) {
  link.bytes_to_client += chunk.bytes.size();
  link.to_client.push_back(std::move(chunk));
  link.last_to_client = arrival(link, link.last_to_client);
  schedule_(link.last_to_client, NetEvent::ToClient, link.id);
}

Chunk Network::arrive_at_client(Link& link) {
  Chunk chunk = std::move(link.to_client.front());
  link.to_client.pop_front();
  if (link.silent) return {};
  const bool was_full = link.bytes_to_client >= link.window;
  link.bytes_to_client -= chunk.bytes.size();
  link.window_opened = link.window_opened || (was_full && link.wants_writable);
  return chunk;
}

std::unique_ptr<env::Stream> Network::server_end(Link& link) {
  link.accepted = true;
  return std::make_unique<ServerEnd>(*this, link);
}

void Network::end_for_client(Link& link) {
  trace_.say("server: link {} closed", link.id);
  send_to_client(link, {{}, true});
}

void Network::lose_pieces(Link& link) {
  const uint64_t kept = rng_.below(link.to_client.size() + 1);
  for (size_t i = kept; i < link.to_client.size(); ++i) link.to_client[i] = {};
  if (rng_.percent(20)) link.silent = true;
}

void Network::server_gone(bool power_cut, const std::function<void()>& destroy) {
  std::vector<Link*> open;
  for (const auto& link : links_) {
    if (link->server_open) open.push_back(link.get());
  }
  server_goes_ = true;
  destroy();
  server_goes_ = false;
  for (Link* link : open) {
    if (power_cut) lose_pieces(*link);
    end_for_client(*link);
    link->arrived.clear();
    link->read = 0;
  }
}

}  // namespace quorate::sim
