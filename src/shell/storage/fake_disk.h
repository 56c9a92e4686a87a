#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "shell/env/disk.h"

/// For the tests of this room only: files in memory, a journal of what was done, and failures on command. Crashes are
/// played by the simulated disk of sim.
namespace quorate::storage {

class FakeDisk : public env::Disk {
 public:
  std::map<std::string, std::shared_ptr<std::string>> files;
  std::map<std::string, bool> directories;  ///< Known directories.
  std::vector<std::string> journal;         ///< "write log.1 0 100", "sync log.1", "rename a b", "syncdir d".
  std::vector<env::CrashPoint> reached;
  /// Asked before each change with its journal line; a fault makes the call fail.
  std::function<std::optional<Fault>(const std::string&)> failing;
  /// The same before each reading call: "open log.1", "read log.1 0", "size log.1", "list d".
  std::function<std::optional<Fault>(const std::string&)> failing_reads;

  void put(const std::string& path, std::string bytes) {
    (void)make_directories(path.substr(0, path.rfind('/')));
    files[path] = std::make_shared<std::string>(std::move(bytes));
  }
  bool has(const std::string& path) const { return files.contains(path); }
  std::string& bytes(const std::string& path) { return *files.at(path); }
  size_t count(const std::string& line) const { return static_cast<size_t>(std::ranges::count(journal, line)); }

  Result<std::unique_ptr<env::File>> open(const std::string& path, env::Open mode) override {
    if (mode == env::Open::Create) {
      if (auto done = act(fmt::format("create {}", path)); !done) return std::unexpected(done.error());
      if (!directories.contains(path.substr(0, path.rfind('/')))) return fail(Fault::NotFound, path);
      files[path] = std::make_shared<std::string>();
    } else if (auto done = look(fmt::format("open {}", path)); !done) {
      return std::unexpected(done.error());
    }
    const auto at = files.find(path);
    if (at == files.end()) return fail(Fault::NotFound, path);
    return std::make_unique<OpenFile>(*this, path, at->second);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    if (auto done = act(fmt::format("rename {} {}", from, to)); !done) return done;
    auto node = files.extract(from);
    if (node.empty()) return fail(Fault::NotFound, from);
    files.erase(to);
    node.key() = to;
    renamed_[node.mapped().get()] = to;
    files.insert(std::move(node));
    return {};
  }
  Result<void> remove(const std::string& path) override {
    if (auto done = act(fmt::format("remove {}", path)); !done) return done;
    if (files.erase(path) == 0) return fail(Fault::NotFound, path);
    return {};
  }
  Result<void> sync_directory(const std::string& path) override { return act(fmt::format("syncdir {}", path)); }
  Result<std::vector<env::Entry>> list(const std::string& path) override {
    if (auto done = look(fmt::format("list {}", path)); !done) return std::unexpected(done.error());
    if (!directories.contains(path)) return fail(Fault::NotFound, path);
    std::vector<env::Entry> entries;
    for (const auto& [name, content] : files) {
      if (name.rfind('/') == path.size() && name.starts_with(path)) {
        entries.push_back({name.substr(path.size() + 1), content->size(), 0});
      }
    }
    return entries;
  }
  Result<void> make_directories(const std::string& path) override {
    for (size_t at = path.find('/', 1); at != path.npos; at = path.find('/', at + 1)) directories[path.substr(0, at)];
    directories[path];
    return {};
  }
  Result<std::unique_ptr<env::DirectoryLock>> lock(const std::string&) override {
    return std::make_unique<env::DirectoryLock>();
  }
  void reach(env::CrashPoint point) override {
    const std::lock_guard lock(mutex_);
    reached.push_back(point);
  }

 private:
  class OpenFile : public env::File {
   public:
    OpenFile(FakeDisk& disk, std::string path, std::shared_ptr<std::string> content)
        : disk_(disk), path_(std::move(path)), content_(std::move(content)) {}
    Result<void> write(uint64_t offset, std::string_view bytes) override {
      if (auto done = disk_.act(fmt::format("write {} {} {}", name(), offset, bytes.size())); !done) return done;
      const std::lock_guard lock(disk_.mutex_);
      if (content_->size() < offset + bytes.size()) content_->resize(offset + bytes.size());
      std::ranges::copy(bytes, content_->begin() + static_cast<ptrdiff_t>(offset));
      return {};
    }
    Result<void> sync() override { return disk_.act(fmt::format("sync {}", name())); }
    Result<size_t> read(uint64_t offset, std::span<char> into) override {
      if (auto done = disk_.look(fmt::format("read {} {}", name(), offset)); !done)
        return std::unexpected(done.error());
      if (offset >= content_->size()) return 0;
      const size_t count = std::min(into.size(), content_->size() - offset);
      std::copy_n(content_->data() + offset, count, into.data());
      return count;
    }
    Result<uint64_t> size() override {
      if (auto done = disk_.look(fmt::format("size {}", name())); !done) return std::unexpected(done.error());
      return content_->size();
    }
    Result<void> truncate(uint64_t size) override {
      if (auto done = disk_.act(fmt::format("truncate {} {}", name(), size)); !done) return done;
      content_->resize(size);
      return {};
    }
    void write_back(uint64_t, uint64_t) override {}

   private:
    const std::string& name() const {
      const auto at = disk_.renamed_.find(content_.get());
      return at == disk_.renamed_.end() ? path_ : at->second;
    }

    FakeDisk& disk_;
    std::string path_;
    std::shared_ptr<std::string> content_;
  };

  Result<void> act(const std::string& line) {
    const std::lock_guard lock(mutex_);
    if (failing) {
      if (const auto fault = failing(line)) return fail(*fault, line);
    }
    journal.push_back(line);
    return {};
  }

  Result<void> look(const std::string& line) {
    const std::lock_guard lock(mutex_);
    const auto fault = failing_reads ? failing_reads(line) : std::nullopt;
    return fault ? fail(*fault, line) : Result<void>();
  }

  std::map<const std::string*, std::string> renamed_;  ///< Present names of files that had another one.
  std::mutex mutex_;                                   ///< One file may be written by two threads.
};

}  // namespace quorate::storage
