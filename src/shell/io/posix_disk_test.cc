#include "shell/io/posix_disk.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>

namespace quorate::io {
namespace {

class PosixDiskTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "posix_disk_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }
  std::string text(const std::string& name) {
    auto file = disk_.open(dir_ + name, env::Open::Read);
    if (!file) return "absent";
    std::string bytes(100, '?');
    bytes.resize((*file)->read(0, bytes).value());
    return bytes;
  }
  std::string dir_;
  PosixDisk disk_;
};

TEST_F(PosixDiskTest, WritesReadsAndCuts) {
  auto file = disk_.open(dir_ + "/a", env::Open::Create);
  ASSERT_TRUE(file);
  ASSERT_TRUE((*file)->write(0, "hello"));
  ASSERT_TRUE((*file)->write(8, "you"));
  ASSERT_TRUE((*file)->sync());
  (*file)->write_back(0, 11);
  EXPECT_EQ(text("/a"), std::string("hello\0\0\0you", 11));
  char tail[8];
  EXPECT_EQ((*file)->read(9, tail).value(), 2u);
  ASSERT_TRUE((*file)->truncate(5));
  EXPECT_EQ((*file)->size().value(), 5u);
  ASSERT_TRUE(disk_.open(dir_ + "/a", env::Open::ReadWrite).value()->write(1, "u"));
  EXPECT_EQ(text("/a"), "hullo");
  ASSERT_TRUE(disk_.open(dir_ + "/a", env::Open::Create));
  EXPECT_EQ(text("/a"), "");
}

TEST_F(PosixDiskTest, ErrorsNamePathAndReason) {
  const std::string path = dir_ + "/none";
  for (const auto& result : {disk_.open(path, env::Open::Read), disk_.open(path, env::Open::ReadWrite),
                             disk_.open(path + "/x", env::Open::Create)}) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().fault, Fault::NotFound);
    EXPECT_NE(result.error().detail.find(path), std::string::npos);
    EXPECT_NE(result.error().detail.find("No such file or directory"), std::string::npos);
  }
  EXPECT_EQ(disk_.list(path).error().fault, Fault::NotFound);
  EXPECT_EQ(disk_.remove(path).error().fault, Fault::NotFound);
  EXPECT_EQ(disk_.rename(path, path + "2").error().fault, Fault::NotFound);
  EXPECT_EQ(disk_.sync_directory(path).error().fault, Fault::NotFound);
}

TEST_F(PosixDiskTest, AFullDiskIsToldApart) {
  auto full = disk_.open("/dev/full", env::Open::ReadWrite);
  ASSERT_TRUE(full) << full.error().detail;
  auto written = (*full)->write(0, "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().fault, Fault::NoSpace);
  EXPECT_EQ(written.error().detail, "write /dev/full: No space left on device");
}

TEST_F(PosixDiskTest, ListsRegularFilesByName) {
  for (const char* name : {"/b", "/a", "/c"}) ASSERT_TRUE(disk_.open(dir_ + name, env::Open::Create));
  ASSERT_TRUE(disk_.open(dir_ + "/b", env::Open::ReadWrite).value()->write(0, "12345"));
  ASSERT_TRUE(disk_.make_directories(dir_ + "/sub/deeper"));
  ASSERT_TRUE(disk_.make_directories(dir_ + "/sub/deeper"));
  auto entries = disk_.list(dir_);
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3u);
  EXPECT_EQ((*entries)[0].name, "a");
  EXPECT_EQ((*entries)[1].name, "b");
  EXPECT_EQ((*entries)[1].size, 5u);
  EXPECT_GT((*entries)[1].modified_ms, 1'600'000'000'000);
  EXPECT_TRUE(disk_.list(dir_ + "/sub/deeper")->empty());
  EXPECT_FALSE(disk_.make_directories(dir_ + "/a/b"));
}

// A file that cannot be looked at is not missing: with it the list would be another history.
TEST_F(PosixDiskTest, ListsAllOrNothing) {
  ASSERT_TRUE(disk_.open(dir_ + "/a", env::Open::Create));
  ASSERT_EQ(::symlink("nowhere", (dir_ + "/link").c_str()), 0);
  EXPECT_EQ(disk_.list(dir_)->size(), 1U);
  ASSERT_EQ(::symlink("a/through-a-file", (dir_ + "/log.5").c_str()), 0);
  const auto refused = disk_.list(dir_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::Io);
  EXPECT_TRUE(refused.error().detail.contains("/log.5")) << refused.error().detail;
}

TEST_F(PosixDiskTest, RenamesOverAndSyncsDirectories) {
  ASSERT_TRUE(disk_.open(dir_ + "/new", env::Open::Create).value()->write(0, "new"));
  ASSERT_TRUE(disk_.open(dir_ + "/old", env::Open::Create).value()->write(0, "old"));
  ASSERT_TRUE(disk_.rename(dir_ + "/new", dir_ + "/old"));
  ASSERT_TRUE(disk_.sync_directory(dir_));
  EXPECT_EQ(text("/old"), "new");
  EXPECT_EQ(text("/new"), "absent");
  ASSERT_TRUE(disk_.remove(dir_ + "/old"));
  EXPECT_EQ(text("/old"), "absent");
}

TEST_F(PosixDiskTest, ALockedDirectoryIsRefused) {
  auto lock = disk_.lock(dir_);
  ASSERT_TRUE(lock) << lock.error().detail;
  auto second = disk_.lock(dir_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().fault, Fault::Exists);
  lock->reset();
  EXPECT_TRUE(disk_.lock(dir_));
}

}  // namespace
}  // namespace quorate::io
