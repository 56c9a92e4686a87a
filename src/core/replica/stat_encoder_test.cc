#include "core/replica/stat_encoder.h"

#include <gtest/gtest.h>

#include <random>

#include "wire/record.h"

namespace quorate::replica {
namespace {

// Goal: the direct stores and the declared record are one layout. Method: random stats through both.
TEST(StatEncoder, EqualsTheRecordEncoder) {
  std::mt19937_64 random(7);
  const auto i32 = [&random] { return static_cast<int32_t>(random()); };
  const auto i64 = [&random] { return static_cast<int64_t>(random()); };
  for (int round = 0; round < 1000; ++round) {
    const wire::Stat stat{i64(), i64(), i64(), i64(), i32(), i32(), i32(), i64(), i32(), i32(), i64()};
    ByteBuffer fast;
    append_stat(fast, stat);
    ByteBuffer generic;
    wire::Encoder encoder(generic);
    wire::encode(encoder, stat);
    ASSERT_EQ(fast.view(), generic.view());
    ASSERT_EQ(fast.size(), kStatBytes);
  }
}

}  // namespace
}  // namespace quorate::replica
