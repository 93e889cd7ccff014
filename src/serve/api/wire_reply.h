#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "serve/api/request_reader.h"
#include "serve/api/turn.h"
#include "serve/http/server.h"

namespace minke {

using WireJson = nlohmann::ordered_json;

// Where ids, seeds and times come from. Called from any thread.
struct WireSources {
  std::function<uint64_t()> random;
  std::function<int64_t()> now;  // seconds since 1970
};

// `prefix` and 32 hexadecimal digits.
std::string wire_id(std::string_view prefix, const WireSources& sources);

// A JSON text as a value that keeps its order, in time that does not depend on how its members are
// spread, unlike WireJson::parse(). Throws Error.
WireJson wire_value(std::string_view json);

// Invalid UTF-8 becomes U+FFFD.
std::string wire_text(const WireJson& json);

// An event of a stream without a name, whose data is `json` on one line.
std::string wire_data(std::string_view json);

// An event of a stream, named by the member "type" of `json`.
std::string wire_event(const WireJson& json);

// 200 with `json`.
HttpResponse json_response(const WireJson& json, HttpHeaders headers = {});

// The head of a stream of events.
HttpResponse wire_stream_head(HttpHeaders headers);

// x-ignored-params, if there are fields of the request that have no effect.
HttpHeaders ignored_headers(const IgnoredFields& ignored);

// See TurnRequest::owner: of the key's name and of what the request says of its user, so that no
// two have one owner.
std::string wire_owner(std::string_view key, std::string_view user, std::string_view salt = "");

// The user of an owner that wire_owner() made.
std::string_view owner_user(std::string_view owner);

// Hands `request` to `runner`; `reply` stops it when its client leaves.
void start_turn(TurnRunner& runner, TurnRequest request, std::shared_ptr<TurnListener> listener,
                HttpReply& reply);

// The error of a turn that was stopped while its client still listens.
ApiError cancelled_error();

}  // namespace minke
