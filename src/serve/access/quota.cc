#include "serve/access/quota.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/core/check.h"
#include "base/core/error.h"
#include "serve/access/database.h"

namespace minke {
namespace {

constexpr int32_t kDatabaseKind = 0x4d4b5155;  // "MKQU"
constexpr const char* kSchema = R"(
CREATE TABLE days (
  key TEXT NOT NULL, day INTEGER NOT NULL, requests INTEGER NOT NULL, tokens INTEGER NOT NULL,
  PRIMARY KEY (key, day)) STRICT, WITHOUT ROWID)";
constexpr int64_t kDaysKept = 400;
constexpr double kDaySeconds = 86400;
constexpr double kMinuteSeconds = 60;
constexpr auto kWriteInterval = std::chrono::seconds(1);
// A place among concurrent requests may become free at any time.
constexpr double kConcurrentRetrySeconds = 1;
// Sums stop here rather than overflow.
constexpr int64_t kMostTokens = int64_t{1} << 60;

// Holds one minute's worth of `most`. Starts full.
class Bucket {
 public:
  void fill(int64_t most, double now) {
    const double room = static_cast<double>(most);
    if (!seen_) level_ = room;
    // A clock that goes back fills nothing.
    const double seconds = seen_ ? std::max(0.0, now - *seen_) : 0;
    level_ = std::min(room, level_ + seconds * room / kMinuteSeconds);
    seen_ = now;
  }
  void take(double amount) { level_ -= amount; }
  // Seconds until one can be taken; 0: it can be.
  double wait(int64_t most) const {
    return level_ >= 1 ? 0 : (1 - level_) * kMinuteSeconds / static_cast<double>(most);
  }

 private:
  double level_ = 0;
  std::optional<double> seen_;
};

int64_t day_of(double seconds) {
  return static_cast<int64_t>(std::floor(seconds / kDaySeconds));
}

struct DayRow {
  std::string key;
  int64_t day = 0;
  QuotaUsage usage;
};

}  // namespace

// What is known of one key. `mutex` guards the rest.
struct QuotaTicket::Account {
  std::mutex mutex;
  std::string name;
  Clock clock;
  Bucket requests, tokens;
  int64_t concurrent = 0;
  int64_t day = 0;
  QuotaUsage used;               // on that day
  bool written = true;           // `used` as it is
  std::vector<DayRow> finished;  // days that ended before they were written

  void turn_to(int64_t today) {
    // A clock that is put right around midnight must not give the same day twice. One that goes
    // back further was wrong before.
    if (today == day || today == day - 1) return;
    if (!written) finished.push_back({name, day, used});
    day = today;
    used = {};
    written = true;
  }
};

QuotaTicket::~QuotaTicket() {
  const std::lock_guard lock(account_->mutex);
  --account_->concurrent;
}

void QuotaTicket::charge(int64_t tokens) {
  CHECK(tokens >= 0);
  const double now = account_->clock();
  const std::lock_guard lock(account_->mutex);
  account_->turn_to(day_of(now));
  account_->tokens.take(static_cast<double>(tokens));
  account_->used.tokens =
      std::min(kMostTokens, account_->used.tokens + std::min(tokens, kMostTokens));
  account_->written = false;
}

struct QuotaLedger::Impl {
  using Account = QuotaTicket::Account;

  Clock clock;
  std::unique_ptr<Database> database;       // used by the constructor, then by the writer alone
  std::map<std::string, QuotaUsage> found;  // of the day it was opened on, until accounts take it
  int64_t found_day = 0;
  mutable std::mutex mutex;  // of all below; never taken while an account's is held
  std::map<std::string, std::shared_ptr<Account>> accounts;
  std::string problem;
  bool stopping = false;
  std::condition_variable stop;
  std::thread writer;

  std::shared_ptr<Account> account(const std::string& name);
  void load();
  void write_until_stopped();
  void write();
  void write_rows(const std::vector<DayRow>& rows);
};

std::shared_ptr<QuotaTicket::Account> QuotaLedger::Impl::account(const std::string& name) {
  const std::lock_guard lock(mutex);
  auto& account = accounts[name];
  if (!account) {
    account = std::make_shared<Account>();
    account->name = name;
    account->clock = clock;
    account->day = found_day;
    if (const auto old = found.find(name); old != found.end()) account->used = old->second;
  }
  return account;
}

void QuotaLedger::Impl::load() {
  found_day = day_of(clock());
  Statement(*database, "DELETE FROM days WHERE day < ?", found_day - kDaysKept).run();
  Statement rows(*database, "SELECT key, requests, tokens FROM days WHERE day = ?", found_day);
  while (rows.step()) found[rows.text(0)] = {rows.integer(1), rows.integer(2)};
}

void QuotaLedger::Impl::write_until_stopped() {
  std::unique_lock lock(mutex);
  while (!stopping) {
    if (stop.wait_for(lock, kWriteInterval, [&] { return stopping; })) return;
    lock.unlock();
    write();
    lock.lock();
  }
}

