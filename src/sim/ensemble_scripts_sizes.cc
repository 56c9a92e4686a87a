#include <fmt/format.h>

#include "sim/ensemble_script.h"
#include "sim/ensemble_scripts.h"

/// What is as long as it may be, or longer. Spec: known-faults 4306, 9.3 (BIG).
namespace quorate::sim {
namespace {

constexpr int32_t kFrameBytes = 4096;
constexpr size_t kRecordBytes = 2 * kFrameBytes;

ScriptSettings small_frames() {
  return {.clients = 2, .edit = [](EnsemblePlan& plan) {
            plan.settings.replica.max_frame_bytes = kFrameBytes;
            plan.settings.recovery.max_buffer_bytes = kRecordBytes;
            plan.settings.log.preallocate_bytes = 4096;
            plan.kept_txns = 20;
            plan.snapshot_size_factor = 10;
          }};
}

/// Everybody reads again what was logged.
void restart_all(Script& script) {
  for (uint32_t id = 1; id <= 3; ++id) {
    script.rng().percent(50) ? script.server(id).kill(-1) : script.server(id).lose_power(-1);
  }
  for (uint32_t id = 1; id <= 3; ++id) script.start_server(id);
  script.serve();
}

/// One of three is away for what `act` does, and gets it later.
void without_one(Script& script, const std::function<void()>& act) {
  const uint32_t away = script.rng().percent(50) ? script.other_than(0) : 0;
  if (away != 0) script.server(away).kill(-1);
  act();
  if (away != 0) script.start_server(away);
  script.serve();
}

Request multi_of(std::vector<Request> parts) {
  Request multi;
  multi.op = multi.ask.op = wire::Op::Multi;
  for (Request& part : parts) multi.parts.push_back(std::move(part.ask));
  return multi;
}

}  // namespace

/// The list of a session's ephemerals is longer than anybody reads.
Outcome long_close(uint64_t seed, bool verbose) {
  Script script(seed, verbose, small_frames());
  script.up();
  script.insist(1, script.client(1).asks().create("/a"));
  constexpr auto kMode = static_cast<int32_t>(wire::CreateMode::EphemeralSequential);
  const std::string name = "/a/" + std::string(200, 'e') + "-";
  for (int round = 0; round < 2 && !script.world.failed(); ++round) {
    const size_t count = kRecordBytes / name.size() + 1 + script.rng().below(20);
    for (size_t i = 0; i < count; ++i) script.insist(0, script.client(0).asks().create(name, kMode));
    const bool expires = script.rng().percent(40);
    without_one(script, [&] {
      Request close;
      close.op = close.ask.op = wire::Op::CloseSession;
      expires ? script.client(0).hang_up(false) : static_cast<void>(script.ask(0, std::move(close)));
      script.need("its nodes are gone", [&] {
        const uint32_t leader = script.world.leader();
        return leader != 0 && script.server(leader).node()->replica().tree().ephemeral_count() == 0;
      });
    });
    restart_all(script);
    script.write(1, 2);
  }
  return script.finish();
}

/// Around what a frame may have: what is taken is on all servers and can be read again.
Outcome long_multis(uint64_t seed, bool verbose) {
  Script script(seed, verbose, small_frames());
  script.up();
  script.insist(0, script.client().asks().create("/a"));
  for (int i = 0; i < 24 && !script.world.failed(); ++i) {
    EnsembleAsks& asks = script.client().asks();
    std::vector<Request> parts;
    // A part has 23 bytes besides its data, the frame 17 besides its parts.
    int64_t left = kFrameBytes + script.rng().between(-3, 3) - 17;
    for (const int64_t each = script.rng().between(1, 600); left > 23;) {
      const int64_t bytes = std::min(each, left - 23);
      left -= bytes + 23;
      parts.push_back(asks.set("/a"));
      parts.back().ask.data =
          std::make_shared<const std::string>(static_cast<size_t>(bytes), static_cast<char>('a' + i));
    }
    script.attach(0, 0);
    without_one(script, [&] { script.ask(0, multi_of(std::move(parts))); });
    script.write(0, 1);
  }
  restart_all(script);
  script.write(0, 1);
  return script.finish();
}

Outcome many_children(uint64_t seed, bool verbose) {
  ScriptSettings settings{.clients = 2};
  settings.edit = [](EnsemblePlan& plan) {
    plan.kept_txns = 10;
    plan.snapshot_size_factor = -1;
    plan.settings.snapshot.slice_bytes = 3000;
  };
  Script script(seed, verbose, settings);
  script.up();
  script.insist(1, script.client(1).asks().create("/a"));
  const auto fill = [&](uint32_t number, wire::CreateMode mode) {
    std::vector<Request> parts;
    for (int i = 0; i < 100; ++i)
      parts.push_back(script.client(number).asks().create("/a/c-", static_cast<int32_t>(mode)));
    script.insist(number, multi_of(std::move(parts)));
  };
  without_one(script, [&] {
    for (int i = 0; i < 12; ++i) fill(1, wire::CreateMode::PersistentSequential);
    for (int i = 0; i < 6; ++i) fill(0, wire::CreateMode::EphemeralSequential);
  });
  for (uint32_t id = 1; id <= 3; ++id) {
    script.attach(1, id);
    script.insist(1, script.client(1).asks().read(wire::Op::GetChildren, "/a", true));
  }
  Request close;
  close.op = close.ask.op = wire::Op::CloseSession;
  script.ask(0, std::move(close));
  script.insist(1, script.client(1).asks().read(wire::Op::GetChildren, "/a"));
  restart_all(script);
  script.insist(1, script.client(1).asks().read(wire::Op::GetChildren, "/a"));
  return script.finish();
}

}  // namespace quorate::sim
