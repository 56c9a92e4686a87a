#include "shell/server/surroundings.h"

#include <pwd.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <filesystem>

namespace quorate::server {
namespace {

namespace fs = std::filesystem;

uint64_t bytes_in(const std::string& directory) {
  std::error_code error;
  uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const auto size = entry.file_size(error);
    if (!error) bytes += size;
  }
  return bytes;
}

int64_t open_file_count() {
  std::error_code error;
  int64_t count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/fd", error)) ++count;
  return count;
}

void read_user(admin::Surroundings& around) {
  if (const passwd* user = getpwuid(geteuid())) {
    around.user_name = user->pw_name;
    around.user_home = user->pw_dir;
  }
  std::error_code error;
  around.user_directory = fs::current_path(error).string();
}

void read_machine(admin::Surroundings& around) {
  utsname system{};
  uname(&system);
  around.host_name = system.nodename;
  around.os_name = system.sysname;
  // Java calls this machine amd64.
  around.os_arch = std::string_view(system.machine) == "x86_64" ? "amd64" : system.machine;
  around.os_version = system.release;
  struct sysinfo memory{};
  sysinfo(&memory);
  const int64_t unit = memory.mem_unit;
  around.memory_free_mb = static_cast<int64_t>(memory.freeram) * unit >> 20;
  around.memory_most_mb = around.memory_total_mb = static_cast<int64_t>(memory.totalram) * unit >> 20;
}

}  // namespace

admin::Surroundings read_surroundings(const node::NodeSettings& settings) {
  admin::Surroundings around;
  around.data_directory_bytes = bytes_in(settings.recovery.snapshot_directory);
  around.log_directory_bytes = bytes_in(settings.recovery.log_directory);
  around.open_files = open_file_count();
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  around.most_files = static_cast<int64_t>(limit.rlim_cur);
  read_machine(around);
  read_user(around);
  return around;
}

}  // namespace quorate::server
