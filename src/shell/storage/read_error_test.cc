#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "shell/storage/epoch_files.h"
#include "shell/storage/history_testing.h"
#include "shell/storage/purge.h"
#include "shell/storage/set_aside.h"
#include "shell/storage/truncate.h"

/// What the disk did not give this once says nothing about the history: it is not missing, not damaged, not at its end.
/// Whoever reads then comes to the result that a working disk leads to, or fails with Io and loses nothing.
namespace quorate::storage {
namespace {

using Prepare = std::function<void(FakeDisk&)>;
/// What came of it, as text; Io alone is empty.
using Attempt = std::function<std::string(FakeDisk&)>;

std::string path_of(const std::string& line) {
  const size_t begin = line.find(' ') + 1;
  return line.substr(begin, line.find(' ', begin) - begin);
}

std::map<std::string, std::string> contents(const FakeDisk& disk) {
  std::map<std::string, std::string> all;
  for (const auto& [path, bytes] : disk.files) all[path] = *bytes;
  return all;
}

/// Makes the n-th reading call fail, once, or with all later ones on the same file.
class FailingCall {
 public:
  FailingCall(FakeDisk& disk, size_t number, bool for_good = false) : disk_(disk) {
    disk.failing_reads = [this, number, for_good](const std::string& line) {
      const bool now = calls_++ == number;
      if (now) failed_ = line;
      return now || (for_good && reached() && path_of(line) == path_of(failed_)) ? std::optional(Fault::Io)
                                                                                 : std::nullopt;
    };
  }
  ~FailingCall() { disk_.failing_reads = nullptr; }
  FailingCall(const FailingCall&) = delete;
  FailingCall& operator=(const FailingCall&) = delete;
  bool reached() const { return !failed_.empty(); }
  const std::string& failed() const { return failed_; }

 private:
  FakeDisk& disk_;
  size_t calls_ = 0;
  std::string failed_;
};

/// The calls fail one after the other.
void sweep(const Prepare& prepare, const Attempt& attempt, bool for_good) {
  FakeDisk whole;
  prepare(whole);
  const std::string wanted = attempt(whole);
  ASSERT_NE(wanted, "");
  const auto after = contents(whole);
  for (size_t number = 0;; ++number) {
    FakeDisk disk;
    prepare(disk);
    const auto before = contents(disk);
    std::string got;
    {
      FailingCall call(disk, number, for_good);
      got = attempt(disk);
      if (!call.reached()) break;
      EXPECT_TRUE(got.empty() || got == wanted) << call.failed() << ": " << got;
    }
    SCOPED_TRACE(number);
    const auto now = contents(disk);
    EXPECT_TRUE(!got.empty() || now == before || now == after);
    EXPECT_EQ(attempt(disk), wanted);
  }
}

void sweep(const Prepare& prepare, const Attempt& attempt) {
  sweep(prepare, attempt, false);
  sweep(prepare, attempt, true);
}

template <class T>
std::string failure(const Result<T>& result) {
  return result.error().fault == Fault::Io ? "" : result.error().detail;
}

class ReadError : public testing::Test {
 protected:
  ReadError() { places_.settings.may_be_in_doubt = true; }

  void put_whole(FakeDisk& disk) const {
    for (const int64_t zxid : {0, 4, 8}) disk.put(places_.snapshot(zxid), snapshot_bytes(zxid));
    for (const int64_t first : {1, 5, 9}) disk.put(places_.log(first), log_bytes(first, first + 3));
  }
  Attempt start() const {
    return [this](FakeDisk& disk) {
      auto recovered = recover(disk, places_.settings);
      if (!recovered) return failure(recovered);
      return fmt::format("{} from {} {} {}", recovered->last_zxid.value, recovered->snapshot_zxid.value,
                         recovered->in_doubt, recovered->tree->digest());
    };
  }

