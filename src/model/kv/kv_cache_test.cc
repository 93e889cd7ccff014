#include "model/kv/kv_cache.h"

#include <gtest/gtest.h>

#include "base/core/error.h"

namespace minke {
namespace {

TEST(KvCache, RowsOfALayerAreContiguousAndLayersApart) {
  KvCache cache({2, 3, DType::kF32}, 4);
  EXPECT_EQ(cache.row(0, 1), cache.row(0, 0) + 12);
  cache.row(1, 3)[11] = 5;
  cache.advance(4);
  EXPECT_EQ(cache.length(), 4);
  cache.truncate(1);
  EXPECT_EQ(cache.length(), 1);
  EXPECT_EQ(cache.row(1, 3)[11], 5);
}

TEST(KvCache, RowsTakeTheBytesOfTheirType) {
  EXPECT_EQ((KvLayout{27, 576, DType::kF32}.bytes_per_token()), 27 * 576 * 4);
  EXPECT_EQ((KvLayout{27, 576, DType::kBF16}.bytes_per_token()), 27 * 576 * 2);
  KvCache cache({1, 3, DType::kBF16}, 4);
  EXPECT_EQ(cache.row(0, 2), cache.row(0, 0) + 12);
}

TEST(KvCache, AnImpossibleCapacityIsAnError) {
  EXPECT_THROW(KvCache({1, 576}, int64_t{1} << 50), Error);
}

}  // namespace
}  // namespace minke
