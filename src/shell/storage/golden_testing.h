#pragma once
#include <string>

#include "shell/storage/fake_disk.h"

/// For tests: the golden directories of tests/golden/data, unpacked onto a fake disk.
namespace quorate::storage {

std::string read_golden(const std::string& name);  ///< Path below tests/golden/data.

/// Unpacks <name>/data.tar.gz below /golden.
void unpack_golden(const std::string& name, FakeDisk& disk);

}  // namespace quorate::storage
