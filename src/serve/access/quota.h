#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "serve/access/clock.h"
#include "serve/access/keys.h"

namespace minke {

class QuotaLedger;

// A request that was admitted: holds its place among the key's concurrent requests until it is
// dropped. May outlive the ledger; may be used from any thread.
class QuotaTicket {
 public:
  ~QuotaTicket();
  QuotaTicket(const QuotaTicket&) = delete;
  QuotaTicket& operator=(const QuotaTicket&) = delete;

  // Charges tokens that the request has used, of prompt and reply. Neither waits nor throws. May be
  // called more than once. `tokens` >= 0.
  void charge(int64_t tokens);

 private:
  friend class QuotaLedger;
  struct Account;
  explicit QuotaTicket(std::shared_ptr<Account> account) : account_(std::move(account)) {}
  std::shared_ptr<Account> account_;
};

struct QuotaAnswer {
  std::shared_ptr<QuotaTicket> ticket;  // null: refused, and the rest says why
  int status = 200;                     // 429
  double retry_after = 0;               // seconds until it is worth asking again, at least 1
  std::string limit;                    // the field of KeyLimits, "tokens_per_day"
  int64_t most = 0;                     // its value
};

struct QuotaUsage {
  int64_t requests = 0;
  int64_t tokens = 0;
};

enum class QuotaScope { kAll, kRequests };

// Who has used how much. Requests a minute and tokens a minute are buckets that hold one minute's
// worth and fill steadily. Tokens are charged when they are known, after the request: a bucket may
// go below empty and then has to fill first, and a key may pass a limit of tokens by what its
// concurrent requests use. Days are those of UTC; their sums are kept in a file and outlive the
// process but for the last second. All functions may be called from any thread.
class QuotaLedger {
 public:
  // `path`: the file of days, made if it is not there; "": kept in memory only. Throws Error if it
  // cannot be used.
  explicit QuotaLedger(const std::filesystem::path& path, Clock clock = unix_seconds);
  // Writes what is not written yet.
  ~QuotaLedger();

  // Counts a request if the key may make one. kRequests: of requests that generate nothing,
  // requests_per_minute alone is looked at. If several limits refuse it, the one that holds
  // longest is told.
  QuotaAnswer admit(const ApiKey& key, QuotaScope scope = QuotaScope::kAll);

  // Of a key on the day of the clock.
  QuotaUsage today(const std::string& name);

  // Why days could not be written, "" if they could. They are tried again each second.
  std::string problem() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace minke
