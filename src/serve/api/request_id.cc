#include "serve/api/request_id.h"

#include <algorithm>
#include <utility>

#include "serve/http/http_text.h"

namespace minke {
namespace {

class IdentifiedReply final : public HttpReply {
 public:
  IdentifiedReply(std::shared_ptr<HttpReply> reply, std::string id)
      : reply_(std::move(reply)), id_(std::move(id)) {}

  void send(HttpResponse response) override { reply_->send(identified(std::move(response), id_)); }
  void begin_stream(HttpResponse head) override {
    reply_->begin_stream(identified(std::move(head), id_));
  }
  void write(std::string bytes) override { reply_->write(std::move(bytes)); }
  void end() override { reply_->end(); }
  void on_gone(std::function<void()> callback) override { reply_->on_gone(std::move(callback)); }

 private:
  const std::shared_ptr<HttpReply> reply_;
  const std::string id_;
};

}  // namespace

std::string_view request_id_of(const HttpResponse& response) {
  const auto found =
      std::find_if(response.headers.begin(), response.headers.end(), [](const auto& header) {
        const std::string name = lower_ascii(header.first);
        return name == "x-request-id" || name == "request-id";
      });
  return found == response.headers.end() ? std::string_view() : std::string_view(found->second);
}

HttpResponse identified(HttpResponse response, const std::string& id) {
  if (request_id_of(response).empty()) response.headers.emplace_back("x-request-id", id);
  return response;
}

std::shared_ptr<HttpReply> with_request_id(std::shared_ptr<HttpReply> reply, std::string id) {
  return std::make_shared<IdentifiedReply>(std::move(reply), std::move(id));
}

}  // namespace minke
