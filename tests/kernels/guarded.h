#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

namespace minke {

// An array that ends where an inaccessible page begins, so that reading or writing beyond it stops
// the test, with canaries in front of it.
template <typename T>
class Guarded {
 public:
  explicit Guarded(int64_t count) : count_(count) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t bytes = static_cast<size_t>(count) * sizeof(T);
    const size_t usable = (bytes + kCanaryBytes + page - 1) / page * page;
    mapped_ = usable + page;
    void* memory =
        mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<uint8_t*>(memory);
    mprotect(base_ + usable, page, PROT_NONE);
    data_ = base_ + usable - bytes;
    std::memset(data_ - kCanaryBytes, kCanary, kCanaryBytes + bytes);
  }
  Guarded(std::span<const T> values) : Guarded(static_cast<int64_t>(values.size())) {
    std::copy(values.begin(), values.end(), data());
  }
  Guarded(const std::vector<T>& values) : Guarded(std::span<const T>(values)) {}
  ~Guarded() {
    for (size_t i = 1; i <= kCanaryBytes; ++i) {
      EXPECT_EQ(*(data_ - i), kCanary) << "overwritten " << i << " bytes before the array";
    }
    munmap(base_, mapped_);
  }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() { return reinterpret_cast<T*>(data_); }
  const T* data() const { return reinterpret_cast<const T*>(data_); }
  T& operator[](int64_t i) { return data()[i]; }
  const T& operator[](int64_t i) const { return data()[i]; }
  int64_t size() const { return count_; }

 private:
  static constexpr size_t kCanaryBytes = 256;
  static constexpr uint8_t kCanary = 0xa5;

  int64_t count_ = 0;
  size_t mapped_ = 0;
  uint8_t* base_ = nullptr;
  uint8_t* data_ = nullptr;
};

// Equal bits, or both NaN.
inline bool same_float(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

template <typename T>
void expect_same(Guarded<T>& found, Guarded<T>& expected, const char* what) {
  ASSERT_EQ(found.size(), expected.size());
  for (int64_t i = 0; i < found.size(); ++i) {
    if constexpr (std::is_same_v<T, float>) {
      ASSERT_TRUE(same_float(found[i], expected[i]))
          << what << "[" << i << "]: expected " << expected[i] << ", found " << found[i];
    } else {
      ASSERT_EQ(+found[i], +expected[i]) << what << "[" << i << "]";
    }
  }
}

inline std::vector<float> random_floats(int64_t count, uint32_t seed, float deviation = 1.0f) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal(0.0f, deviation);
  std::vector<float> values(static_cast<size_t>(count));
  for (auto& v : values) v = normal(rng);
  return values;
}

inline std::vector<uint8_t> random_bytes(int64_t count, uint32_t seed) {
  std::mt19937 rng(seed);
  std::vector<uint8_t> bytes(static_cast<size_t>(count));
  for (auto& b : bytes) b = static_cast<uint8_t>(rng());
  return bytes;
}

}  // namespace minke
