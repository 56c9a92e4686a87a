#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "shell/env/disk.h"

/// For the tests of this room only: a disk that stops at a chosen call and then shows what a power cut may have left.
/// Of each file the bytes of now or of its last sync; of each directory the names of its last sync and the first few
/// changes after it, or any that do not build on a lost one. Directories themselves are durable at once, as the posix
/// disk makes them.
namespace quorate::storage {

using DiskImage = std::map<std::string, std::string>;

class CrashDisk final : public env::Disk {
 public:
  /// Everything in `image` is durable.
  explicit CrashDisk(const DiskImage& image) {
    for (const auto& [path, bytes] : image) {
      now_[path] = std::make_shared<Content>(Content{bytes, bytes});
      directories_[parent(path)];
    }
    durable_ = now_;
  }

  size_t calls = 0;     ///< That change something, so far.
  size_t crash_at = 0;  ///< The call that does not happen any more; 0: none.
  bool crashed() const { return crash_at > 0 && calls >= crash_at; }

  DiskImage everything() const {
    return image_of(now_, [](const Content& content) { return content.now; });
  }
  DiskImage power_cut(std::mt19937& random) const {
    Names names = durable_;
    for (const auto& [directory, changes] : directories_) {
      const size_t kept = random() % (changes.size() + 1);
      const bool any_order = random() % 2 == 0;
      for (size_t i = 0; i < changes.size(); ++i) {
        const bool stands = changes[i].from.empty() || names.contains(changes[i].from);
        if (any_order ? stands && random() % 2 == 0 : i < kept) apply(changes[i], names);
      }
    }
    return image_of(names, [&](const Content& content) { return random() % 2 == 0 ? content.now : content.durable; });
  }

  Result<std::unique_ptr<env::File>> open(const std::string& path, env::Open mode) override {
    if (mode == env::Open::Create) {
      if (!step()) return dead();
      if (!directories_.contains(parent(path))) return fail(Fault::NotFound, path);
      if (now_.contains(path)) {
        now_[path]->now.clear();
      } else {
        change({"", path, std::make_shared<Content>()});
      }
    }
    const auto at = now_.find(path);
    if (at == now_.end()) return fail(Fault::NotFound, path);
    return std::make_unique<OpenFile>(*this, at->second);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    if (!step()) return dead();
    const auto at = now_.find(from);
    if (at == now_.end()) return fail(Fault::NotFound, from);
    change({from, to, at->second});
    return {};
  }
  Result<void> remove(const std::string& path) override {
    if (!now_.contains(path)) return fail(Fault::NotFound, path);
    if (!step()) return dead();
    change({path, "", nullptr});
    return {};
  }
  Result<void> sync_directory(const std::string& path) override {
    if (!step()) return dead();
    for (const Change& each : directories_[path]) apply(each, durable_);
    directories_[path].clear();
    return {};
  }
  Result<std::vector<env::Entry>> list(const std::string& path) override {
    if (!directories_.contains(path)) return fail(Fault::NotFound, path);
    std::vector<env::Entry> entries;
    for (const auto& [name, content] : now_) {
      if (parent(name) == path) entries.push_back({name.substr(path.size() + 1), content->now.size(), 0});
    }
    return entries;
  }
  Result<void> make_directories(const std::string& path) override {
    directories_[path];
    return {};
  }
  Result<std::unique_ptr<env::DirectoryLock>> lock(const std::string&) override {
    return std::make_unique<env::DirectoryLock>();
  }

 private:
  struct Content {
    std::string now;
    std::string durable;
  };
  using Names = std::map<std::string, std::shared_ptr<Content>>;
  struct Change {
    std::string from;  ///< Empty for a creation.
    std::string to;    ///< Empty for a removal.
    std::shared_ptr<Content> content;
  };
  class OpenFile final : public env::File {
   public:
    OpenFile(CrashDisk& disk, std::shared_ptr<Content> content) : disk_(disk), content_(std::move(content)) {}
    Result<void> write(uint64_t offset, std::string_view bytes) override {
      const bool whole = disk_.step();
      // The write that the crash meets gets half of its way.
      if (!whole) bytes = bytes.substr(0, disk_.calls == disk_.crash_at ? bytes.size() / 2 : 0);
      content_->now.resize(std::max<size_t>(content_->now.size(), offset + bytes.size()));
      std::ranges::copy(bytes, content_->now.begin() + static_cast<ptrdiff_t>(offset));
      return whole ? Result<void>() : disk_.dead();
    }
    Result<void> sync() override {
      if (!disk_.step()) return disk_.dead();
      content_->durable = content_->now;
      return {};
    }
    Result<size_t> read(uint64_t offset, std::span<char> into) override {
      if (offset >= content_->now.size()) return 0;
      const size_t count = std::min<size_t>(into.size(), content_->now.size() - offset);
      std::copy_n(content_->now.data() + offset, count, into.data());
      return count;
    }
    Result<uint64_t> size() override { return content_->now.size(); }
    Result<void> truncate(uint64_t size) override {
      if (!disk_.step()) return disk_.dead();
      content_->now.resize(size);
      return {};
    }
    void write_back(uint64_t, uint64_t) override {}

   private:
    CrashDisk& disk_;
    std::shared_ptr<Content> content_;
  };

  static std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }
  static std::unexpected<Error> dead() { return fail(Fault::Io, "crashed"); }
  bool step() {
    if (crashed()) {
      ++calls;
      return false;
    }
    ++calls;
    return !crashed();
  }
  static void apply(const Change& change, Names& names) {
    if (!change.from.empty()) names.erase(change.from);
    if (!change.to.empty()) names[change.to] = change.content;
  }
  void change(const Change& change) {
    apply(change, now_);
    directories_[parent(change.to.empty() ? change.from : change.to)].push_back(change);
  }
  template <class Bytes>
  static DiskImage image_of(const Names& names, Bytes&& bytes) {
    DiskImage image;
    for (const auto& [path, content] : names) image[path] = bytes(*content);
    return image;
  }

  Names now_;
  Names durable_;
  std::map<std::string, std::vector<Change>> directories_;  ///< With the changes since the last sync.
};

/// Runs `act` once for each call that it makes, with a crash there, and gives what may be left to `check`, which knows
/// the call. Returns how many calls `act` makes.
inline size_t at_every_crash(const DiskImage& before, const std::function<void(CrashDisk&)>& act,
                             const std::function<void(const DiskImage&)>& check) {
  constexpr uint32_t kPowerCuts = 12;
  CrashDisk whole(before);
  act(whole);
  for (size_t at = 1; at <= whole.calls; ++at) {
    SCOPED_TRACE(at);
    CrashDisk disk(before);
    disk.crash_at = at;
    act(disk);
    EXPECT_TRUE(disk.crashed());
    check(disk.everything());
    std::mt19937 random(static_cast<uint32_t>(at));
    for (uint32_t i = 0; i < kPowerCuts; ++i) check(disk.power_cut(random));
  }
  return whole.calls;
}

}  // namespace quorate::storage