  TestPlaces places_{false};
};

TEST_F(ReadError, AtAStart) {
  sweep([this](FakeDisk& disk) { put_whole(disk); }, start());
}

TEST_F(ReadError, IsSaidWithTheFile) {
  FakeDisk disk;
  put_whole(disk);
  disk.failing_reads = [this](const std::string& line) {
    return line.starts_with("read " + places_.snapshot(8)) ? std::optional(Fault::Io) : std::nullopt;
  };
  const auto refused = recover(disk, places_.settings);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::Io);
  for (const std::string& part :
       {"The snapshot " + places_.snapshot(8) + " could not be read (read ", std::string("Nothing was changed")}) {
    EXPECT_TRUE(refused.error().detail.contains(part)) << refused.error().detail;
  }
}

TEST_F(ReadError, AtAStartWithATornSnapshotAndATornLog) {
  sweep(
      [this](FakeDisk& disk) {
        put_whole(disk);
        std::string& snapshot = disk.bytes(places_.snapshot(8));
        snapshot.resize(snapshot.size() / 2);
        std::string& log = disk.bytes(places_.log(9));
        log.resize(log.size() - 7);
      },
      start());
}

// A read error must not end in the history's being set aside.
TEST_F(ReadError, BesideDamage) {
  sweep(
      [this](FakeDisk& disk) {
        put_whole(disk);
        disk.bytes(places_.log(9))[60] ^= 1;
      },
      start());
}

TEST_F(ReadError, AtAStartInDoubt) {
  sweep(
      [this](FakeDisk& disk) {
        put_whole(disk);
        disk.put(doubt_path(places_.directories), "why\n");
      },
      start());
}

// The marker that asks for an empty database is there, or it is not.
TEST_F(ReadError, OfTheMarker) {
  places_.settings.autocreate_database = false;
  sweep(
      [](FakeDisk& disk) {
        (void)disk.make_directories("/data/version-2");
        disk.put("/data/initialize", "");
      },
      start());
}

// Its steps may have been done up to anywhere.
TEST_F(ReadError, WhileAReplacementIsFinished) {
  for (const char* name : {"tmp-snapshot.8", "snapshot.8"}) {
    const Prepare prepare = [&, this](FakeDisk& disk) {
      disk.put(places_.snapshot(0), snapshot_bytes(0));
      disk.put(places_.directories.snapshots + "/" + name, snapshot_bytes(8));
      disk.put(places_.directories.snapshots + "/history-change", "replace snapshot.8\n");
      disk.put(places_.log(1), log_bytes(1, 5));
    };
    FakeDisk whole;
    prepare(whole);
    const std::string wanted = start()(whole);
    for (size_t number = 0;; ++number) {
      FakeDisk disk;
      prepare(disk);
      {
        FailingCall call(disk, number);
        const std::string got = start()(disk);
        if (!call.reached()) break;
        EXPECT_TRUE(got.empty() || got == wanted) << call.failed() << ": " << got;
      }
      EXPECT_EQ(start()(disk), wanted) << number;
    }
  }
}

// A refusal makes the server ask for a whole tree.
TEST_F(ReadError, OfACut) {
  for (const int64_t zxid : {6, 10}) {
    const Attempt cut = [&, this](FakeDisk& disk) {
      const auto done = truncate_history(disk, places_.directories, {zxid}, places_.settings.max_buffer_bytes);
      if (!done) return failure(done);
      return fmt::format("{} {}", done->done, done->why_not);
    };
    FakeDisk whole;
    put_whole(whole);
    const std::string wanted = cut(whole);
    for (size_t number = 0;; ++number) {
      FakeDisk disk;
      put_whole(disk);
      FailingCall call(disk, number);
      const std::string got = cut(disk);
      if (!call.reached()) break;
      EXPECT_TRUE(got.empty() || got == wanted) << call.failed() << ": " << got;
    }
  }
}

TEST_F(ReadError, OfTheEpochs) {
  const std::string directory = places_.directories.snapshots;
  sweep(
      [&](FakeDisk& disk) {
        disk.put(directory + "/currentEpoch", "2");
        disk.put(directory + "/acceptedEpoch", "3");
        disk.put(directory + "/currentEpoch.tmp", "5");
      },
      [&](FakeDisk& disk) {
        std::vector<LogLine> lines;
        const auto epochs = EpochFiles::open(disk, directory, {int64_t{4} << 32}, lines);
        return epochs ? fmt::format("{} {}", epochs->accepted(), epochs->current()) : failure(epochs);
      });
}

// What is not read well counts less: the purge keeps more.
TEST_F(ReadError, OfAPurge) {
  for (size_t number = 0;; ++number) {
    FakeDisk disk;
    put_whole(disk);
    disk.put(places_.snapshot(12), snapshot_bytes(12));
    {
      FailingCall call(disk, number);
      (void)purge(disk, places_.directories.snapshots, places_.directories.logs, 3, places_.settings.max_buffer_bytes);
      if (!call.reached()) break;
    }
    for (const int64_t zxid : {4, 8, 12}) EXPECT_TRUE(disk.has(places_.snapshot(zxid))) << number;
    EXPECT_TRUE(start()(disk).starts_with("12 from 12")) << number;
  }
}

}  // namespace
}  // namespace quorate::storage
