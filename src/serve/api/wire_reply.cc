#include "serve/api/wire_reply.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/core/json.h"
#include "serve/api/api_errors.h"

namespace minke {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

WireJson value_of(element from) {
  switch (from.type()) {
    case element_type::OBJECT: {
      const simdjson::dom::object object = from.get_object().value_unsafe();
      WireJson::object_t members;
      for (const auto& [key, value] : object) {
        members.emplace_back(std::string(key), value_of(value));
      }
      return members;
    }
    case element_type::ARRAY: {
      const simdjson::dom::array array = from.get_array().value_unsafe();
      WireJson items = WireJson::array();
      for (const element item : array) items.push_back(value_of(item));
      return items;
    }
    case element_type::STRING:
      return std::string(from.get_string().value_unsafe());
    case element_type::INT64:
      return from.get_int64().value_unsafe();
    case element_type::UINT64:
      return from.get_uint64().value_unsafe();
    case element_type::DOUBLE:
      return from.get_double().value_unsafe();
    case element_type::BOOL:
      return from.get_bool().value_unsafe();
    case element_type::NULL_VALUE:
      return nullptr;
  }
  return nullptr;
}

}  // namespace

std::string wire_id(std::string_view prefix, const WireSources& sources) {
  const uint64_t first = sources.random();
  return fmt::format("{}{:016x}{:016x}", prefix, first, sources.random());
}

WireJson wire_value(std::string_view json) {
  return value_of(JsonDocument::parse(json, "a JSON text").root());
}

std::string wire_text(const WireJson& json) {
  return json.dump(-1, ' ', false, WireJson::error_handler_t::replace);
}

std::string wire_data(std::string_view json) {
  return fmt::format("data: {}\n\n", json);
}

std::string wire_event(const WireJson& json) {
  return fmt::format("event: {}\ndata: {}\n\n", json.at("type").get_ref<const std::string&>(),
                     wire_text(json));
}

HttpResponse json_response(const WireJson& json, HttpHeaders headers) {
  return {.headers = std::move(headers), .body = wire_text(json)};
}

HttpResponse wire_stream_head(HttpHeaders headers) {
  headers.emplace_back("Cache-Control", "no-cache");
  headers.emplace_back("X-Accel-Buffering", "no");
  HttpResponse head;
  head.content_type = "text/event-stream; charset=utf-8";
  head.headers = std::move(headers);
  return head;
}

HttpHeaders ignored_headers(const IgnoredFields& ignored) {
  if (ignored.empty()) return {};
  return {{"x-ignored-params", ignored.header()}};
}

std::string wire_owner(std::string_view key, std::string_view user, std::string_view salt) {
  // The user's length keeps "a" with salt "b" apart from "ab"; names of keys have no line feed.
  return fmt::format("{}\n{}:{}{}", key, user.size(), user, salt);
}

std::string_view owner_user(std::string_view owner) {
  owner.remove_prefix(std::min(owner.find('\n') + 1, owner.size()));
  const size_t colon = std::min(owner.find(':'), owner.size());
  size_t bytes = 0;
  std::from_chars(owner.data(), owner.data() + colon, bytes);
  return owner.substr(std::min(colon + 1, owner.size()), bytes);
}

void start_turn(TurnRunner& runner, TurnRequest request, std::shared_ptr<TurnListener> listener,
                HttpReply& reply) {
  const auto handle = runner.start(std::move(request), std::move(listener));
  reply.on_gone([handle] { handle->cancel(); });
}

ApiError cancelled_error() {
  ApiError error = api_error(503, "the server stopped before the answer was complete");
  error.retry_after = 1;
  return error;
}

}  // namespace minke
