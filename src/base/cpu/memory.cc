#include "base/cpu/memory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>

#include <sys/mman.h>

#include "base/core/check.h"
#include "base/core/error.h"

namespace minke {

PageBuffer::PageBuffer(size_t bytes, const char* what) : size_(bytes) {
  if (bytes == 0) return;
  void* data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) {
    fail(what, "the system refused {} bytes of memory: {}", bytes, std::strerror(errno));
  }
  data_ = static_cast<uint8_t*>(data);
}

void PageBuffer::prefer_huge_pages() {
  // A kernel without them is no reason to fail.
  if (data_ != nullptr) ::madvise(data_, size_, MADV_HUGEPAGE);
}

PageBuffer::~PageBuffer() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

PageBuffer::PageBuffer(PageBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

PageBuffer& PageBuffer::operator=(PageBuffer&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

void* Arena::allocate_bytes(size_t bytes) {
  constexpr size_t kAlign = 64;
  constexpr size_t kFirstBlock = size_t{1} << 20;
  bytes = (bytes + kAlign - 1) & ~(kAlign - 1);
  while (block_ < count_ && used_ + bytes > blocks_[block_].size()) {
    ++block_;
    used_ = 0;
  }
  if (block_ == count_) {
    CHECK(count_ < kMaxBlocks);
    const size_t grown = count_ == 0 ? kFirstBlock : 2 * blocks_[count_ - 1].size();
    blocks_[count_] = PageBuffer(std::max(bytes, grown), "scratch memory");
    blocks_[count_++].prefer_huge_pages();
  }
  void* place = blocks_[block_].data() + used_;
  used_ += bytes;
  return place;
}

void Arena::release(Mark mark) {
  CHECK(mark.block < block_ || (mark.block == block_ && mark.used <= used_));
  block_ = mark.block;
  used_ = mark.used;
}

void Arena::reset() {
  if (count_ > 1) {
    const size_t total = capacity();
    for (int i = 0; i < count_; ++i) blocks_[i] = PageBuffer();
    blocks_[0] = PageBuffer(total, "scratch memory");
    blocks_[0].prefer_huge_pages();
    count_ = 1;
  }
  block_ = 0;
  used_ = 0;
}

size_t Arena::capacity() const {
  size_t total = 0;
  for (int i = 0; i < count_; ++i) total += blocks_[i].size();
  return total;
}

int64_t available_memory() {
  std::ifstream file("/proc/meminfo");
  std::string name, unit;
  int64_t kibibytes = 0;
  while (file >> name >> kibibytes) {
    if (name == "MemAvailable:") return kibibytes * 1024;
    std::getline(file, unit);
  }
  return 0;
}

}  // namespace minke
