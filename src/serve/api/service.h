#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/access/batch_store.h"
#include "serve/access/keys.h"
#include "serve/access/metrics.h"
#include "serve/access/quota.h"
#include "serve/api/answers.h"
#include "serve/api/anthropic/anthropic_reply.h"
#include "serve/api/openai/models.h"
#include "serve/api/openai/wire.h"
#include "serve/api/page_answer.h"
#include "serve/api/request_record.h"
#include "serve/api/turn.h"
#include "serve/http/event_pulse.h"
#include "serve/http/router.h"

namespace minke {

// All that a server is made of. What is null is not there. Outlives the service.
struct ServiceParts {
  Engine* engine = nullptr;
  TurnRunner* turns = nullptr;
  CompletionRunner* completions = nullptr;
  const TextEndpoints* texts = nullptr;
  ModelCard card;
  OpenAiOptions openai;
  WireSources sources;
  ThinkingSignature signature{ThinkingSignature::Key{}};
  RecordKeeping keeping;
  KeyRing* keys = nullptr;  // null: everybody may do everything
  QuotaLedger* quotas = nullptr;
  Metrics* metrics = nullptr;
  BatchStore* batches = nullptr;
  std::function<void()> batch_begun;  // somebody has made a batch; may be called from any thread
  std::vector<PageFile> page;
  WireJson about;  // of the model, for /v1/status
  double pulse_seconds = 10;
};

// The routes of `minke serve`, with who may use them, what is charged and what is remembered.
class Service {
 public:
  explicit Service(const ServiceParts& parts);

  HttpHandler handler();
  // Bodies are read for those alone who may use the route; what the server refuses looks and counts
  // like what the service does.
  HttpHooks hooks();
  std::vector<Route> routes() const { return router_->routes(); }
  // New requests are refused; those under way are answered.
  void stop_taking() { draining_ = true; }
  // Answers a line of a batch as if it had come from the network, with the key that its owner has:
  // that key is charged, and where it is no longer good the line is answered with 401.
  void answer_line(const BatchLine& line, std::shared_ptr<HttpReply> reply);

 private:
  // Answers with a key's name, and a reply that is recorded.
  using Answer = std::function<void(const HttpRequest&, const std::shared_ptr<HttpReply>&,
                                    const std::string& key, const std::shared_ptr<RequestRecord>&)>;

  struct Endpoint {
    std::string path;
    Answer answer;
  };
  // Who asks: `key` is null where nobody needs one.
  struct Asker {
    std::shared_ptr<const ApiKey> key;
    std::string name;
  };

  std::vector<Route> table();
  std::vector<Endpoint> endpoints();
  void add_texts_and_models(std::vector<Route>& routes);
  void add_operations(std::vector<Route>& routes);
  void add_page(std::vector<Route>& routes);
  void generate(const Endpoint& endpoint, const HttpRequest& request, const Asker& asker,
                std::shared_ptr<HttpReply> reply);
  std::optional<HttpResponse> refusal(const HttpRequest& request, Access access);
  HttpResponse told(const HttpRequest& head, const HttpFault& fault) const;
  ApiError over_limit(const QuotaAnswer& quota) const;
  // `handler`, for what costs nothing but the request itself.
  RouteHandler limited(RouteHandler handler);
  std::shared_ptr<const ApiKey> key_of(const HttpRequest& request) const;
  std::function<std::string(const HttpRequest&)> key_name() const;
  HttpResponse status() const;
  HttpResponse metrics_text() const;

  const ServiceParts& parts_;
  const Answers answers_;
  EventPulse pulse_;
  std::atomic<bool> draining_{false};
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
  const std::vector<Endpoint> endpoints_ = endpoints();
  std::unique_ptr<Router> router_;
};

}  // namespace minke
