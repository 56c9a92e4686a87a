#include "cli/commands.h"

#include <build_stamp.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

#include "shell/config/load.h"
#include "shell/config/reference.h"
#include "shell/io/posix_disk.h"
#include "shell/server/serve.h"
#include "shell/storage/repair.h"
#include "tools/bench.h"

namespace quorate::cli {
namespace {

/// A device named by mistake may never end.
constexpr size_t kMostBytes = 16 << 20;

Result<std::string> read_file(const std::string& name) {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(name.c_str(), "re"), &std::fclose);
  if (file == nullptr) return fail(errno == ENOENT ? Fault::NotFound : Fault::Io, name + ": " + std::strerror(errno));
  std::string text;
  char piece[4096];
  for (size_t n; (n = std::fread(piece, 1, sizeof piece, file.get())) > 0;) {
    text.append(piece, n);
    if (text.size() > kMostBytes) return fail(Fault::Io, name + ": larger than 16 MiB, which no such file is");
  }
  // A directory opens like a file and fails here.
  if (std::ferror(file.get()) != 0) return fail(Fault::Io, name + ": " + std::strerror(errno));
  return text;
}

/// SERVER_JVMFLAGS and JVMFLAGS in the order of zkServer.sh, then our own -D; the later one counts.
std::string jvm_flags(const std::vector<std::string>& properties) {
  std::string flags;
  for (const char* name : {"SERVER_JVMFLAGS", "JVMFLAGS"}) {
    if (const char* value = std::getenv(name)) flags.append(value).append(" ");
  }
  for (const std::string& property : properties) flags.append(config::jvm_flag(property)).append(" ");
  return flags;
}

config::LoadOutcome load_file(const std::string& file, std::string_view flags) {
  const auto text = read_file(file);
  if (!text) return config::unreadable_file(file, text.error());
  return config::load({file, *text, flags, read_file});
}

int report(const config::LoadOutcome& loaded) {
  for (const config::ConfigError& error : loaded.errors) {
    std::fprintf(stderr, "%s\n", config::to_text(error).c_str());
  }
  if (loaded.exit_code == 1) std::fprintf(stderr, "Unexpected exception, exiting abnormally\n");
  if (loaded.exit_code == 2) std::fprintf(stderr, "Invalid config, exiting abnormally\n");
  return loaded.exit_code;
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

config::LoadOutcome load_for(const std::vector<std::string>& arguments, std::string_view flags) {
  if (arguments.empty()) return config::load_defaults(flags);
  if (arguments.size() == 1) return load_file(arguments.front(), flags);
  const std::vector<std::string_view> views(arguments.begin(), arguments.end());
  return config::load_arguments(views, flags);
}

}  // namespace

std::string version_text() { return fmt::format("quorate {} (speaks ZooKeeper 3.9.5)", server::kProductVersion); }

int serve(const std::vector<std::string>& arguments, const std::vector<std::string>& properties) {
  if (arguments.size() > 4 || (arguments.size() > 1 && !is_number(arguments.front()))) {
    std::fprintf(stderr,
                 "Invalid arguments, exiting abnormally\n"
                 "Usage: quorate serve [FILE | PORT DATADIR [TICKTIME] [MAXCNXNS]]\n");
    return 2;
  }
  const config::LoadOutcome loaded = load_for(arguments, jvm_flags(properties));
  if (loaded.exit_code != 0) return report(loaded);
  return server::serve(loaded);
}

int config_check(const std::string& file, const std::vector<std::string>& properties) {
  const config::LoadOutcome loaded = load_file(file, jvm_flags(properties));
  for (const LogLine& line : loaded.lines) std::printf("%s\n", line.text.c_str());
  return report(loaded);
}

int config_keys() {
  std::fputs(config::print_key_list().c_str(), stdout);
  return 0;
}

int config_reference() {
  std::fputs(config::print_key_reference().c_str(), stdout);
  return 0;
}

int log_repair(const std::string& file) {
  io::PosixDisk disk;
  const auto repaired = storage::repair_log(disk, file);
  if (!repaired) {
    std::fprintf(stderr, "%s\n", repaired.error().detail.c_str());
    return 1;
  }
  if (!repaired->changed) {
    std::printf("%s is sound; nothing was changed.\n", file.c_str());
    return 0;
  }
  std::printf("%s: %s. Cut at offset %llu (%llu bytes removed); the newest txn left is 0x%llx.\n", file.c_str(),
              repaired->reason.c_str(), static_cast<unsigned long long>(repaired->cut_at),
              static_cast<unsigned long long>(repaired->bytes_removed),
              static_cast<unsigned long long>(repaired->last.value));
  return 0;
}

int bench(int argc, char** argv) { return tools::bench_main(argc, argv); }

}  // namespace quorate::cli
