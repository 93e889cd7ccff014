#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "serve/api/turn.h"
#include "serve/http/server.h"

namespace minke {

using WireJson = nlohmann::ordered_json;

// Where ids, seeds and times come from. Called from any thread.
struct WireSources {
  std::function<uint64_t()> random;
  std::function<int64_t()> now;  // seconds since 1970
};

// "msg_" and 32 hexadecimal digits, for the prefix "msg".
std::string wire_id(std::string_view prefix, const WireSources& sources);

// A JSON text as a value that keeps its order, in time that does not depend on how its members are
// spread, unlike WireJson::parse(). Throws Error.
WireJson wire_value(std::string_view json);

// Invalid UTF-8 becomes U+FFFD.
std::string wire_text(const WireJson& json);

// An event of a stream, named by the member "type" of `json`.
std::string wire_event(const WireJson& json);

// The head of a stream of events.
HttpResponse wire_stream_head(HttpHeaders headers);

// What a client may know of how it was answered: its request's id under `id_name`, and in
// x-ignored-params the fields of its request that have no effect (those with plain names).
HttpHeaders wire_headers(std::string_view id_name, const std::string& request_id,
                         const std::vector<std::string>& ignored);

// Adds Retry-After if the error says when.
void add_retry_after(const ApiError& error, HttpHeaders& headers);

// See TurnRequest::owner. Keys have no byte 0, so that no two pairs have one owner.
std::string wire_owner(std::string_view key, const std::string& user);

// Hands `request` to `runner`; `reply` stops it when its client leaves.
void start_turn(TurnRunner& runner, TurnRequest request, std::shared_ptr<TurnListener> listener,
                HttpReply& reply);

// The error of a turn that was stopped while its client still listens.
ApiError cancelled_error();

}  // namespace minke
