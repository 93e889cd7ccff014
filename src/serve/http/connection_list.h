#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace minke {

class Connection;

// What there is of connections. May be used from any thread.
class ConnectionList {
 public:
  enum class Admission { kServed, kRefused, kTooMany };

  // kRefused: `limit` connections are served; this one is to hear so, if there are not too many
  // such ones either.
  Admission add(const std::shared_ptr<Connection>& connection, int64_t limit);
  void answered(const Connection* connection);  // has no more to answer
  void remove(const Connection* connection);
  std::vector<std::shared_ptr<Connection>> all() const;
  // True once all have been answered, false if `seconds` pass before.
  bool wait_until_answered(double seconds);

 private:
  struct Entry {
    std::weak_ptr<Connection> connection;
    bool served = false;
    bool answered = false;
  };

  void answered_locked(Entry& entry);

  mutable std::mutex mutex_;
  std::condition_variable all_answered_;
  std::unordered_map<const Connection*, Entry> entries_;
  int64_t served_ = 0;
  int64_t unanswered_ = 0;
};

}  // namespace minke
