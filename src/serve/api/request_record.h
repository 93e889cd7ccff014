#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "serve/access/audit_log.h"
#include "serve/access/energy.h"
#include "serve/access/metrics.h"
#include "serve/access/quota.h"
#include "serve/access/receipt.h"
#include "serve/api/completions/completion_runner.h"
#include "serve/api/openai/wire.h"
#include "serve/api/turn.h"
#include "serve/http/server.h"

namespace minke {

// Where requests leave their traces; what is null is not kept. Outlives all records.
struct RecordKeeping {
  Metrics* metrics = nullptr;
  AuditLog* audit = nullptr;
  const EnergyMeter* energy = nullptr;
  std::optional<PriceTable> prices;
  double read_bandwidth = 0;  // of the machine, bytes a second; 0: not known
  double token_bytes = 0;     // of weights that one generated token needs
  std::string model;
  std::function<void(const std::string&)> warn;
};

// Where a request comes from.
struct RequestOrigin {
  std::string endpoint;  // its path
  std::string id;        // of its answer, if that brings none of its own
  std::string key;       // name of the key, "" without keys
  std::string peer;      // address of the client, "" for a line of a batch
};

// What happens to one request, told to metrics, quota and audit before the end of its answer goes
// out, so that who has read an answer finds it counted; without an answer, when the last who knows
// of the request lets go. May be used from any thread.
class RequestRecord {
 public:
  RequestRecord(const RecordKeeping& keeping, RequestOrigin origin,
                std::shared_ptr<QuotaTicket> ticket, const std::string& body);
  ~RequestRecord();
  RequestRecord(const RequestRecord&) = delete;
  RequestRecord& operator=(const RequestRecord&) = delete;

  void answered(const HttpResponse& head);
  // `owner`: see wire_owner().
  void asked_for(std::string_view owner);
  // The runner has not taken it: rethrows what it threw.
  [[noreturn]] void not_taken(const std::exception_ptr& why);
  void started();
  void wrote(std::string_view text);
  void ended(TurnEnd end);
  // Of a turn or task that began; what never began has used nothing.
  void used(const TurnUsage& usage);
  void failed();
  // Nothing that comes later is told. Only the first call counts.
  void close();
  // Of what was used; none before used().
  std::optional<Receipt> receipt() const;

 private:
  using Clock = std::chrono::steady_clock;
  double since_arrival() const;

  const RecordKeeping& keeping_;
  const RequestOrigin origin_;
  std::string body_, body_sha256_;  // one of them, where an audit asks for it
  const Clock::time_point arrival_ = Clock::now();
  mutable std::mutex mutex_;
  std::shared_ptr<QuotaTicket> ticket_;
  int status_ = 0;
  std::string id_, user_;
  std::string answer_;  // where an audit asks for it
  std::optional<Clock::time_point> last_text_;
  double first_token_seconds_ = -1;
  bool in_engine_ = false, failed_ = false, closed_ = false;
  TurnEnd end_ = TurnEnd::kStop;
  std::optional<TurnUsage> usage_;
};

// `reply`, whose status is recorded and whose answer carries the receipt: in the header
// X-Minke-Receipt, or as the last comment of a stream of events.
std::shared_ptr<HttpReply> recorded(std::shared_ptr<HttpReply> reply,
                                    std::shared_ptr<RequestRecord> record);

// A runner for one request, whose turns are recorded. `runner` must outlive it.
class RecordedTurns final : public TurnRunner {
 public:
  // `names`: which models may be asked for; must outlive it.
  RecordedTurns(TurnRunner& runner, std::shared_ptr<RequestRecord> record,
                const OpenAiOptions& names)
      : runner_(runner), record_(std::move(record)), names_(names) {}
  std::shared_ptr<TurnHandle> start(TurnRequest request,
                                    std::shared_ptr<TurnListener> listener) override;
  int64_t count_tokens(const TurnRequest& request) override {
    return runner_.count_tokens(request);
  }
  std::string model_name() const override { return runner_.model_name(); }
  int64_t context() const override { return runner_.context(); }

 private:
  TurnRunner& runner_;
  std::shared_ptr<RequestRecord> record_;
  const OpenAiOptions& names_;
};

// The same for completions; the usage of all tasks of a request is summed.
class RecordedCompletions final : public CompletionRunner {
 public:
  RecordedCompletions(CompletionRunner& runner, std::shared_ptr<RequestRecord> record)
      : runner_(runner), record_(std::move(record)) {}
  EncodedPrompt encode(std::string_view text, bool ends) const override {
    return runner_.encode(text, ends);
  }
  std::optional<EncodedPrompt> encode_gap(std::string_view before,
                                          std::string_view behind) const override {
    return runner_.encode_gap(before, behind);
  }
  std::string_view bytes(int32_t id) const override { return runner_.bytes(id); }
  std::shared_ptr<TurnHandle> start(CompletionTask task,
                                    std::shared_ptr<CompletionListener> listener) override;
  std::string model_name() const override { return runner_.model_name(); }
  int64_t context() const override { return runner_.context(); }

 private:
  CompletionRunner& runner_;
  std::shared_ptr<RequestRecord> record_;
};

}  // namespace minke
