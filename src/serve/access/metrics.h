#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace minke {

struct MetricsOptions {
  std::string prefix = "minke:";  // of all names; "vllm:" lets existing dashboards read them
  std::string model;              // the label model_name
  // What the label `endpoint` may say; all else is "other", so that no client can make labels.
  std::vector<std::string> endpoints;
};

// Why a request was not taken.
enum class Rejection { kNoKey, kForbidden, kInvalid, kTooLarge, kQuota, kQueueFull, kDraining };

enum class RequestEnd { kStop, kLength, kToolCalls, kCancelled, kFailed };

// Of one request that has ended. Seconds below 0 are not known, and not counted.
struct RequestFigures {
  RequestEnd end = RequestEnd::kStop;
  int64_t prompt_tokens = 0, cached_tokens = 0, generated_tokens = 0;
  double queue_seconds = -1;
  double first_token_seconds = -1;  // from the request's arrival
  double seconds = -1;              // from arrival to end
  double joules = -1;
};

// The state of the server at one moment. Sums are since its start, and never become smaller.
struct ServerFigures {
  int64_t running = 0, waiting = 0;
  double cache_share = 0;  // of the key-value cache that is in use, 0 to 1
  int64_t preempted = 0;
  int64_t stored_hits = 0;  // pages of prefixes that were read from the store
};

// What Prometheus is told, in the names that inference servers share behind their prefix. The
// number of time series is fixed when it is made but for one for each endpoint and status. All
// functions may be called from any thread; they take about a microsecond, but text().
class Metrics {
 public:
  // Throws Error for a prefix that no name can begin with.
  explicit Metrics(const MetricsOptions& options);
  ~Metrics();

  void answered(std::string_view endpoint, int status);
  void rejected(Rejection reason);
  // Between two tokens of a reply.
  void token_gap(double seconds);
  void ended(const RequestFigures& figures);
  // A client that did not take what it was sent, and was dropped.
  void client_stalled();
  void set(const ServerFigures& figures);

  // In the text format 0.0.4; Content-Type is kMetricsContentType.
  std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace minke
