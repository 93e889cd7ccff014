#pragma once

#include <memory>
#include <string>

#include "serve/http/server.h"

namespace minke {

// `reply`, whose answer has the header x-request-id: `id`, if it brings no id of its own in that
// header or in Anthropic's request-id.
std::shared_ptr<HttpReply> with_request_id(std::shared_ptr<HttpReply> reply, std::string id);

}  // namespace minke