void QuotaLedger::Impl::write() {
  std::vector<std::shared_ptr<Account>> all;
  {
    const std::lock_guard lock(mutex);
    for (const auto& [name, account] : accounts) all.push_back(account);
  }
  std::string failure;
  for (const auto& account : all) {
    std::vector<DayRow> rows;
    {
      const std::lock_guard lock(account->mutex);
      rows = account->finished;
      if (!account->written) rows.push_back({account->name, account->day, account->used});
    }
    if (rows.empty()) continue;
    try {
      write_rows(rows);
    } catch (const Error& error) {
      failure = error.what();
      break;
    }
    const std::lock_guard lock(account->mutex);
    const auto is_written = [&](const DayRow& day) {
      return std::any_of(rows.begin(), rows.end(), [&](const DayRow& row) {
        return row.day == day.day && row.usage.tokens == day.usage.tokens &&
               row.usage.requests == day.usage.requests;
      });
    };
    std::erase_if(account->finished, is_written);
    account->written = account->written || is_written({account->name, account->day, account->used});
  }
  const std::lock_guard lock(mutex);
  problem = failure;
}

// The sums are whole, not additions: writing one twice changes nothing. A clock that went back and
// forth must not make a day smaller.
void QuotaLedger::Impl::write_rows(const std::vector<DayRow>& rows) {
  Transaction transaction(*database);
  for (const DayRow& row : rows) {
    Statement(*database,
              "INSERT INTO days VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
              " requests = max(requests, excluded.requests), tokens = max(tokens, excluded.tokens)",
              row.key, row.day, row.usage.requests, row.usage.tokens)
        .run();
  }
  transaction.commit();
}

QuotaLedger::QuotaLedger(const std::filesystem::path& path, Clock clock)
    : impl_(std::make_unique<Impl>()) {
  impl_->clock = std::move(clock);
  impl_->found_day = day_of(impl_->clock());
  if (path.empty()) return;
  impl_->database = std::make_unique<Database>(path, kDatabaseKind, kSchema, Durability::kProcess);
  impl_->load();
  impl_->writer = std::thread([impl = impl_.get()] { impl->write_until_stopped(); });
}

QuotaLedger::~QuotaLedger() {
  if (!impl_->writer.joinable()) return;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stopping = true;
  }
  impl_->stop.notify_all();
  impl_->writer.join();
  impl_->write();
}

QuotaAnswer QuotaLedger::admit(const ApiKey& key, QuotaScope scope) {
  const auto account = impl_->account(key.name);
  const double now = impl_->clock();
  const KeyLimits& limits = key.limits;
  QuotaAnswer answer;
  const auto refuse = [&](const char* limit, int64_t most, double seconds) {
    if (answer.status != 200 && seconds <= answer.retry_after) return;
    answer.status = 429;
    answer.retry_after = seconds;
    answer.limit = limit;
    answer.most = most;
  };

  const std::lock_guard lock(account->mutex);
  account->turn_to(day_of(now));
  const bool all = scope == QuotaScope::kAll;
  if (all && limits.concurrent_requests > 0 && account->concurrent >= limits.concurrent_requests) {
    refuse("concurrent_requests", limits.concurrent_requests, kConcurrentRetrySeconds);
  }
  // A limit that is taken away leaves no debt for the day it comes back.
  if (limits.requests_per_minute == 0) account->requests = {};
  if (limits.tokens_per_minute == 0) account->tokens = {};
  if (limits.requests_per_minute > 0) {
    account->requests.fill(limits.requests_per_minute, now);
    const double wait = account->requests.wait(limits.requests_per_minute);
    if (wait > 0) refuse("requests_per_minute", limits.requests_per_minute, wait);
  }
  if (limits.tokens_per_minute > 0) {
    account->tokens.fill(limits.tokens_per_minute, now);
    const double wait = account->tokens.wait(limits.tokens_per_minute);
    if (all && wait > 0) refuse("tokens_per_minute", limits.tokens_per_minute, wait);
  }
  if (all && limits.tokens_per_day > 0 && account->used.tokens >= limits.tokens_per_day) {
    refuse("tokens_per_day", limits.tokens_per_day,
           static_cast<double>(account->day + 1) * kDaySeconds - now);
  }
  answer.retry_after = answer.status == 200 ? 0 : std::max(1.0, answer.retry_after);
  if (answer.status != 200) return answer;

  answer.ticket = std::shared_ptr<QuotaTicket>(new QuotaTicket(account));
  ++account->concurrent;
  if (limits.requests_per_minute > 0) account->requests.take(1);
  ++account->used.requests;
  account->written = false;
  return answer;
}

QuotaUsage QuotaLedger::today(const std::string& name) {
  const auto account = impl_->account(name);
  const double now = impl_->clock();
  const std::lock_guard lock(account->mutex);
  account->turn_to(day_of(now));
  return account->used;
}

std::string QuotaLedger::problem() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->problem;
}

}  // namespace minke
