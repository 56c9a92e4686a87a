#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "shell/storage/golden_testing.h"

namespace quorate::storage {
namespace {

constexpr size_t kTarBlockBytes = 512;

std::string gunzip(const std::string& packed) {
  z_stream zlib{};
  EXPECT_EQ(inflateInit2(&zlib, 15 + 16), Z_OK);
  zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  zlib.avail_in = static_cast<uInt>(packed.size());
  std::string out;
  int code = Z_OK;
  while (code == Z_OK) {
    const size_t had = out.size();
    out.resize(had + (1 << 20));
    zlib.next_out = reinterpret_cast<Bytef*>(out.data() + had);
    zlib.avail_out = 1 << 20;
    code = inflate(&zlib, Z_NO_FLUSH);
    out.resize(out.size() - zlib.avail_out);
  }
  EXPECT_EQ(code, Z_STREAM_END);
  inflateEnd(&zlib);
  return out;
}

}  // namespace

std::string read_golden(const std::string& name) {
  std::ifstream file(std::string(QUORATE_GOLDEN) + "/data/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

void unpack_golden(const std::string& name, FakeDisk& disk) {
  const std::string tar = gunzip(read_golden(name + "/data.tar.gz"));
  for (size_t at = 0; at + kTarBlockBytes <= tar.size() && tar[at] != 0;) {
    const std::string path = "/golden/" + std::string(tar.c_str() + at);
    const size_t size = std::strtoull(tar.substr(at + 124, 12).c_str(), nullptr, 8);
    const char kind = tar[at + 156];
    if (kind == '5') (void)disk.make_directories(path.substr(0, path.find_last_not_of('/') + 1));
    if (kind == '0' || kind == 0) disk.put(path, tar.substr(at + kTarBlockBytes, size));
    at += kTarBlockBytes + (size + kTarBlockBytes - 1) / kTarBlockBytes * kTarBlockBytes;
  }
}

TEST(GoldenDirectories, Unpack) {
  FakeDisk disk;
  unpack_golden("all-ops-3.9.5", disk);
  EXPECT_EQ(disk.bytes("/golden/data/version-2/snapshot.0").size(), 478u);
  EXPECT_EQ(disk.bytes("/golden/data/version-2/log.1").size(), 131072u);
}

}  // namespace quorate::storage
