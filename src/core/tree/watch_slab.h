#pragma once
#include <cstdint>
#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

/// Items of one fixed layout, kept in chunks that never move and named by 32-bit references; for the watch tables,
/// which hold millions of them. Reference 0 means "none". Freed items are reused, the last freed one first, so the
/// references given out depend on the calls alone.
namespace quorate::tree {

template <class Item>
class WatchSlab {
  static_assert(std::is_trivially_copyable_v<Item> && sizeof(Item) >= sizeof(uint32_t));

 public:
  Item& operator[](uint32_t ref) { return chunks_[ref / kChunkItems][ref % kChunkItems]; }
  const Item& operator[](uint32_t ref) const { return chunks_[ref / kChunkItems][ref % kChunkItems]; }

  /// A fresh item, as its default initialisers say.
  uint32_t take() {
    ++live_;
    const uint32_t ref = free_ != 0 ? reuse() : carve();
    (*this)[ref] = Item{};
    return ref;
  }
  void give_back(uint32_t ref) {
    --live_;
    std::memcpy(static_cast<void*>(&(*this)[ref]), &free_, sizeof free_);
    free_ = ref;
  }

  size_t live() const { return live_; }
  size_t resident_bytes() const {
    return chunks_.size() * kChunkItems * sizeof(Item) + chunks_.capacity() * sizeof(chunks_[0]);
  }

 private:
  static constexpr uint32_t kChunkItems = 1024;

  uint32_t reuse() {
    const uint32_t ref = free_;
    std::memcpy(&free_, &(*this)[ref], sizeof free_);
    return ref;
  }
  uint32_t carve() {
    if (next_ >= chunks_.size() * kChunkItems) chunks_.push_back(std::make_unique<Item[]>(kChunkItems));
    return next_++;
  }

  std::vector<std::unique_ptr<Item[]>> chunks_;
  uint32_t next_ = 1;
  uint32_t free_ = 0;  ///< Head of the list that runs through the first bytes of freed items.
  size_t live_ = 0;
};

}  // namespace quorate::tree
