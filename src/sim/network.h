#pragma once
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shell/env/stream.h"
#include "sim/rng.h"
#include "sim/tap.h"
#include "sim/trace.h"

namespace quorate::node {
struct Client;
}

/// Streams between clients and the node: bytes arrive late, in pieces and in order; a side may close, vanish without a
/// word, or take no more for a while.
namespace quorate::sim {

struct Chunk {
  std::string bytes;
  bool end = false;  ///< The sender has closed.
};

enum class NetEvent : uint8_t { ToServer, ToClient };

/// One connection, both ends of it.
struct Link {
  Link(uint32_t number, uint32_t client_number, Tap connection_tap)
      : id(number), client(client_number), tap(std::move(connection_tap)) {}

  const uint32_t id;
  const uint32_t client;
  Tap tap;
  size_t sent_bytes = 0;              ///< By the client.
  size_t received_bytes = 0;          ///< By the server.
  size_t unreadable_from = SIZE_MAX;  ///< At this many of them it sees a length that it does not take.

  int64_t base_delay = 100;
  size_t window = 1 << 16;
  int64_t last_to_server = 0;
  int64_t last_to_client = 0;
  std::deque<Chunk> to_server;  ///< On their way.
  std::deque<Chunk> to_client;
  size_t bytes_to_client = 0;
  bool silent = false;  ///< Half-open: nothing arrives any more, either way.

  // The server's end.
  bool accepted = false;
  bool server_open = false;
  std::string arrived;
  size_t read = 0;  ///< Of arrived.
  bool peer_ended = false;
  bool wants_readable = true;
  bool wants_writable = false;
  bool window_opened = false;
  node::Client* node_client = nullptr;

  // The client's end.
  bool client_open = true;

  bool readable() const { return wants_readable && (read < arrived.size() || peer_ended); }
};

class Network {
 public:
  using Schedule = std::function<void(int64_t at, NetEvent event, uint32_t link)>;

  Network(Rng& rng, Trace& trace, Schedule schedule) : rng_(rng), trace_(trace), schedule_(std::move(schedule)) {}

  void set_time(int64_t now) { now_ = now; }
  Link& connect(uint32_t client, Tap tap);
  Link& link(uint32_t id) { return *links_[id]; }
  const std::vector<std::unique_ptr<Link>>& links() const { return links_; }

  void client_sends(Link& link, std::string_view bytes);
  void client_closes(Link& link);
  /// The next piece is there. For the client's side it is returned, for the server's it waits to be received.
  void arrive_at_server(Link& link);
  Chunk arrive_at_client(Link& link);
  std::unique_ptr<env::Stream> server_end(Link& link);
  /// The server goes, by `destroy`. When its machine goes too, only the first pieces that it sent get through.
  void server_gone(bool power_cut, const std::function<void()>& destroy);

 private:
  class ServerEnd;
  int64_t arrival(const Link& link, int64_t last);
  void send_to_client(Link& link, Chunk chunk);
  void end_for_client(Link& link);
  void lose_pieces(Link& link);

  Rng& rng_;
  Trace& trace_;
  Schedule schedule_;
  int64_t now_ = 0;
  bool server_goes_ = false;
  std::vector<std::unique_ptr<Link>> links_;
};

}  // namespace quorate::sim
