#include "serve/http/connection_list.h"

#include <chrono>
#include <utility>

namespace minke {
namespace {

// Connections beyond the limit that are told so at the same time.
constexpr int64_t kMostRefused = 64;

}  // namespace

ConnectionList::Admission ConnectionList::add(const std::shared_ptr<Connection>& connection,
                                              int64_t limit) {
  const std::lock_guard lock(mutex_);
  const bool served = served_ < limit;
  const int64_t refused = static_cast<int64_t>(entries_.size()) - served_;
  if (!served && refused >= kMostRefused) return Admission::kTooMany;
  entries_[connection.get()] = {connection, served, false};
  if (served) ++served_;
  ++unanswered_;
  return served ? Admission::kServed : Admission::kRefused;
}

void ConnectionList::answered_locked(Entry& entry) {
  if (std::exchange(entry.answered, true)) return;
  if (--unanswered_ == 0) all_answered_.notify_all();
}

void ConnectionList::answered(const Connection* connection) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(connection);
  if (found != entries_.end()) answered_locked(found->second);
}

void ConnectionList::remove(const Connection* connection) {
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(connection);
  if (found == entries_.end()) return;
  answered_locked(found->second);
  if (found->second.served) --served_;
  entries_.erase(found);
}

std::vector<std::shared_ptr<Connection>> ConnectionList::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Connection>> connections;
  connections.reserve(entries_.size());
  for (const auto& [key, entry] : entries_) {
    if (auto connection = entry.connection.lock()) connections.push_back(std::move(connection));
  }
  return connections;
}

bool ConnectionList::wait_until_answered(double seconds) {
  std::unique_lock lock(mutex_);
  return all_answered_.wait_for(lock, std::chrono::duration<double>(seconds),
                                [&] { return unanswered_ == 0; });
}

}  // namespace minke
