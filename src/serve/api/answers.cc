#include "serve/api/answers.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <optional>
#include <utility>

#include "serve/api/anthropic/anthropic_reply.h"
#include "serve/api/api_errors.h"
#include "serve/api/request_id.h"

namespace minke {
namespace {

// Where one is the beginning of another, the longer comes first.
constexpr std::array<std::string_view, 16> kEndpoints = {
    "/v1/chat/completions", "/v1/completions", "/v1/responses",   "/v1/messages/count_tokens",
    "/v1/messages",         "/v1/models",      "/v1/embeddings",  "/v1/files",
    "/v1/batches",          "/v1/status",      "/v1/health",      "/tokenize",
    "/detokenize",          "/tokenizer_info", "/apply-template", "/metrics"};
constexpr std::string_view kVersion = "/v1";

bool is_anthropic(std::string_view path) {
  return path.find("/messages") != std::string_view::npos;
}

// Why an answer of this status took no request; where the status does not tell, who gives the
// answer does.
std::optional<Rejection> rejection_of(int status) {
  switch (status) {
    case 400:
    case 422:
      return Rejection::kInvalid;
    case 401:
      return Rejection::kNoKey;
    case 403:
      return Rejection::kForbidden;
    case 413:
    case 431:
      return Rejection::kTooLarge;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::vector<std::string> endpoint_names() {
  return {kEndpoints.begin(), kEndpoints.end()};
}

std::string_view endpoint_name(std::string_view path) {
  for (const std::string_view prefix : {"/beta/", "/anthropic/"}) {
    if (path.starts_with(prefix)) path.remove_prefix(prefix.size() - 1);
  }
  for (const std::string_view name : kEndpoints) {
    std::string_view bare = name;
    if (name.starts_with(kVersion) && !path.starts_with("/v1/"))
      bare.remove_prefix(kVersion.size());
    if (path.starts_with(bare) && (path.size() == bare.size() || path[bare.size()] == '/')) {
      return name;
    }
  }
  return {};
}

// Says that there was no answer before its request is forgotten.
class Answers::Counted final : public HttpReply {
 public:
  Counted(std::shared_ptr<HttpReply> reply, const Answers& answers, std::string path,
          std::string id)
      : reply_(with_request_id(std::move(reply), std::move(id))),
        answers_(answers),
        path_(std::move(path)) {}
  ~Counted() override {
    if (!answered_ && !gone_->load()) {
      send(answers_.error(path_, api_error(500, "the request was not answered", "", "no_answer")));
    }
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;

  void send(HttpResponse response) override {
    count(response.status);
    reply_->send(std::move(response));
  }
  void begin_stream(HttpResponse head) override {
    count(head.status);
    reply_->begin_stream(std::move(head));
  }
  void write(std::string bytes) override { reply_->write(std::move(bytes)); }
  void end() override { reply_->end(); }
  void on_gone(std::function<void()> callback) override {
    reply_->on_gone([gone = gone_, callback = std::move(callback)] {
      *gone = true;
      callback();
    });
  }

 private:
  void count(int status) {
    if (!answered_.exchange(true)) answers_.count(path_, status);
  }

  const std::shared_ptr<HttpReply> reply_;
  const Answers answers_;
  const std::string path_;
  std::atomic<bool> answered_ = false;
  const std::shared_ptr<std::atomic<bool>> gone_ = std::make_shared<std::atomic<bool>>(false);
};

std::string Answers::new_id() const {
  return wire_id("req_", sources_);
}

HttpResponse Answers::error(std::string_view path, const ApiError& error) const {
  if (is_anthropic(path)) return anthropic_error(error, new_id());
  return openai_error(error);
}

HttpResponse Answers::refused(const HttpRequest& head, HttpResponse response) const {
  count(head.path, response.status);
  return identified(std::move(response), new_id());
}

std::shared_ptr<HttpReply> Answers::counted(std::shared_ptr<HttpReply> reply, std::string path,
                                            std::string id) const {
  return std::make_shared<Counted>(std::move(reply), *this, std::move(path), std::move(id));
}

void Answers::count(std::string_view path, int status) const {
  if (metrics_ == nullptr) return;
  metrics_->answered(endpoint_name(path), status);
  if (const auto reason = rejection_of(status)) metrics_->rejected(*reason);
}

}  // namespace minke
