#include "serve/access/metrics.h"

#include <array>
#include <mutex>
#include <set>

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "base/core/error.h"

namespace minke {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;

constexpr size_t kMostPrefixBytes = 32;

// In the order of Rejection and of RequestEnd.
constexpr std::array kRejections = {"no_key", "forbidden",  "invalid", "too_large",
                                    "quota",  "queue_full", "draining"};
constexpr std::array kEnds = {"stop", "length", "tool_calls", "abort", "error"};

// Statuses that a server of ours can answer with; all else is "other".
constexpr std::array kStatuses = {200, 201, 204, 304, 400, 401, 402, 403, 404, 405, 408, 409, 411,
                                  413, 415, 417, 422, 429, 431, 499, 500, 501, 503, 504, 507, 529};

// Limits that dashboards for other servers expect, with some below for tokens of small models.
const Histogram::BucketBoundaries kFirstTokenSeconds = {
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
    1,     2.5,   5,    7.5,  10,   20,   40,   80,  160,  640, 2560};
const Histogram::BucketBoundaries kTokenGapSeconds = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3,
    0.4,   0.5,    0.75,  1,    2.5,   5,    7.5,   10,  20,   40,  80};
const Histogram::BucketBoundaries kRequestSeconds = {
    0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680};

std::string checked_prefix(const std::string& prefix) {
  constexpr std::string_view kFirst = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_:";
  const bool starts = prefix.empty() || kFirst.find(prefix[0]) != std::string_view::npos;
  const std::string all = std::string(kFirst) + "0123456789";
  if (!starts || prefix.find_first_not_of(all) != std::string::npos || prefix.starts_with("__") ||
      prefix.size() > kMostPrefixBytes) {
    fail("metrics prefix",
         "expected at most {} of A-Z a-z 0-9 _ : that begin with no digit or __, "
         "found \"{}\"",
         kMostPrefixBytes, printable(prefix));
  }
  return prefix;
}

// Brings a counter to a sum that others keep.
void bring_to(Counter& counter, int64_t sum) {
  const double missing = static_cast<double>(sum) - counter.Value();
  if (missing > 0) counter.Increment(missing);
}

void observe(Histogram& histogram, double seconds) {
  if (seconds >= 0) histogram.Observe(seconds);
}

}  // namespace

struct Metrics::Impl {
  explicit Impl(const MetricsOptions& options)
      : prefix(checked_prefix(options.prefix)),
        labels{{"model_name", options.model}},
        endpoints(options.endpoints.begin(), options.endpoints.end()) {}

  Counter& counter(const std::string& name, const std::string& help) {
    return counters(name, help).Add({});
  }
  Family<Counter>& counters(const std::string& name, const std::string& help) {
    return prometheus::BuildCounter()
        .Name(prefix + name)
        .Help(help)
        .Labels(labels)
        .Register(registry);
  }
  Gauge& gauge(const std::string& name, const std::string& help) {
    return prometheus::BuildGauge()
        .Name(prefix + name)
        .Help(help)
        .Labels(labels)
        .Register(registry)
        .Add({});
  }
  Histogram& histogram(const std::string& name, const std::string& help,
                       const Histogram::BucketBoundaries& limits) {
    return prometheus::BuildHistogram()
        .Name(prefix + name)
        .Help(help)
        .Labels(labels)
        .Register(registry)
        .Add({}, limits);
  }
  // One counter for each value of a label, in their order.
  template <size_t n>
  std::array<Counter*, n> each(const std::string& name, const std::string& help,
                               const std::string& label, const std::array<const char*, n>& values) {
    Family<Counter>& family = counters(name, help);
    std::array<Counter*, n> result;
    for (size_t i = 0; i < n; ++i) result[i] = &family.Add({{label, values[i]}});
    return result;
  }

  prometheus::Registry registry;
  std::string prefix;
  Labels labels;
  std::set<std::string, std::less<>> endpoints;
  std::mutex set_mutex;  // two that bring a counter to a sum would add twice

