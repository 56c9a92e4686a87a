#include "shell/io/direct_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "shell/io/posix_disk.h"

namespace quorate::io {
namespace {

class DirectFileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "direct_file_XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    dir_ = name;
    path_ = dir_ + "/log.1";
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string text() {
    auto file = disk_.open(path_, env::Open::Read).value();
    std::string bytes(file->size().value(), '?');
    EXPECT_EQ(file->read(0, bytes).value(), bytes.size());
    return bytes;
  }

  std::string dir_;
  std::string path_;
  PosixDisk disk_;
};

/// What a log does to its file: runs behind each other, zeros ahead of them by another handle, and a new handle at
/// times.
class Twin {
 public:
  Twin(PosixDisk& disk, std::string path, uint32_t seed) : disk_(disk), path_(std::move(path)), draw_(seed) {
    log_ = disk_.open_direct(path_, env::Open::Create).value();
  }

  void step() {
    switch (draw_() % 8) {
      case 0:
        return fill();
      case 1:
        log_ = disk_.open_direct(path_, env::Open::ReadWrite).value();
        return;
      case 2:
        return append(1 + draw_() % (3 << 20));
      default:
        return append(1 + draw_() % 9000);
    }
  }
  const std::string& written() const { return written_; }

 private:
  void append(size_t bytes) {
    std::string run(bytes, '\0');
    for (char& byte : run) byte = static_cast<char>(draw_());
    ASSERT_TRUE(log_->write(written_.size(), run));
    written_ += run;
    zero_end_ = std::max(zero_end_, written_.size());
  }
  void fill() {
    const size_t from = (zero_end_ + 4095) / 4096 * 4096;
    const size_t bytes = 1 + draw_() % (draw_() % 8 == 0 ? 9 << 20 : 100000);
    auto filler = disk_.open_direct(path_, env::Open::ReadWrite).value();
    ASSERT_TRUE(filler->write_zeros(from, bytes));
    zero_end_ = from + bytes;
  }

  PosixDisk& disk_;
  std::string path_;
  std::mt19937 draw_;
  std::unique_ptr<env::File> log_;
  std::string written_;
  size_t zero_end_ = 0;
};

TEST_F(DirectFileTest, HoldsWhatWasWrittenAndZerosBehindIt) {
  for (uint32_t seed = 1; seed <= 10; ++seed) {
    Twin twin(disk_, path_, seed);
    for (int i = 0; i < 40; ++i) {
      twin.step();
      const std::string found = text();
      ASSERT_GE(found.size(), twin.written().size());
      ASSERT_EQ(found.compare(0, twin.written().size(), twin.written()), 0) << "seed " << seed << ", step " << i;
      ASSERT_EQ(found.find_first_not_of('\0', twin.written().size()), std::string::npos) << "seed " << seed;
    }
  }
}

TEST_F(DirectFileTest, SyncsAndIsCut) {
  auto log = disk_.open_direct(path_, env::Open::Create).value();
  ASSERT_TRUE(log->write(0, "hello"));
  ASSERT_TRUE(log->sync());
  EXPECT_EQ(text(), "hello" + std::string(4091, '\0'));
  ASSERT_TRUE(log->truncate(3));
  EXPECT_EQ(text(), "hel");
}

TEST_F(DirectFileTest, WhereWholePagesAreRefusedTheCacheServes) {
  // Takes numbers only: any page of a log is an invalid argument there.
  Descriptor refusing = Descriptor::open("/proc/self/oom_score_adj", O_RDWR);
  ASSERT_TRUE(refusing.ok());
  DirectFile log(Descriptor::open(path_, O_RDWR | O_CREAT), std::move(refusing), path_);
  ASSERT_TRUE(log.write(0, "hello"));
  ASSERT_TRUE(log.write(5, " you"));
  EXPECT_EQ(text(), "hello you");
  ASSERT_TRUE(log.write_zeros(4096, 5000));
  EXPECT_TRUE(text() == "hello you" + std::string(4096 + 5000 - 9, '\0'));
}

TEST_F(DirectFileTest, WhereZerosAreRefusedTheCacheServes) {
  Descriptor refusing = Descriptor::open("/proc/self/oom_score_adj", O_RDWR);
  DirectFile log(Descriptor::open(path_, O_RDWR | O_CREAT), std::move(refusing), path_);
  ASSERT_TRUE(log.write_zeros(0, 5 << 20));
  EXPECT_TRUE(text() == std::string(5 << 20, '\0'));
}

TEST_F(DirectFileTest, OtherErrorsAreTold) {
  Descriptor full = Descriptor::open("/dev/full", O_RDWR);
  ASSERT_TRUE(full.ok());
  DirectFile log(Descriptor::open(path_, O_RDWR | O_CREAT), std::move(full), path_);
  const auto written = log.write(0, "hello");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().fault, Fault::NoSpace);
  EXPECT_EQ(log.write_zeros(4096, 1).error().fault, Fault::NoSpace);
  EXPECT_EQ(text(), "");
}

}  // namespace
}  // namespace quorate::io
