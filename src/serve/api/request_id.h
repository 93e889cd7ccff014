#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "serve/http/server.h"

namespace minke {

// The id in the header x-request-id, or in Anthropic's request-id; "" if it has neither.
std::string_view request_id_of(const HttpResponse& response);

// `response` with the header x-request-id: `id`, if it has no id.
HttpResponse identified(HttpResponse response, const std::string& id);

// `reply`, whose answer has the header x-request-id: `id`, if it brings no id of its own in that
// header or in Anthropic's request-id.
std::shared_ptr<HttpReply> with_request_id(std::shared_ptr<HttpReply> reply, std::string id);

}  // namespace minke