  Counter& prompt_tokens = counter("prompt_tokens_total", "Tokens of prompts.");
  Counter& generation_tokens = counter("generation_tokens_total", "Tokens of replies.");
  Counter& cache_queries =
      counter("prefix_cache_queries_total", "Tokens of prompts that were looked up in the cache.");
  Counter& cache_hits =
      counter("prefix_cache_hits_total", "Tokens of prompts that did not have to be computed.");
  Counter& preemptions = counter("num_preemptions_total",
                                 "Sequences that gave up their place in the cache to others.");
  Counter& stored_hits =
      counter("disk_kv_hits_total", "Pages of the cache that were read from the store.");
  Counter& joules = counter("request_energy_joules_total",
                            "Energy that requests have used, where the machine tells.");
  Counter& stalled =
      counter("client_stalled_total", "Clients that were dropped because they did not read.");
  Gauge& running = gauge("num_requests_running", "Requests that are computed.");
  Gauge& waiting = gauge("num_requests_waiting", "Requests that wait to be computed.");
  Gauge& cache_share =
      gauge("kv_cache_usage_perc", "Share of the key-value cache in use, 1 for all of it.");
  Histogram& queue = histogram("request_queue_time_seconds",
                               "From a request's arrival to its first pass.", kRequestSeconds);
  Histogram& first_token =
      histogram("time_to_first_token_seconds", "From a request's arrival to its first token.",
                kFirstTokenSeconds);
  Histogram& token_gap =
      histogram("inter_token_latency_seconds", "Between two tokens of a reply.", kTokenGapSeconds);
  Histogram& request = histogram("e2e_request_latency_seconds",
                                 "From a request's arrival to its end.", kRequestSeconds);
  std::array<Counter*, kEnds.size()> ends =
      each("request_success_total", "Requests that have ended.", "finished_reason", kEnds);
  std::array<Counter*, kRejections.size()> rejections =
      each("rejected_total", "Requests that were not taken.", "reason", kRejections);
  Family<Counter>& answers = counters("http_requests_total", "Answers to HTTP requests.");
};

Metrics::Metrics(const MetricsOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Metrics::~Metrics() = default;

void Metrics::answered(std::string_view endpoint, int status) {
  const bool known = impl_->endpoints.find(endpoint) != impl_->endpoints.end();
  std::string text = "other";
  for (const int usual : kStatuses) {
    if (usual == status) text = std::to_string(status);
  }
  const std::string place = known ? std::string(endpoint) : "other";
  impl_->answers.Add({{"endpoint", place}, {"status", text}}).Increment();
}

void Metrics::rejected(Rejection reason) {
  impl_->rejections.at(static_cast<size_t>(reason))->Increment();
}

void Metrics::token_gap(double seconds) {
  observe(impl_->token_gap, seconds);
}

void Metrics::ended(const RequestFigures& figures) {
  impl_->ends.at(static_cast<size_t>(figures.end))->Increment();
  impl_->prompt_tokens.Increment(static_cast<double>(figures.prompt_tokens));
  impl_->cache_queries.Increment(static_cast<double>(figures.prompt_tokens));
  impl_->cache_hits.Increment(static_cast<double>(figures.cached_tokens));
  impl_->generation_tokens.Increment(static_cast<double>(figures.generated_tokens));
  if (figures.joules >= 0) impl_->joules.Increment(figures.joules);
  observe(impl_->queue, figures.queue_seconds);
  observe(impl_->first_token, figures.first_token_seconds);
  observe(impl_->request, figures.seconds);
}

void Metrics::client_stalled() {
  impl_->stalled.Increment();
}

void Metrics::set(const ServerFigures& figures) {
  const std::lock_guard lock(impl_->set_mutex);
  impl_->running.Set(static_cast<double>(figures.running));
  impl_->waiting.Set(static_cast<double>(figures.waiting));
  impl_->cache_share.Set(figures.cache_share);
  bring_to(impl_->preemptions, figures.preempted);
  bring_to(impl_->stored_hits, figures.stored_hits);
}

std::string Metrics::text() const {
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace minke
