#include "serve/access/quota.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/core/test_folder.h"

namespace minke {
namespace {

using testing::error_of;
using testing::TempFolder;

constexpr double kNoon = 1000 * 86400.0 + 43200;

class Quota : public ::testing::Test {
 protected:
  double now = kNoon;
  Clock clock = [this] { return now; };
  ApiKey key{.name = "ann", .sha256 = "", .roles = {KeyRole::kUser}, .limits = {}};
};

TEST_F(Quota, WithoutLimitsAllIsAllowed) {
  QuotaLedger ledger("", clock);
  for (int i = 0; i < 1000; ++i) {
    const auto answer = ledger.admit(key);
    ASSERT_NE(answer.ticket, nullptr);
    EXPECT_EQ(answer.status, 200);
    answer.ticket->charge(1'000'000);
  }
  EXPECT_EQ(ledger.today("ann").requests, 1000);
  EXPECT_EQ(ledger.today("ann").tokens, 1'000'000'000);
}

TEST_F(Quota, RequestsOfAMinuteComeBackSteadily) {
  key.limits.requests_per_minute = 3;
  QuotaLedger ledger("", clock);
  for (int i = 0; i < 3; ++i) EXPECT_NE(ledger.admit(key).ticket, nullptr);
  const auto refused = ledger.admit(key);
  EXPECT_EQ(refused.ticket, nullptr);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.limit, "requests_per_minute");
  EXPECT_EQ(refused.most, 3);
  EXPECT_NEAR(refused.retry_after, 20, 1e-6);
  now += 19;
  EXPECT_EQ(ledger.admit(key).ticket, nullptr);
  now += 1.001;
  EXPECT_NE(ledger.admit(key).ticket, nullptr);
  EXPECT_EQ(ledger.admit(key).ticket, nullptr);
  now += 3600;
  for (int i = 0; i < 3; ++i) EXPECT_NE(ledger.admit(key).ticket, nullptr) << "no more than full";
  EXPECT_EQ(ledger.admit(key).ticket, nullptr);
  EXPECT_EQ(ledger.today("ann").requests, 7) << "those refused do not count";
}

TEST_F(Quota, TokensOfAMinuteAreChargedAfterwards) {
  key.limits.tokens_per_minute = 600;
  QuotaLedger ledger("", clock);
  const auto first = ledger.admit(key);
  ASSERT_NE(first.ticket, nullptr);
  first.ticket->charge(1200);
  const auto refused = ledger.admit(key);
  EXPECT_EQ(refused.limit, "tokens_per_minute");
  EXPECT_NEAR(refused.retry_after, 60.1, 1e-6);
  now += refused.retry_after + 0.001;
  EXPECT_NE(ledger.admit(key).ticket, nullptr);
}

TEST_F(Quota, PlacesAreFreeWhenTicketsAreDropped) {
  key.limits.concurrent_requests = 2;
  QuotaLedger ledger("", clock);
  auto one = ledger.admit(key).ticket;
  const auto two = ledger.admit(key).ticket;
  ASSERT_NE(two, nullptr);
  const auto refused = ledger.admit(key);
  EXPECT_EQ(refused.limit, "concurrent_requests");
  EXPECT_GE(refused.retry_after, 1);
  one.reset();
  EXPECT_NE(ledger.admit(key).ticket, nullptr);
  ApiKey other = key;
  other.name = "bob";
  const auto others = ledger.admit(other).ticket;
  EXPECT_NE(others, nullptr) << "keys do not share places";
}

TEST_F(Quota, DaysEndAtMidnight) {
  key.limits.tokens_per_day = 100;
  QuotaLedger ledger("", clock);
  ledger.admit(key).ticket->charge(99);
  ledger.admit(key).ticket->charge(50);
  const auto refused = ledger.admit(key);
  EXPECT_EQ(refused.limit, "tokens_per_day");
  EXPECT_NEAR(refused.retry_after, 43200, 1e-3);
  now += 43199;
  EXPECT_EQ(ledger.admit(key).ticket, nullptr);
  now += 1;
  EXPECT_NE(ledger.admit(key).ticket, nullptr);
  EXPECT_EQ(ledger.today("ann").tokens, 0);
  now -= 1;
  EXPECT_EQ(ledger.today("ann").requests, 1) << "a clock that is put right gives no day twice";
}

TEST_F(Quota, TheLimitThatHoldsLongestIsTold) {
  key.limits = {.requests_per_minute = 1,
                .tokens_per_minute = 60,
                .tokens_per_day = 100,
                .concurrent_requests = 1};
  QuotaLedger ledger("", clock);
  const auto held = ledger.admit(key);
  EXPECT_EQ(ledger.admit(key).limit, "requests_per_minute");
  held.ticket->charge(90);
  EXPECT_EQ(ledger.admit(key).limit, "requests_per_minute") << "60 seconds against 31";
  held.ticket->charge(90);
  EXPECT_EQ(ledger.admit(key).limit, "tokens_per_day");
}

TEST_F(Quota, ALimitThatComesBackHasNoDebt) {
  QuotaLedger ledger("", clock);
  ledger.admit(key).ticket->charge(1'000'000'000);
  key.limits.tokens_per_minute = 10;
  EXPECT_NE(ledger.admit(key).ticket, nullptr);
  ledger.admit(key).ticket->charge(1'000'000'000);
  EXPECT_EQ(ledger.admit(key).ticket, nullptr);
  key.limits.tokens_per_minute = 0;
  EXPECT_NE(ledger.admit(key).ticket, nullptr);
  key.limits.tokens_per_minute = 10;
  EXPECT_NE(ledger.admit(key).ticket, nullptr);
}

TEST_F(Quota, DaysOutliveTheProcess) {
  const TempFolder folder;
  key.limits.tokens_per_day = 100;
  {
    QuotaLedger ledger(folder / "usage.db", clock);
    ledger.admit(key).ticket->charge(60);
    EXPECT_NE(error_of([&] { QuotaLedger(folder / "usage.db", clock); }).find("another process"),
              std::string::npos);
  }
  {
    QuotaLedger ledger(folder / "usage.db", clock);
    EXPECT_EQ(ledger.today("ann").tokens, 60);
    EXPECT_EQ(ledger.today("ann").requests, 1);
    ledger.admit(key).ticket->charge(60);
    EXPECT_EQ(ledger.admit(key).limit, "tokens_per_day");
    EXPECT_EQ(ledger.problem(), "");
  }
  {
    QuotaLedger ledger(folder / "usage.db", clock);
    EXPECT_EQ(ledger.admit(key).limit, "tokens_per_day");
    now += 86400;
    EXPECT_NE(ledger.admit(key).ticket, nullptr);
  }
  now -= 86400;
  QuotaLedger ledger(folder / "usage.db", clock);
  EXPECT_EQ(ledger.today("ann").tokens, 120) << "each day has a sum of its own";
}

TEST_F(Quota, ADayIsWrittenWithinSeconds) {
  const TempFolder folder;
  QuotaLedger ledger(folder / "usage.db", clock);
  ledger.admit(key).ticket->charge(60);
  // A copy is what a process that was killed leaves.
  for (int i = 0; i < 300; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    const TempFolder copy;
    for (const char* name : {"usage.db", "usage.db-wal"}) {
      if (std::filesystem::exists(folder / name)) {
        std::filesystem::copy_file(folder / name, copy / name);
      }
    }
    QuotaLedger killed(copy / "usage.db", clock);
    if (killed.today("ann").tokens == 60) return;
  }
  FAIL() << "not written in 30 seconds";
}

TEST_F(Quota, TicketsMayOutliveTheLedger) {
  std::shared_ptr<QuotaTicket> ticket;
  {
    QuotaLedger ledger("", clock);
    ticket = ledger.admit(key).ticket;
  }
  ticket->charge(5);
}

TEST_F(Quota, CountsWhatManyThreadsUse) {
  const TempFolder folder;
  key.limits.concurrent_requests = 3;
  QuotaLedger ledger(folder / "usage.db", clock);
  std::vector<std::thread> threads;
  std::atomic<int64_t> admitted = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        const auto answer = ledger.admit(key);
        if (!answer.ticket) continue;
        ++admitted;
        answer.ticket->charge(2);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ledger.today("ann").requests, admitted);
  EXPECT_EQ(ledger.today("ann").tokens, 2 * admitted);
}

TEST_F(Quota, RequestsThatGenerateNothingNeedNoTokens) {
  QuotaLedger ledger("", clock);
  key.limits = {.requests_per_minute = 3,
                .tokens_per_minute = 10,
                .tokens_per_day = 10,
                .concurrent_requests = 1};
  const auto ticket = ledger.admit(key).ticket;
  ASSERT_TRUE(ticket);
  ticket->charge(100);
  EXPECT_EQ(ledger.admit(key).ticket, nullptr);
  EXPECT_TRUE(ledger.admit(key, QuotaScope::kRequests).ticket);
  EXPECT_TRUE(ledger.admit(key, QuotaScope::kRequests).ticket);
  EXPECT_EQ(ledger.admit(key, QuotaScope::kRequests).limit, "requests_per_minute");
  EXPECT_EQ(ledger.today("ann").requests, 3);
}

}  // namespace
}  // namespace minke
