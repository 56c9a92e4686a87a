#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "shell/env/crash_point.h"

/// The disk as storage sees it: the posix one (shell/io) and the simulated one (sim) implement it. Calls block; they
/// are made on the log thread, the background thread, or at boot, never on the loop except for a lone small sync.
/// What is not synced (file bytes by File::sync, names by sync_directory) may be lost or torn by a crash.
namespace quorate::env {

/// An open file. Not shared between threads, except that write() and sync() of one file may run on two.
class File {
 public:
  virtual ~File() = default;

  /// Writes all bytes at `offset`. Errors: NoSpace, Io; part of the bytes may be written then.
  virtual Result<void> write(uint64_t offset, std::string_view bytes) = 0;
  /// Makes the written bytes and the size durable (fdatasync). A failure is final: never retry (DESIGN, section 2).
  virtual Result<void> sync() = 0;
  /// Reads up to into.size() bytes at `offset`; fewer only at the end of the file.
  virtual Result<size_t> read(uint64_t offset, std::span<char> into) = 0;
  virtual Result<uint64_t> size() = 0;
  virtual Result<void> truncate(uint64_t size) = 0;
  /// Starts writing dirty pages of the range back without waiting for durability; a hint (sync_file_range).
  virtual void write_back(uint64_t offset, uint64_t bytes) = 0;
  /// Writes so many zeros, in one go where the disk can. `offset` begins a page of 4 KiB. Errors as of write().
  virtual Result<void> write_zeros(uint64_t offset, uint64_t bytes) { return write(offset, std::string(bytes, '\0')); }
};

enum class Open : uint8_t {
  Read,        ///< Must exist.
  ReadSlowly,  ///< Must exist; nothing is read ahead, since others wait for the disk.
  ReadWrite,   ///< Must exist.
  Create,      ///< Created or emptied.
};

struct Entry {
  std::string name;
  uint64_t size = 0;
  int64_t modified_ms = 0;  ///< Wall clock.
};

/// An advisory lock on a directory, held until destroyed. Spec: disk 6.1 rule 21.
class DirectoryLock {
 public:
  virtual ~DirectoryLock() = default;
};

class Disk {
 public:
  virtual ~Disk() = default;

  virtual Result<std::unique_ptr<File>> open(const std::string& path, Open mode) = 0;
  /// A file that is written once and hardly ever read, a log or a snapshot, to be written past the kernel's cache where
  /// that is possible. That takes whole pages of 4 KiB: zeros are written behind the bytes of a write, up to the end of
  /// the page, where nothing else may be. Who ends such a file cuts it to its size.
  virtual Result<std::unique_ptr<File>> open_direct(const std::string& path, Open mode) { return open(path, mode); }
  virtual Result<void> rename(const std::string& from, const std::string& to) = 0;
  virtual Result<void> remove(const std::string& path) = 0;
  /// Makes creations, renames and removals in `path` durable.
  virtual Result<void> sync_directory(const std::string& path) = 0;
  /// Regular files of a directory, sorted by name. NotFound when the directory is missing.
  virtual Result<std::vector<Entry>> list(const std::string& path) = 0;
  /// Creates the directory and its parents; fine when it exists.
  virtual Result<void> make_directories(const std::string& path) = 0;
  virtual Result<std::unique_ptr<DirectoryLock>> lock(const std::string& path) = 0;

  /// Tells that a named crash point was reached.
  virtual void reach(CrashPoint) {}
};

}  // namespace quorate::env
