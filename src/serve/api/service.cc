#include "serve/api/service.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <strings.h>

#include "serve/api/api_errors.h"
#include "serve/api/batch_routes.h"
#include "serve/api/openai/chat.h"
#include "serve/api/openai/completions.h"
#include "serve/api/request_id.h"
#include "serve/api/responses/responses_reply.h"

namespace minke {
namespace {

constexpr std::string_view kBearer = "Bearer ";

HttpResponse text_response(int status, std::string text) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

// The key that a client presents: OpenAI's clients as a bearer, Anthropic's in a header of its own.
std::string_view presented_key(const HttpRequest& request) {
  std::string_view field = request.header("authorization");
  // Names of schemes are the same in large and small letters (RFC 9110, section 11.1).
  if (::strncasecmp(field.data(), kBearer.data(), std::min(field.size(), kBearer.size())) == 0 &&
      field.size() > kBearer.size()) {
    field.remove_prefix(kBearer.size());
    field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
    return field;
  }
  return request.header("x-api-key");
}

KeyRole role_for(Access access) {
  return access == Access::kMetrics ? KeyRole::kMetrics : KeyRole::kUser;
}

template <typename Respond>
RouteHandler responding(Respond respond) {
  return [respond](HttpRequest request, const PathParameters& parameters,
                   std::shared_ptr<HttpReply> reply) { reply->send(respond(request, parameters)); };
}

}  // namespace

Service::Service(const ServiceParts& parts)
    : parts_(parts), answers_(parts.metrics, parts.sources), pulse_(parts.pulse_seconds) {
  router_ = std::make_unique<Router>(
      table(),
      [this](const HttpRequest& request, Access access) { return refusal(request, access); },
      [this](const HttpRequest& request, const HttpFault& fault) { return told(request, fault); });
}

HttpHandler Service::handler() {
  return [this](HttpRequest request, std::shared_ptr<HttpReply> reply) {
    auto counted = answers_.counted(std::move(reply), request.path, answers_.new_id());
    (*router_)(std::move(request), pulse_.keep(std::move(counted)));
  };
}

HttpHooks Service::hooks() {
  HttpHooks hooks;
  hooks.check = [this](const HttpRequest& head) {
    std::optional<HttpResponse> refusal = router_->refusal(head);
    if (refusal) refusal = answers_.refused(head, *std::move(refusal));
    return refusal;
  };
  hooks.tell = [this](const HttpRequest& head, const HttpFault& fault) {
    return answers_.refused(head, told(head, fault));
  };
  hooks.stalled = [this] {
    if (parts_.metrics != nullptr) parts_.metrics->client_stalled();
  };
  return hooks;
}

HttpResponse Service::told(const HttpRequest& head, const HttpFault& fault) const {
  HttpResponse response =
      answers_.error(head.path, api_error(fault.status, fault.message, "", fault.code));
  response.headers.insert(response.headers.end(), fault.headers.begin(), fault.headers.end());
  return response;
}

void Service::answer_line(const BatchLine& line, std::shared_ptr<HttpReply> reply) {
  reply = with_request_id(std::move(reply), answers_.new_id());
  const auto endpoint = std::find_if(endpoints_.begin(), endpoints_.end(),
                                     [&](const Endpoint& e) { return e.path == line.url; });
  if (endpoint == endpoints_.end()) {
    return reply->send(openai_error(api_error(404, line.url + ": no such endpoint", "url")));
  }
  HttpRequest request;
  request.method = "POST";
  request.path = line.url;
  request.headers = {{"content-type", "application/json"}};
  request.body = line.body;
  Asker asker{nullptr, line.owner};
  if (parts_.keys != nullptr) {
    asker.key = parts_.keys->named(line.owner);
    if (!asker.key || !asker.key->may(KeyRole::kUser)) {
      return reply->send(answers_.error(
          line.url, api_error(401, "the key that this batch was made with is no longer good", "",
                              "invalid_api_key")));
    }
  }
  generate(*endpoint, request, asker, std::move(reply));
}

std::shared_ptr<const ApiKey> Service::key_of(const HttpRequest& request) const {
  return parts_.keys == nullptr ? nullptr : parts_.keys->find(presented_key(request));
}

std::optional<HttpResponse> Service::refusal(const HttpRequest& request, Access access) {
  if (parts_.keys == nullptr) return std::nullopt;
  const auto key = key_of(request);
  if (key && key->may(role_for(access))) return std::nullopt;
  const ApiError error =
      key ? api_error(403, "the key may not do this", "", "insufficient_permissions")
          : api_error(401, "expected a valid API key in the header Authorization: Bearer KEY", "",
                      "invalid_api_key");
  return answers_.error(request.path, error);
}

ApiError Service::over_limit(const QuotaAnswer& quota) const {
  ApiError error =
      api_error(429, fmt::format("the key's limit of {} {} is reached", quota.most, quota.limit),
                "", "rate_limit_exceeded");
  error.retry_after = quota.retry_after;
  if (parts_.metrics != nullptr) parts_.metrics->rejected(Rejection::kQuota);
  return error;
}

RouteHandler Service::limited(RouteHandler handler) {
  return [this, handler = std::move(handler)](HttpRequest request, const PathParameters& parameters,
                                              std::shared_ptr<HttpReply> reply) {
    const auto key = key_of(request);
    if (key && parts_.quotas != nullptr) {
      const QuotaAnswer quota = parts_.quotas->admit(*key, QuotaScope::kRequests);
      if (!quota.ticket) return reply->send(answers_.error(request.path, over_limit(quota)));
    }
    handler(std::move(request), parameters, std::move(reply));
  };
}

// Requests for text are counted, charged and remembered.
void Service::generate(const Endpoint& endpoint, const HttpRequest& request, const Asker& asker,
                       std::shared_ptr<HttpReply> reply) {
  std::shared_ptr<QuotaTicket> ticket;
  std::optional<ApiError> error;
  if (draining_) {
    error = api_error(503, "the server is stopping", "", "draining");
    error->retry_after = 10;
    if (parts_.metrics != nullptr) parts_.metrics->rejected(Rejection::kDraining);
  } else if (asker.key && parts_.quotas != nullptr) {
    QuotaAnswer quota = parts_.quotas->admit(*asker.key);
    ticket = std::move(quota.ticket);
    if (!ticket) {
      error = over_limit(quota);
    }
  }
  const std::string id = answers_.new_id();
  auto record = std::make_shared<RequestRecord>(
      parts_.keeping, RequestOrigin{endpoint.path, id, asker.name, request.peer}, ticket,
      request.body);
  auto kept = with_request_id(recorded(std::move(reply), record), id);
  if (error) return kept->send(answers_.error(request.path, *error));
  endpoint.answer(request, kept, asker.name, record);
}

std::vector<Service::Endpoint> Service::endpoints() {
  std::vector<Endpoint> endpoints;
  const Answer chat = [this](const HttpRequest& request, const std::shared_ptr<HttpReply>& reply,
                             const std::string& key, const std::shared_ptr<RequestRecord>& record) {
    RecordedTurns turns(*parts_.turns, record, parts_.openai);
    OpenAiChat(turns, parts_.openai).answer(request, reply, key);
  };
  const Answer completions = [this](const HttpRequest& request,
                                    const std::shared_ptr<HttpReply>& reply, const std::string& key,
                                    const std::shared_ptr<RequestRecord>& record) {
    RecordedCompletions runner(*parts_.completions, record);
    OpenAiCompletions(runner, parts_.openai).answer(request, reply, key);
  };
  const Answer responses = [this](const HttpRequest& request,
                                  const std::shared_ptr<HttpReply>& reply, const std::string& key,
                                  const std::shared_ptr<RequestRecord>& record) {
    RecordedTurns turns(*parts_.turns, record, parts_.openai);
    ResponsesApi(turns, parts_.sources).responses(request, reply, key);
  };
  const Answer messages = [this](const HttpRequest& request,
                                 const std::shared_ptr<HttpReply>& reply, const std::string& key,
                                 const std::shared_ptr<RequestRecord>& record) {
    RecordedTurns turns(*parts_.turns, record, parts_.openai);
    AnthropicApi(turns, parts_.signature, parts_.sources).messages(request, reply, key);
  };
  // DeepSeek's paths have no version, and their own for what is in beta and for Anthropic's format.
  for (const char* path : {"/v1/chat/completions", "/chat/completions", "/beta/chat/completions"}) {
    endpoints.push_back({path, chat});
  }
  for (const char* path : {"/v1/completions", "/completions", "/beta/completions"}) {
    endpoints.push_back({path, completions});
  }
  for (const char* path : {"/v1/responses", "/responses"}) {
    endpoints.push_back({path, responses});
  }
  for (const char* path : {"/v1/messages", "/anthropic/v1/messages"}) {
    endpoints.push_back({path, messages});
  }
  return endpoints;
}

std::vector<Route> Service::table() {
  std::vector<Route> routes;
  for (const Endpoint& endpoint : endpoints_) {
    routes.push_back({"POST", endpoint.path, Access::kUser,
                      [this, &endpoint](HttpRequest request, const PathParameters&,
                                        std::shared_ptr<HttpReply> reply) {
                        auto key = key_of(request);
                        const std::string name = key ? key->name : "";
                        generate(endpoint, request, {std::move(key), name}, std::move(reply));
                      }});
  }
  const auto first = static_cast<std::ptrdiff_t>(routes.size());
  add_texts_and_models(routes);
  add_batch_routes({parts_.batches, key_name(), parts_.batch_begun, parts_.keeping.warn}, routes);
  // What is asked by POST makes work, though no tokens.
  for (auto route = routes.begin() + first; route != routes.end(); ++route) {
    if (route->method == "POST") route->handler = limited(std::move(route->handler));
  }
  add_operations(routes);
  add_page(routes);
  return routes;
}

void Service::add_texts_and_models(std::vector<Route>& routes) {
  const auto add = [&](const char* method, std::string pattern, Access access,
                       RouteHandler handler) {
    routes.push_back({method, std::move(pattern), access, std::move(handler)});
  };
  for (const char* path : {"/v1/messages/count_tokens", "/anthropic/v1/messages/count_tokens"}) {
    add("POST", path, Access::kUser,
        [this](HttpRequest request, const PathParameters&, std::shared_ptr<HttpReply> reply) {
          AnthropicApi(*parts_.turns, parts_.signature, parts_.sources)
              .count_tokens(request, reply, "");
        });
  }
  for (const char* prefix : {"/v1", ""}) {
    const std::string base = prefix;
    add("GET", base + "/models", Access::kUser,
        responding([this](const HttpRequest&, const PathParameters&) {
          return list_models(parts_.card);
        }));
    add("GET", base + "/models/{id}", Access::kUser,
        responding([this](const HttpRequest&, const PathParameters& parameters) {
          return get_model(parts_.card, parameters["id"]);
        }));
    add("POST", base + "/embeddings", Access::kUser,
        responding([this](const HttpRequest&, const PathParameters&) {
          return refuse_embeddings(parts_.card);
        }));
  }
  add("POST", "/tokenize", Access::kUser,
      responding([this](const HttpRequest& request, const PathParameters&) {
        return parts_.texts->tokenize(request.body);
      }));
  add("POST", "/detokenize", Access::kUser,
      responding([this](const HttpRequest& request, const PathParameters&) {
        return parts_.texts->detokenize(request.body);
      }));
  add("GET", "/tokenizer_info", Access::kUser,
      responding([this](const HttpRequest&, const PathParameters&) {
        return parts_.texts->tokenizer_info();
      }));
  add("POST", "/apply-template", Access::kUser,
      responding([this](const HttpRequest& request, const PathParameters&) {
        return parts_.texts->apply_template(request.body);
      }));
}

void Service::add_operations(std::vector<Route>& routes) {
  const auto add = [&](std::string pattern, Access access, RouteHandler handler) {
    routes.push_back({"GET", std::move(pattern), access, std::move(handler)});
  };
  add("/v1/status", Access::kUser,
      responding([this](const HttpRequest&, const PathParameters&) { return status(); }));
  add("/metrics", Access::kMetrics,
      responding([this](const HttpRequest&, const PathParameters&) { return metrics_text(); }));
  for (const char* path : {"/health", "/v1/health", "/livez"}) {
    add(path, Access::kOpen, responding([](const HttpRequest&, const PathParameters&) {
          return json_response({{"status", "ok"}});
        }));
  }
  for (const char* path : {"/ready", "/readyz"}) {
    add(path, Access::kOpen, responding([this](const HttpRequest&, const PathParameters&) {
          return draining_ ? text_response(503, "stopping\n") : text_response(200, "ready\n");
        }));
  }
}

void Service::add_page(std::vector<Route>& routes) {
  for (const PageFile& file : parts_.page) {
    routes.push_back({"GET", file.path, Access::kOpen,
                      responding([&file, tag = page_tag(file)](const HttpRequest& request,
                                                               const PathParameters&) {
                        return page_answer(file, tag, request);
                      })});
  }
}

std::function<std::string(const HttpRequest&)> Service::key_name() const {
  return [this](const HttpRequest& request) {
    const auto key = key_of(request);
    return key ? key->name : std::string();
  };
}

HttpResponse Service::status() const {
  const EngineStats stats = parts_.engine->stats();
  const auto rate = [](int64_t tokens, double seconds) {
    return seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0;
  };
  const double up =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count();
  return json_response(
      {{"model", parts_.about},
       {"queue", {{"running", stats.running}, {"waiting", stats.waiting}}},
       {"cache",
        {{"pages", stats.pages},
         {"pages_in_use", stats.pages_in_use},
         {"hit_tokens", stats.cached_tokens},
         {"prompt_tokens", stats.prompt_tokens + stats.cached_tokens},
         {"stored_pages", stats.stored_pages}}},
       {"throughput",
        {{"prompt_tokens_per_second", rate(stats.prompt_tokens, stats.prefill_seconds)},
         {"generated_tokens_per_second", rate(stats.generated_tokens, stats.decode_seconds)}}},
       {"uptime_seconds", up}});
}

HttpResponse Service::metrics_text() const {
  if (parts_.metrics == nullptr) return text_response(404, "no metrics are kept\n");
  const EngineStats stats = parts_.engine->stats();
  ServerFigures figures;
  figures.running = stats.running;
  figures.waiting = stats.waiting;
  figures.cache_share =
      stats.pages == 0 ? 0
                       : static_cast<double>(stats.pages_in_use) / static_cast<double>(stats.pages);
  figures.preempted = stats.preempted;
  figures.stored_hits = stats.stored_pages;
  parts_.metrics->set(figures);
  HttpResponse response = text_response(200, parts_.metrics->text());
  response.content_type = std::string(kMetricsContentType);
  return response;
}

}  // namespace minke
