#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace minke {

// Zeroed anonymous memory from the system, aligned to a page. Pages take no room until they are
// touched, so a large capacity that is never used costs nothing.
class PageBuffer {
 public:
  PageBuffer() = default;
  // Throws Error, naming `what`, if the system refuses.
  PageBuffer(size_t bytes, const char* what);
  ~PageBuffer();
  PageBuffer(PageBuffer&& other) noexcept;
  PageBuffer& operator=(PageBuffer&& other) noexcept;

  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }
  // Asks for huge pages: fewer page faults and translations for memory that is soon used whole.
  void prefer_huge_pages();

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

// Bytes that a program may still take without others being swapped out (MemAvailable of
// /proc/meminfo, Linux); 0 if the system does not tell.
int64_t available_memory();

// Scratch memory of one forward pass: allocations are 64-byte aligned, not initialised, and
// released together, back to a mark or all. Grows by whole blocks, which are kept; reset() joins
// several into one, so a steady state allocates nothing.
class Arena {
 public:
  template <typename T>
  T* allocate(int64_t count) {
    return static_cast<T*>(allocate_bytes(static_cast<size_t>(count) * sizeof(T)));
  }

  struct Mark {
    int block;
    size_t used;
  };
  Mark mark() const { return {block_, used_}; }
  // Releases what was allocated since `mark` was taken.
  void release(Mark mark);
  void reset();
  // Bytes held from the system.
  size_t capacity() const;

 private:
  static constexpr int kMaxBlocks = 48;
  void* allocate_bytes(size_t bytes);

  PageBuffer blocks_[kMaxBlocks];
  int count_ = 0;    // blocks held
  int block_ = 0;    // the one allocated from
  size_t used_ = 0;  // bytes of it
};

}  // namespace minke
