#include "serve/access/metrics.h"

#include <algorithm>
#include <sstream>

#include <gtest/gtest.h>

#include "base/core/test_folder.h"

namespace minke {
namespace {

using testing::error_of;

MetricsOptions options() {
  return {.model = "small \"one\"\n", .endpoints = {"/v1/models", "/health"}};
}

// The value of the series that begins so; -1 if there is none.
double value(const Metrics& metrics, const std::string& name, const std::string& label = "") {
  std::istringstream lines(metrics.text());
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name + "{") && line.find(label) != std::string::npos) {
      return std::stod(line.substr(line.rfind(' ')));
    }
  }
  return -1;
}

int64_t series(const Metrics& metrics) {
  const std::string text = metrics.text();
  return std::count(text.begin(), text.end(), '\n');
}

TEST(Metrics, CountsRequests) {
  Metrics metrics(options());
  metrics.ended({.end = RequestEnd::kLength,
                 .prompt_tokens = 10,
                 .cached_tokens = 4,
                 .generated_tokens = 7,
                 .queue_seconds = 0.1,
                 .first_token_seconds = 0.3,
                 .seconds = 2,
                 .joules = 2.5});
  metrics.ended({.end = RequestEnd::kFailed});
  metrics.token_gap(0.02);
  metrics.token_gap(0.03);
  metrics.client_stalled();
  EXPECT_EQ(value(metrics, "minke:prompt_tokens_total"), 10);
  EXPECT_EQ(value(metrics, "minke:prefix_cache_queries_total"), 10);
  EXPECT_EQ(value(metrics, "minke:prefix_cache_hits_total"), 4);
  EXPECT_EQ(value(metrics, "minke:generation_tokens_total"), 7);
  EXPECT_EQ(value(metrics, "minke:request_energy_joules_total"), 2.5);
  EXPECT_EQ(value(metrics, "minke:request_success_total", "finished_reason=\"length\""), 1);
  EXPECT_EQ(value(metrics, "minke:request_success_total", "finished_reason=\"error\""), 1);
  EXPECT_EQ(value(metrics, "minke:request_success_total", "finished_reason=\"stop\""), 0);
  EXPECT_EQ(value(metrics, "minke:client_stalled_total"), 1);
  EXPECT_EQ(value(metrics, "minke:time_to_first_token_seconds_count"), 1);
  EXPECT_EQ(value(metrics, "minke:time_to_first_token_seconds_bucket", "le=\"0.25\""), 0);
  EXPECT_EQ(value(metrics, "minke:time_to_first_token_seconds_bucket", "le=\"0.5\""), 1);
  EXPECT_EQ(value(metrics, "minke:e2e_request_latency_seconds_sum"), 2);
  EXPECT_EQ(value(metrics, "minke:request_queue_time_seconds_count"), 1) << "unknown: not counted";
  EXPECT_EQ(value(metrics, "minke:inter_token_latency_seconds_count"), 2);
  EXPECT_NE(metrics.text().find("model_name=\"small \\\"one\\\"\\n\""), std::string::npos);
}

TEST(Metrics, FollowsTheServer) {
  Metrics metrics(options());
  metrics.set({.running = 3, .waiting = 5, .cache_share = 0.5, .preempted = 2, .stored_hits = 9});
  metrics.set({.running = 1, .waiting = 0, .cache_share = 0.25, .preempted = 4, .stored_hits = 9});
  EXPECT_EQ(value(metrics, "minke:num_requests_running"), 1);
  EXPECT_EQ(value(metrics, "minke:num_requests_waiting"), 0);
  EXPECT_EQ(value(metrics, "minke:kv_cache_usage_perc"), 0.25);
  EXPECT_EQ(value(metrics, "minke:num_preemptions_total"), 4);
  EXPECT_EQ(value(metrics, "minke:disk_kv_hits_total"), 9);
}

TEST(Metrics, CountsRejectionsByReason) {
  Metrics metrics(options());
  const std::pair<Rejection, std::string> reasons[] = {
      {Rejection::kNoKey, "no_key"},      {Rejection::kForbidden, "forbidden"},
      {Rejection::kInvalid, "invalid"},   {Rejection::kTooLarge, "too_large"},
      {Rejection::kQuota, "quota"},       {Rejection::kQueueFull, "queue_full"},
      {Rejection::kDraining, "draining"},
  };
  for (const auto& [reason, name] : reasons) {
    const std::string label = "reason=\"" + name + "\"";
    EXPECT_EQ(value(metrics, "minke:rejected_total", label), 0);
    metrics.rejected(reason);
    EXPECT_EQ(value(metrics, "minke:rejected_total", label), 1);
  }
}

TEST(Metrics, ClientsCannotMakeSeries) {
  Metrics metrics(options());
  metrics.answered("/v1/models", 200);
  metrics.answered("/v1/models", 200);
  EXPECT_EQ(value(metrics, "minke:http_requests_total", "endpoint=\"/v1/models\""), 2);
  for (int status = -5; status < 1000; ++status) {
    metrics.answered("/v1/models", status);
    metrics.answered("/health", status);
    metrics.answered("/wp-admin", status);
  }
  const int64_t before = series(metrics);
  for (int i = 0; i < 1000; ++i) metrics.answered("/" + std::to_string(i), i);
  EXPECT_EQ(series(metrics), before);
  EXPECT_LT(before, 300);
  EXPECT_EQ(metrics.text().find("wp-admin"), std::string::npos);
  EXPECT_GT(value(metrics, "minke:http_requests_total", "endpoint=\"other\""), 0);
}

TEST(Metrics, NamesMayHaveAnotherPrefix) {
  MetricsOptions other = options();
  other.prefix = "vllm:";
  EXPECT_EQ(value(Metrics(other), "vllm:num_requests_running"), 0);
  other.prefix = "";
  EXPECT_EQ(value(Metrics(other), "num_requests_running"), 0);
  for (const char* prefix :
       {"1a", "a-b", "a b", "__a", "a\n", "abcdefghijklmnopqrstuvwxyz_abcdefg"}) {
    other.prefix = prefix;
    EXPECT_NE(error_of([&] { Metrics metrics(other); }).find("metrics prefix"), std::string::npos);
  }
}

}  // namespace
}  // namespace minke
