#pragma once
#include "sim/sim_disk.h"

/// The simulated disk as checkers read it: no errors, no counting, and no changes.
namespace quorate::sim {

class ViewDisk final : public env::Disk {
 public:
  explicit ViewDisk(const SimDisk& disk) : disk_(disk) {}

  Result<std::unique_ptr<env::File>> open(const std::string& path, env::Open mode) override;
  Result<void> rename(const std::string&, const std::string&) override { return refuse(); }
  Result<void> remove(const std::string&) override { return refuse(); }
  Result<void> sync_directory(const std::string&) override { return refuse(); }
  Result<std::vector<env::Entry>> list(const std::string& path) override;
  Result<void> make_directories(const std::string&) override { return refuse(); }
  Result<std::unique_ptr<env::DirectoryLock>> lock(const std::string&) override {
    return fail(Fault::Invalid, "a view changes nothing");
  }

 private:
  static Result<void> refuse() { return fail(Fault::Invalid, "a view changes nothing"); }
  const SimDisk& disk_;
};

}  // namespace quorate::sim
