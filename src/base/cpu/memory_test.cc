#include "base/cpu/memory.h"

#include <cstring>

#include <gtest/gtest.h>

#include "base/core/error.h"

namespace minke {
namespace {

TEST(Arena, GivesAlignedDisjointMemoryAndKeepsOneBlockAfterReset) {
  Arena arena;
  auto* a = arena.allocate<float>(100);
  auto* b = arena.allocate<uint8_t>(3 << 20);
  auto* c = arena.allocate<float>(10);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a) % 64, 0u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(c) % 64, 0u);
  std::memset(b, 1, 3 << 20);
  a[99] = 2.0f;
  c[0] = 3.0f;
  EXPECT_EQ(a[99], 2.0f);
  const size_t capacity = arena.capacity();
  arena.reset();
  EXPECT_EQ(arena.capacity(), capacity);
  arena.allocate<uint8_t>(3 << 20);
  EXPECT_EQ(arena.capacity(), capacity);
}

TEST(Arena, ReleaseGivesTheSameMemoryAgain) {
  Arena arena;
  auto* kept = arena.allocate<int>(4);
  kept[0] = 7;
  const Arena::Mark mark = arena.mark();
  auto* a = arena.allocate<float>(16);
  arena.allocate<float>(1 << 20);
  arena.release(mark);
  EXPECT_EQ(arena.allocate<float>(16), a);
  EXPECT_EQ(kept[0], 7);
}

TEST(PageBuffer, RefusalNamesWhatTheMemoryIsFor) {
  try {
    PageBuffer buffer(size_t{1} << 60, "kv cache");
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()).rfind("kv cache: ", 0), 0u);
  }
}

TEST(AvailableMemory, IsWhatALinuxMachineMayHave) {
  const int64_t bytes = available_memory();
  EXPECT_GT(bytes, int64_t{1} << 20);
  EXPECT_LT(bytes, int64_t{1} << 50);
}

}  // namespace
}  // namespace minke
