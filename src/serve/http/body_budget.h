#pragma once

#include <atomic>
#include <cstdint>

namespace minke {

// Memory for the bodies of requests that are being received, shared by all connections of a server.
class BodyBudget {
 public:
  explicit BodyBudget(int64_t bytes) : left_(bytes) {}

 private:
  friend class BodyShare;
  std::atomic<int64_t> left_;
};

// What one connection has of it, until release() or its end. The budget must outlive it.
class BodyShare {
 public:
  explicit BodyShare(BodyBudget& budget) : budget_(budget) {}
  ~BodyShare() { release(); }
  BodyShare(const BodyShare&) = delete;
  BodyShare& operator=(const BodyShare&) = delete;

  // False if so much is not left; it then has what it had.
  bool grow_to(int64_t bytes) {
    const int64_t more = bytes - bytes_;
    if (more <= 0) return true;
    if (budget_.left_.fetch_sub(more) < more) {
      budget_.left_.fetch_add(more);
      return false;
    }
    bytes_ = bytes;
    return true;
  }
  void release() {
    budget_.left_.fetch_add(bytes_);
    bytes_ = 0;
  }

 private:
  BodyBudget& budget_;
  int64_t bytes_ = 0;
};

}  // namespace minke
