#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

/// Memory for names and data in size classes of 8 bytes: pages of 64 KiB, each given to one class while it holds
/// a block of it, so that memory freed at one size serves any other. What is larger than kMaxSmall is malloc's.
namespace quorate::tree {

class BlockStore {
 public:
  static constexpr size_t kMaxSmall = 2048;

  BlockStore() = default;
  ~BlockStore();
  BlockStore(const BlockStore&) = delete;
  BlockStore& operator=(const BlockStore&) = delete;

  /// Room for `bytes`; null for 0. The caller remembers the size.
  char* take(size_t bytes);
  void give_back(char* block, size_t bytes);
  /// True when a block taken for `a` bytes serves `b` bytes as well.
  static bool same_class(size_t a, size_t b);
  size_t memory() const;

 private:
  struct Page;
  static constexpr size_t kUnit = 8;
  static constexpr size_t kPageBytes = size_t{64} << 10;
  static constexpr size_t kClasses = kMaxSmall / kUnit + 1;

  static size_t class_of(size_t bytes) { return (bytes + kUnit - 1) / kUnit; }
  static Page* page_of(char* block);
  Page* open_page(size_t size_class);
  void link(Page* page);
  void unlink(Page* page);
  void carve_chunk();

  std::array<Page*, kClasses> with_room_{};  // doubly linked, the page in use first
  Page* spare_ = nullptr;                    // pages that hold nothing
  std::vector<char*> chunks_;
  char* uncut_ = nullptr;  // the newest chunk's pages that were never used
  char* uncut_end_ = nullptr;
  size_t large_bytes_ = 0;
};

}  // namespace quorate::tree
