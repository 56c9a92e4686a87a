#pragma once
#include <memory>
#include <string>
#include <vector>

#include "shell/env/disk.h"

/// The real disk. Stateless, so any thread may use it. Errors name the call, the path and the kernel's reason; ENOSPC
/// and EDQUOT become NoSpace, ENOENT NotFound, everything else Io.
namespace quorate::io {

class PosixDisk : public env::Disk {
 public:
  Result<std::unique_ptr<env::File>> open(const std::string& path, env::Open mode) override;
  Result<std::unique_ptr<env::File>> open_direct(const std::string& path, env::Open mode) override;
  Result<void> rename(const std::string& from, const std::string& to) override;
  Result<void> remove(const std::string& path) override;
  Result<void> sync_directory(const std::string& path) override;
  Result<std::vector<env::Entry>> list(const std::string& path) override;
  /// New levels are durable when it returns.
  Result<void> make_directories(const std::string& path) override;
  /// Locks the file `quorate.lock` in the directory `path`. Errors: Exists (another process has it), Io.
  Result<std::unique_ptr<env::DirectoryLock>> lock(const std::string& path) override;
};

}  // namespace quorate::io
