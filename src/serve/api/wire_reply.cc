#include "serve/api/wire_reply.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/core/json.h"

namespace minke {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr size_t kMostIgnored = 32;

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

// Whether `name` can stand in a header among others.
bool is_plain(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         name.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") ==
             std::string_view::npos;
}

ApiError server_error(int status, std::string message) {
  ApiError error;
  error.status = status;
  error.type = "server_error";
  error.message = std::move(message);
  return error;
}

}  // namespace

std::string wire_id(std::string_view prefix, const WireSources& sources) {
  const uint64_t first = sources.random();
  return fmt::format("{}_{:016x}{:016x}", prefix, first, sources.random());
}

WireJson wire_value(std::string_view json) {
  return value_of(JsonDocument::parse(json, "a JSON text").root());
}

std::string wire_text(const WireJson& json) {
  return json.dump(-1, ' ', false, WireJson::error_handler_t::replace);
}

std::string wire_event(const WireJson& json) {
  return fmt::format("event: {}\ndata: {}\n\n", json.at("type").get_ref<const std::string&>(),
                     wire_text(json));
}

HttpResponse wire_stream_head(HttpHeaders headers) {
  headers.emplace_back("Cache-Control", "no-cache");
  headers.emplace_back("X-Accel-Buffering", "no");
  HttpResponse head;
  head.content_type = "text/event-stream; charset=utf-8";
  head.headers = std::move(headers);
  return head;
}

HttpHeaders wire_headers(std::string_view id_name, const std::string& request_id,
                         const std::vector<std::string>& ignored) {
  HttpHeaders headers{{std::string(id_name), request_id}};
  std::vector<std::string_view> names;
  for (const std::string& name : ignored) {
    if (is_plain(name) && names.size() < kMostIgnored) names.push_back(name);
  }
  if (!names.empty()) {
    headers.emplace_back("x-ignored-params", fmt::format("{}", fmt::join(names, ", ")));
  }
  return headers;
}

void add_retry_after(const ApiError& error, HttpHeaders& headers) {
  if (!(error.retry_after > 0)) return;
  const double seconds = std::min(std::ceil(error.retry_after), 86400.0);
  headers.emplace_back("Retry-After", fmt::format("{:.0f}", seconds));
}

std::string wire_owner(std::string_view key, const std::string& user) {
  std::string owner(key);
  if (!user.empty()) owner.append(1, '\0').append(user);
  return owner;
}

void start_turn(TurnRunner& runner, TurnRequest request, std::shared_ptr<TurnListener> listener,
                HttpReply& reply) {
  const auto handle = runner.start(std::move(request), std::move(listener));
  reply.on_gone([handle] { handle->cancel(); });
}

ApiError cancelled_error() {
  return server_error(503, "the reply was stopped before it was complete");
}

}  // namespace minke
