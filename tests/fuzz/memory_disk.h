#pragma once
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "shell/env/disk.h"

/// A disk that is a map, for fuzz targets: nothing fails, nothing is lost. As on a real one, an open file stays usable
/// when it is renamed or removed.
namespace quorate::fuzz {

class MemoryFile : public env::File {
 public:
  explicit MemoryFile(std::string& bytes) : bytes_(bytes) {}

  Result<void> write(uint64_t offset, std::string_view bytes) override {
    if (bytes_.size() < offset + bytes.size()) bytes_.resize(offset + bytes.size());
    bytes_.replace(offset, bytes.size(), bytes);
    return {};
  }
  Result<void> sync() override { return {}; }
  Result<size_t> read(uint64_t offset, std::span<char> into) override {
    if (offset >= bytes_.size()) return size_t{0};
    return bytes_.copy(into.data(), into.size(), offset);
  }
  Result<uint64_t> size() override { return bytes_.size(); }
  Result<void> truncate(uint64_t size) override {
    bytes_.resize(size);
    return {};
  }
  void write_back(uint64_t, uint64_t) override {}

 private:
  std::string& bytes_;
};

class MemoryDisk : public env::Disk {
 public:
  std::map<std::string, std::string> files;  ///< Whole paths.

  Result<std::unique_ptr<env::File>> open(const std::string& path, env::Open mode) override {
    if (mode == env::Open::Create) files[path].clear();
    const auto file = files.find(path);
    if (file == files.end()) return fail(Fault::NotFound, path);
    return std::make_unique<MemoryFile>(file->second);
  }
  Result<void> rename(const std::string& from, const std::string& to) override {
    auto file = files.extract(from);
    if (file.empty()) return fail(Fault::NotFound, from);
    (void)remove(to);
    file.key() = to;
    files.insert(std::move(file));
    return {};
  }
  Result<void> remove(const std::string& path) override {
    auto file = files.extract(path);
    if (file.empty()) return fail(Fault::NotFound, path);
    removed_.push_back(std::move(file));
    return {};
  }
  Result<void> sync_directory(const std::string&) override { return {}; }
  Result<std::vector<env::Entry>> list(const std::string& path) override {
    std::vector<env::Entry> entries;
    for (const auto& [name, bytes] : files) {
      if (name.rfind('/') == path.size() && name.starts_with(path))
        entries.push_back({name.substr(path.size() + 1), bytes.size(), 0});
    }
    return entries;
  }
  Result<void> make_directories(const std::string&) override { return {}; }
  Result<std::unique_ptr<env::DirectoryLock>> lock(const std::string&) override {
    return std::make_unique<env::DirectoryLock>();
  }

 private:
  std::vector<std::map<std::string, std::string>::node_type> removed_;
};

}  // namespace quorate::fuzz
