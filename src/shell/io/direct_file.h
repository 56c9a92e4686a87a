#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "shell/io/posix_file.h"

/// A log or a snapshot, written past the kernel's cache: it is written once and hardly ever read, and
/// copying it into the cache and out again costs more than all else that a sync does. The disk takes whole pages, so a
/// write begins with what its first page holds already, and ends with zeros. Reads come through the cache; the kernel
/// keeps both views the same.
namespace quorate::io {

class DirectFile final : public PosixFile {
 public:
  /// Both are descriptors of the file; `direct` was opened with O_DIRECT.
  DirectFile(Descriptor cached, Descriptor direct, std::string path);
  ~DirectFile() override;

  /// See env::Disk::open_direct(): zeros go behind `bytes`, up to the end of the page.
  Result<void> write(uint64_t offset, std::string_view bytes) override;
  /// Nothing is copied for it, and what is written elsewhere in the file need not wait.
  Result<void> write_zeros(uint64_t offset, uint64_t bytes) override;

 private:
  struct Freed {
    void operator()(char* room) const;
  };

  Result<void> take_head(uint64_t page, size_t head);
  Result<void> put_pages(uint64_t page, size_t bytes);
  void make_room(size_t bytes);

  Descriptor direct_;
  bool direct_refused_ = false;        ///< What holds the file takes no such writes.
  std::unique_ptr<char, Freed> room_;  ///< The pages of one write, aligned as the kernel wants them.
  size_t room_bytes_ = 0;
  std::unique_ptr<char[]> last_page_;  ///< Of the last write,
  uint64_t last_page_at_;              ///< which begins here.
};

}  // namespace quorate::io
