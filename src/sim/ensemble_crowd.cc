#include "sim/ensemble_crowd.h"

#include <algorithm>
#include <utility>

#include "sim/request.h"
#include "wire/client.h"

namespace quorate::sim {
namespace {

constexpr int64_t kPatienceUs = 10'000'000;

}  // namespace

Crowd::Crowd(EnsembleWorld& world) : world_(world), host_(world.fabric().add_host("crowd")) {}

void Crowd::come(size_t count, int32_t timeout_ms) {
  for (size_t i = 0; i < count; ++i) {
    const auto end = std::make_shared<End>();
    ends_.push_back(end);
    const auto server = 1 + static_cast<uint32_t>(world_.rng().below(world_.server_count()));
    world_.fabric().dial(host_, {host_of(server), kClientPort}, kPatienceUs,
                         [this, end = std::weak_ptr(end), timeout_ms](auto outcome) {
                           const auto kept = end.lock();
                           if (outcome && kept != nullptr) connected(kept, std::move(*outcome), timeout_ms);
                         });
  }
}

size_t Crowd::present() const {
  return static_cast<size_t>(std::ranges::count_if(ends_, [](const auto& end) { return end->session != 0; }));
}

void Crowd::connected(const std::shared_ptr<End>& end, SimStreamPtr stream, int32_t timeout_ms) {
  end->stream = std::move(stream);
  end->stream->watch(
      [this, held = std::weak_ptr(end)] {
        if (const auto kept = held.lock()) hear(*kept);
      },
      [] {});
  end->stream->want_writable(false);
  ByteBuffer out;
  out.grow(4);
  wire::Encoder encoder(out);
  wire::encode(encoder,
               wire::ConnectRequest{0, Zxid{0}, timeout_ms, SessionId{0}, std::string_view(std::string(16, '\0'))});
  encoder.boolean(false);
  wire::store_be32(out.data(), static_cast<uint32_t>(out.size() - 4));
  static_cast<void>(end->stream->send(out.view()));
}

void Crowd::hear(End& end) {
  char bytes[512];
  const auto count = end.stream->receive(bytes);
  if (!count) return end.stream->want_readable(false);
  if (end.session != 0) return;
  constexpr size_t kTimeout = 8, kSession = 12, kEnd = 20;
  end.heard.append(bytes, *count);
  if (end.heard.size() < kEnd || wire::load_be32(end.heard.data() + kTimeout) == 0) return;
  end.session = static_cast<int64_t>(wire::load_be64(end.heard.data() + kSession));
  ask(end);
}

void Crowd::ask(End& end) {
  Request request;
  request.xid = 1;
  request.op = request.ask.op = wire::Op::Create;
  request.ask.path = "/a/crowd-";
  request.ask.data = std::make_shared<const std::string>("here");
  request.ask.acl = std::make_shared<Acl>(Acl{{wire::kPermAll, "world", "anyone"}});
  request.ask.flags = static_cast<int32_t>(wire::CreateMode::EphemeralSequential);
  ByteBuffer out;
  encode_request(request, out);
  static_cast<void>(end.stream->send(out.view()));
  world_.record().history().requests.push_back(
      {.session = end.session, .connection = 1, .number = 1, .is_write = true});
}

}  // namespace quorate::sim
