#include "tools/bench_workload.h"

#include <fmt/format.h>

#include "tools/bench_frames.h"

namespace quorate::tools {
namespace {

constexpr size_t kDirectoryDigits = 5;
constexpr size_t kLeafDigits = 10;

/// xorshift64*: a few nanoseconds a draw, the same run for the same options.
class Draw {
 public:
  uint32_t below(uint32_t limit) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    const uint64_t high = (state_ * 0x2545F4914F6CDD1DULL) >> 32;
    return static_cast<uint32_t>((high * limit) >> 32);
  }

 private:
  uint64_t state_ = 0x9E3779B97F4A7C15ULL;
};

/// get, set and mix over the same keys.
class KeyWorkload : public BenchWorkload {
 public:
  explicit KeyWorkload(const BenchOptions& options) : read_percent_(options.read_percent) {
    if (options.mode == BenchMode::Get) read_percent_ = 100;
    if (options.mode == BenchMode::Set) read_percent_ = 0;
    const std::string value(options.value_bytes, 'v');
    for (uint32_t key = 0; key < options.keys; ++key) {
      const std::string path = key_path(options, key);
      gets_.push_back(get_frame(path));
      // The value and the version are alike for all keys: one copy of them stays in the cache.
      const std::string set = set_frame(path, value);
      const size_t own_bytes = set.size() - value.size() - 4;
      set_heads_.push_back(set.substr(0, own_bytes));
      set_tail_ = set.substr(own_bytes);
    }
  }

  Sent append(size_t, int32_t xid, ByteBuffer& out) override {
    const uint32_t key = draw_.below(static_cast<uint32_t>(gets_.size()));
    if (draw_.below(100) < read_percent_) {
      append_frame(out, gets_[key], xid);
      return Sent::Read;
    }
    append_frame(out, set_heads_[key], xid);
    out.append(set_tail_);
    return Sent::Write;
  }

 private:
  uint32_t read_percent_;
  Draw draw_;
  std::vector<std::string> gets_;
  std::vector<std::string> set_heads_;
  std::string set_tail_;
};

/// A create of ROOT/xDDDDD/nNNNNNNNNNN (the leaf's name has 11 bytes), with both numbers patched in.
class CreateFrame {
 public:
  CreateFrame(const BenchOptions& options, char kind)
      : directory_at_(kPathOffset + options.root.size() + 2), leaf_at_(directory_at_ + kDirectoryDigits + 2) {
    const std::string path = directory_path(options, kind, 0) + "/n" + std::string(kLeafDigits, '0');
    frame_ = create_frame(path, std::string(options.value_bytes, 'v'));
  }

  void append(ByteBuffer& out, int32_t xid, uint64_t directory, uint64_t leaf) const {
    char* at = append_frame(out, frame_, xid);
    patch_digits(at + directory_at_, kDirectoryDigits, directory);
    patch_digits(at + leaf_at_, kLeafDigits, leaf);
  }

 private:
  static constexpr size_t kPathOffset = 16;  // frame length, xid, type, path length

  size_t directory_at_;
  size_t leaf_at_;
  std::string frame_;
};

/// Creates without end, each connection under its own parent.
class CreateWorkload : public BenchWorkload {
 public:
  CreateWorkload(const BenchOptions& options, std::vector<uint64_t> next)
      : frame_(options, 'c'), next_(std::move(next)) {}

  Sent append(size_t connection, int32_t xid, ByteBuffer& out) override {
    frame_.append(out, xid, connection, next_[connection]++);
    return Sent::Write;
  }

 private:
  CreateFrame frame_;
  std::vector<uint64_t> next_;
};

/// A counted number of creates, spread over directories.
class FillWorkload : public BenchWorkload {
 public:
  explicit FillWorkload(const BenchOptions& options)
      : frame_(options, 'd'), count_(options.fill), fan_out_(options.fan_out) {}

  Sent append(size_t, int32_t xid, ByteBuffer& out) override {
    if (next_ == count_) return Sent::Nothing;
    frame_.append(out, xid, next_ / fan_out_, next_);
    ++next_;
    return Sent::Write;
  }

 private:
  CreateFrame frame_;
  uint64_t count_;
  uint32_t fan_out_;
  uint64_t next_ = 0;
};

class DeleteWorkload : public BenchWorkload {
 public:
  explicit DeleteWorkload(std::vector<std::string> paths) : paths_(std::move(paths)) {}

  Sent append(size_t, int32_t xid, ByteBuffer& out) override {
    if (next_ == paths_.size()) return Sent::Nothing;
    append_frame(out, delete_frame(paths_[next_++]), xid);
    return Sent::Write;
  }

 private:
  std::vector<std::string> paths_;
  size_t next_ = 0;
};

}  // namespace

std::string key_path(const BenchOptions& options, uint32_t key) { return fmt::format("{}/k{}", options.root, key); }

std::string directory_path(const BenchOptions& options, char kind, uint64_t at) {
  return fmt::format("{}/{}{:0{}}", options.root, kind, at, kDirectoryDigits);
}

std::unique_ptr<BenchWorkload> key_workload(const BenchOptions& options) {
  return std::make_unique<KeyWorkload>(options);
}
std::unique_ptr<BenchWorkload> create_workload(const BenchOptions& options, std::vector<uint64_t> next) {
  return std::make_unique<CreateWorkload>(options, std::move(next));
}
std::unique_ptr<BenchWorkload> fill_workload(const BenchOptions& options) {
  return std::make_unique<FillWorkload>(options);
}
std::unique_ptr<BenchWorkload> delete_workload(std::vector<std::string> paths) {
  return std::make_unique<DeleteWorkload>(std::move(paths));
}

}  // namespace quorate::tools
