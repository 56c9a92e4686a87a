#include "base/check.h"
#include "shell/storage/directory.h"
#include "sim/ensemble_script.h"
#include "sim/ensemble_scripts.h"
#include "sim/view_disk.h"
#include "wire/log_record.h"

/// Bytes that change on disks between two lives. Spec: known-faults 11.7 (PAR-1, PAR-2), R-D5, R-D6.
namespace quorate::sim {
namespace {

ScriptSettings small_logs() {
  return {.edit = [](EnsemblePlan& plan) {
    plan.settings.log.preallocate_bytes = 4096;
    plan.settings.snapshot.snap_count = 12;
    plan.settings.snapshot.floor_bytes = 500;
  }};
}

struct Files {
  std::string directory;
  storage::DirectoryListing found;
};

Files files_of(EnsembleServer& server) {
  ViewDisk view(server.disk());
  Files files{server.settings().recovery.log_directory, {}};
  auto listing = storage::list_directory(view, files.directory);
  QUORATE_CHECK(listing.has_value());
  files.found = std::move(*listing);
  return files;
}

void change_bit(Script& script, uint32_t id, const std::string& path, size_t offset) {
  script.server(id).disk().find(path)->content.flip(offset, static_cast<uint8_t>(1U << script.rng().below(8)));
}

/// Some bit of the last record of the server's newest log that has one.
void damage_last_record(Script& script, uint32_t id) {
  const Files files = files_of(script.server(id));
  for (auto log = files.found.logs.rbegin(); log != files.found.logs.rend(); ++log) {
    const std::string path = files.directory + "/" + log->name;
    const std::string bytes = script.server(id).disk().find(path)->content.bytes();
    std::string_view last;
    for (size_t at = wire::kLogHeaderBytes; at + wire::kRecordPrefixBytes < bytes.size();) {
      if (wire::load_be32(bytes.data() + at + 8) == 0) break;
      last = wire::next_payload(bytes, at);
    }
    if (last.empty()) continue;
    const auto begin = static_cast<size_t>(last.data() - bytes.data());
    return change_bit(script, id, path, begin + script.rng().below(last.size()));
  }
  script.world.fail("the log holds no record");
}

void damage_newest_snapshot(Script& script, uint32_t id) {
  const Files files = files_of(script.server(id));
  if (files.found.snapshots.size() < 2) return script.world.fail("there are too few snapshots");
  const storage::NamedFile& newest = files.found.snapshots.back();
  change_bit(script, id, files.directory + "/" + newest.name, script.rng().below(newest.size));
}

}  // namespace

/// Two servers have what the third has not. One of them is down, the other's last record is damaged: what is left must
/// not go on without it.
Outcome last_record_damaged(uint64_t seed, bool verbose) {
  Script script(seed, verbose, small_logs());
  script.up();
  for (int round = 0; round < 2 && !script.world.failed(); ++round) {
    script.write(0, 2);
    const uint32_t behind = script.other_than(0);
    script.server(behind).kill(-1);
    script.write(0, 1 + static_cast<int>(script.rng().below(3)));
    const uint32_t away = script.other_than(behind);
    const uint32_t damaged = script.other_than(behind, away);
    for (const uint32_t id : {away, damaged}) script.server(id).kill(-1);
    damage_last_record(script, damaged);
    for (const uint32_t id : {behind, damaged}) script.start_server(id);
    script.run_for_ms(script.rng().between(500, 8000));
    if (script.world.leader() != 0) script.world.fail("there is a leader without what was acknowledged");
    script.start_server(away);
    script.serve();
  }
  return script.finish();
}

/// Older snapshots and the logs behind them are there.
Outcome snapshots_damaged(uint64_t seed, bool verbose) {
  Script script(seed, verbose, small_logs());
  script.up();
  script.write(0, 1);
  const auto taken = [&](uint32_t id) { return files_of(script.server(id)).found.snapshots.size(); };
  for (int round = 0; round < 2 && !script.world.failed(); ++round) {
    for (int tries = 0; tries < 40 && !script.world.failed(); ++tries) {
      if (taken(1) > 2 && taken(2) > 2 && taken(3) > 2) break;
      for (int i = 0; i < 10; ++i) {
        const auto sequential = static_cast<int32_t>(wire::CreateMode::PersistentSequential);
        script.insist(0, script.client().asks().create("/a/s-", sequential));
      }
    }
    for (uint32_t id = 1; id <= 3; ++id)
      script.rng().percent(50) ? script.server(id).kill(-1) : script.server(id).lose_power(-1);
    for (uint32_t id = 1; id <= 3 && !script.world.failed(); ++id) damage_newest_snapshot(script, id);
    for (uint32_t id = 1; id <= 3; ++id) script.start_server(id);
    script.serve();
    script.write(0, 2);
  }
  return script.finish();
}

}  // namespace quorate::sim
