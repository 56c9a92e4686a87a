#include "core/tree/block_store.h"

#include <cstdlib>
#include <new>

#include "base/check.h"
#include "core/tree/pages.h"

namespace quorate::tree {
namespace {

/// Stands at the start of a block that was given back.
struct FreeBlock {
  FreeBlock* next;
};

}  // namespace

/// At the start of its 64 KiB; blocks follow.
struct BlockStore::Page {
  FreeBlock* free;  ///< Blocks given back.
  char* uncut;      ///< Room for blocks never handed out.
  Page* next;       ///< In with_room_ or spare_.
  Page* previous;
  uint32_t used;
  uint32_t size_class;

  size_t block_bytes() const { return size_class * kUnit; }
  bool full() { return free == nullptr && uncut + block_bytes() > reinterpret_cast<char*>(this) + kPageBytes; }
};

BlockStore::~BlockStore() {
  for (char* chunk : chunks_) unmap_pages(chunk, kHugePage);
}

bool BlockStore::same_class(size_t a, size_t b) {
  if (a > kMaxSmall || b > kMaxSmall) return a == b;
  return class_of(a) == class_of(b);
}

size_t BlockStore::memory() const {
  return chunks_.size() * kHugePage - static_cast<size_t>(uncut_end_ - uncut_) + large_bytes_;
}

BlockStore::Page* BlockStore::page_of(char* block) {
  return reinterpret_cast<Page*>(block - reinterpret_cast<uintptr_t>(block) % kPageBytes);
}

char* BlockStore::take(size_t bytes) {
  if (bytes == 0) return nullptr;
  if (bytes > kMaxSmall) {
    char* block = static_cast<char*>(std::malloc(bytes));
    QUORATE_CHECK(block != nullptr);
    large_bytes_ += bytes;
    return block;
  }
  const size_t size_class = class_of(bytes);
  Page* page = with_room_[size_class];
  if (page == nullptr) page = open_page(size_class);
  char* block = reinterpret_cast<char*>(page->free);
  if (block != nullptr) {
    page->free = page->free->next;
  } else {
    block = page->uncut;
    page->uncut += page->block_bytes();
  }
  ++page->used;
  if (page->full()) unlink(page);
  return block;
}

void BlockStore::give_back(char* block, size_t bytes) {
  if (block == nullptr) return;
  if (bytes > kMaxSmall) {
    large_bytes_ -= bytes;
    std::free(block);
    return;
  }
  Page* page = page_of(block);
  const bool was_full = page->full();
  page->free = new (block) FreeBlock{page->free};
  if (was_full) link(page);
  if (--page->used > 0) return;
  unlink(page);
  page->next = spare_;
  spare_ = page;
}

BlockStore::Page* BlockStore::open_page(size_t size_class) {
  Page* page = spare_;
  if (page != nullptr) {
    spare_ = page->next;
  } else {
    if (uncut_ == uncut_end_) carve_chunk();
    page = reinterpret_cast<Page*>(uncut_);
    uncut_ += kPageBytes;
  }
  page->free = nullptr;
  page->uncut = reinterpret_cast<char*>(page + 1);
  page->used = 0;
  page->size_class = static_cast<uint32_t>(size_class);
  link(page);
  return page;
}

void BlockStore::link(Page* page) {
  Page*& first = with_room_[page->size_class];
  page->previous = nullptr;
  page->next = first;
  if (first != nullptr) first->previous = page;
  first = page;
}

void BlockStore::unlink(Page* page) {
  Page*& first = with_room_[page->size_class];
  if (page->next != nullptr) page->next->previous = page->previous;
  (page->previous != nullptr ? page->previous->next : first) = page->next;
}

void BlockStore::carve_chunk() {
  uncut_ = map_pages(kHugePage, kHugePage);
  uncut_end_ = uncut_ + kHugePage;
  // A small tree must stay small: the first chunk grows by ordinary pages.
  if (!chunks_.empty()) advise_huge(uncut_, kHugePage);
  chunks_.push_back(uncut_);
}

}  // namespace quorate::tree
