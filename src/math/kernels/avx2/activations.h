#pragma once

#include <immintrin.h>

#include "math/kernels/kernels.h"

// How dot_i8 and product_few read what belongs to eight groups of 16 values.

namespace minke::avx2 {
namespace {

struct Whole {
  [[gnu::always_inline]] __m256i operator()(const int8_t* p) const {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  [[gnu::always_inline]] __m256i operator()(const int32_t* p) const {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  [[gnu::always_inline]] __m256 operator()(const float* p) const { return _mm256_loadu_ps(p); }
};

// The same where only the groups in `lanes` exist.
struct Masked {
  __m256i lanes;
  [[gnu::always_inline]] __m256i operator()(const int8_t* p) const {
    return _mm256_maskload_epi32(reinterpret_cast<const int*>(p), lanes);
  }
  [[gnu::always_inline]] __m256i operator()(const int32_t* p) const {
    return _mm256_maskload_epi32(p, lanes);
  }
  [[gnu::always_inline]] __m256 operator()(const float* p) const {
    return _mm256_maskload_ps(p, lanes);
  }
};

}  // namespace
}  // namespace minke::avx2
