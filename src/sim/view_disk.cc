#include "sim/view_disk.h"

namespace quorate::sim {
namespace {

class ViewFile final : public env::File {
 public:
  explicit ViewFile(SimFilePtr node) : node_(std::move(node)) {}
  Result<void> write(uint64_t, std::string_view) override { return refuse(); }
  Result<void> sync() override { return refuse(); }
  Result<size_t> read(uint64_t offset, std::span<char> into) override { return node_->content.read(offset, into); }
  Result<uint64_t> size() override { return node_->content.bytes().size(); }
  Result<void> truncate(uint64_t) override { return refuse(); }
  void write_back(uint64_t, uint64_t) override {}

 private:
  static Result<void> refuse() { return fail(Fault::Invalid, "a view changes nothing"); }
  SimFilePtr node_;
};

}  // namespace

Result<std::unique_ptr<env::File>> ViewDisk::open(const std::string& path, env::Open) {
  SimFilePtr node = disk_.find(path);
  if (node == nullptr) return fail(Fault::NotFound, path);
  return std::make_unique<ViewFile>(std::move(node));
}

Result<std::vector<env::Entry>> ViewDisk::list(const std::string& path) {
  const auto at = disk_.directories().find(path);
  if (at == disk_.directories().end()) return fail(Fault::NotFound, path);
  std::vector<env::Entry> entries;
  for (const auto& [name, node] : at->second.now()) entries.push_back({name, node->content.bytes().size(), 0});
  return entries;
}

}  // namespace quorate::sim
