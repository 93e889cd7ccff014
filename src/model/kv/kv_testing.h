#pragma once

// For tests only.

#include <cstring>
#include <numeric>
#include <string>
#include <vector>

#include "model/kv/kv_cache.h"

namespace minke::testing {

// Two layers of three values: a page has 6 KiB.
inline constexpr KvLayout kSmallLayout{2, 3, DType::kF32};

// What a model would write for the token at `position`, told from the ids up to it alone.
inline uint32_t row_value(std::span<const int32_t> tokens, int64_t position, int layer) {
  uint32_t value = 2166136261u + static_cast<uint32_t>(layer);
  for (const int32_t id : tokens.first(static_cast<size_t>(position) + 1)) {
    value = (value ^ static_cast<uint32_t>(id)) * 16777619u;
  }
  return value;
}

inline void fill_row(uint8_t* row, int64_t bytes, uint32_t value) {
  for (int64_t i = 0; i < bytes; i += 4) {
    const uint32_t word = value + static_cast<uint32_t>(i);
    std::memcpy(row + i, &word, sizeof(word));
  }
}

// Appends the tokens of `tokens` that the cache does not hold yet. False if there are no pages.
inline bool compute(KvCache& cache, std::span<const int32_t> tokens) {
  if (!cache.reserve(static_cast<int64_t>(tokens.size()))) return false;
  const int64_t first = cache.length();
  const auto end = static_cast<int64_t>(tokens.size());
  for (int layer = 0; layer < cache.layout().layers; ++layer) {
    for (int64_t t = first; t < end; ++t) {
      fill_row(cache.new_row(layer, t), cache.layout().row_bytes(), row_value(tokens, t, layer));
    }
  }
  cache.advance(end - first);
  return true;
}

inline bool has_row(const uint8_t* row, int64_t bytes, uint32_t value) {
  std::vector<uint8_t> expected(static_cast<size_t>(bytes));
  fill_row(expected.data(), bytes, value);
  return std::memcmp(row, expected.data(), expected.size()) == 0;
}

// Whether the cache holds what computing `tokens` gives, of all its length.
inline bool holds(const KvCache& cache, std::span<const int32_t> tokens) {
  for (int layer = 0; layer < cache.layout().layers; ++layer) {
    for (int64_t t = 0; t < cache.length(); ++t) {
      const uint32_t value = row_value(tokens, t, layer);
      if (!has_row(cache.row(layer, t), cache.layout().row_bytes(), value)) return false;
    }
  }
  return true;
}

// `count` ids that follow from `seed`.
inline std::vector<int32_t> some_tokens(int64_t count, int32_t seed) {
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  std::iota(tokens.begin(), tokens.end(), 1000 * seed);
  return tokens;
}

inline std::vector<int32_t> joined(std::vector<int32_t> a, const std::vector<int32_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace minke::testing
