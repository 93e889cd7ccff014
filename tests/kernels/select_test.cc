#include <gtest/gtest.h>

#include "base/cpu/isa.h"
#include "math/kernels/kernels.h"
#include "math/tensor/dtype.h"

// Levels of the same bits differ in speed alone, so that no result shows which of them was chosen.
// Tables are compared and nothing is run: any machine can.

namespace minke {
namespace {

template <typename Check>
void for_each_quantized_type(Check check) {
  for (int t = 0; t < kDTypeCount; ++t) {
    if (is_quantized(static_cast<DType>(t))) check(t);
  }
}

TEST(SelectKernels, AvxVnniHasProductsOfItsOwn) {
  const Kernels own = select_kernels(Isa::kAvxVnni), avx2 = select_kernels(Isa::kAvx2),
                avx512 = select_kernels(Isa::kAvx512);
  for_each_quantized_type([&](int t) {
    const auto name = dtype_name(static_cast<DType>(t));
    EXPECT_NE(own.product_few[t], avx2.product_few[t]) << name;
    EXPECT_NE(own.product_many[t], avx2.product_many[t]) << name;
    EXPECT_NE(own.product_few[t], avx512.product_few[t]) << name;
    EXPECT_NE(own.product_many[t], avx512.product_many[t]) << name;
    EXPECT_EQ(own.unpack_i8[t], avx2.unpack_i8[t]) << name;
    EXPECT_EQ(own.unpack_f32[t], avx2.unpack_f32[t]) << name;
  });
  EXPECT_EQ(own.dot_f32, avx2.dot_f32);
  EXPECT_EQ(own.quantize_blocks, avx2.quantize_blocks);
}

TEST(SelectKernels, AmxHasProductsWithManyRowsOfItsOwn) {
  const Kernels own = select_kernels(Isa::kAmx), below = select_kernels(Isa::kAvx512Bf16);
  for_each_quantized_type([&](int t) {
    const auto name = dtype_name(static_cast<DType>(t));
    EXPECT_NE(own.product_many[t], below.product_many[t]) << name;
    EXPECT_EQ(own.product_few[t], below.product_few[t]) << name;
  });
  EXPECT_NE(own.multiply_bf16, below.multiply_bf16);
}

TEST(SelectKernels, EachOtherLevelReplacesWhatItImplements) {
  const Kernels scalar = select_kernels(Isa::kScalar), avx2 = select_kernels(Isa::kAvx2),
                avx512 = select_kernels(Isa::kAvx512), bf16 = select_kernels(Isa::kAvx512Bf16);
  for_each_quantized_type([&](int t) {
    const auto name = dtype_name(static_cast<DType>(t));
    EXPECT_NE(avx2.product_many[t], scalar.product_many[t]) << name;
    EXPECT_NE(avx512.product_many[t], avx2.product_many[t]) << name;
    EXPECT_NE(avx512.product_few[t], avx2.product_few[t]) << name;
  });
  EXPECT_NE(avx2.dot_f32, scalar.dot_f32);
  EXPECT_NE(avx512.dot_f32, avx2.dot_f32);
  EXPECT_EQ(avx512.dot_bf16, nullptr);
  EXPECT_NE(bf16.dot_bf16, nullptr);
}

}  // namespace
}  // namespace minke
