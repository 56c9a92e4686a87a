#pragma once
#include <cstdint>
#include <memory>
#include <string>

#include "base/byte_buffer.h"
#include "base/ids.h"
#include "base/result.h"
#include "shell/env/disk.h"

/// The write-ahead log: every txn this server has accepted, ascending by zxid, in files log.<zxid of the first>.
/// Owned by the log thread; fill_ahead() alone may run on the background thread at the same time. Any error of
/// append() or sync() is final: the kernel may have dropped the pages, so the caller must stop the process.
/// Spec: disk 2, 6.1; DESIGN, section 2.
namespace quorate::storage {

struct LogSettings {
  std::string directory;                 ///< .../version-2
  uint64_t preallocate_bytes = 4 << 20;  ///< Zero-filled ahead; 0 = never. From preAllocSize, at most 4 MiB.
  uint64_t size_limit_bytes = 0;         ///< txnLogSizeLimitInKb; 0 = no limit.
  bool force_sync = true;                ///< forceSync=no skips every sync (unsafe).
};

class TxnLog {
 public:
  TxnLog(env::Disk& disk, LogSettings settings);
  ~TxnLog();

  /// Appends a batch of framed records (wire/log_record.h), filling in their checksums. Opens log.<first> when no file
  /// is open: temporary name, header and batch, sync, rename, directory sync. Not durable until sync().
  Result<void> append(ByteBuffer& batch, Zxid first);
  Result<void> sync();
  /// The next append opens a new file. The old one is synced by the next sync() if it has to be.
  void roll();

  /// Writes zeros beyond the end of the data, so that appends do not grow the file, unless enough are there. An append
  /// that goes beyond what was zeroed before waits for it. A full disk only makes it stop. True when it did something.
  bool fill_ahead();

  uint64_t file_bytes() const;  ///< Data in the current file.
  uint64_t bytes_since_roll() const;
  bool file_open() const;
  uint64_t files_created() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace quorate::storage
