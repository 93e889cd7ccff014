// The HTTP requests of strangers: read whole and in pieces, checked against the host policy, their
// queries and hosts taken apart. What is accepted is what it seems to be.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/check.h"
#include "base/core/error.h"
#include "base/core/utf8.h"
#include "serve/http/host_policy.h"
#include "serve/http/http_text.h"
#include "serve/http/request_reader.h"

namespace {

using namespace minke;
using Stage = RequestReader::Stage;

constexpr RequestLimits kLimits = {2048, 4096};

const HostPolicy& policy() {
  static const HostPolicy of_office = [] {
    HttpOptions options;
    options.allowed_hosts = {"chat.example"};
    options.allowed_origins = {"https://page.example"};
    return HostPolicy(options);
  }();
  return of_office;
}

struct Outcome {
  Stage stage = Stage::kHead;
  size_t used = 0;
  HttpRequest request;
};

// Reads one request from pieces of `piece` bytes. What waits to be taken stays within the limits.
Outcome read(std::string_view data, size_t piece) {
  RequestReader reader(kLimits);
  std::string pending;
  Outcome outcome;
  for (;;) {
    const size_t used = reader.add(pending);
    CHECK(used <= pending.size());
    pending.erase(0, used);
    outcome.used += used;
    outcome.stage = reader.stage();
    if (outcome.stage == Stage::kFailed) {
      CHECK(reader.fault().status >= 400 && !reader.fault().message.empty());
      return outcome;
    }
    if (outcome.stage == Stage::kHeadDone) continue;
    if (outcome.stage == Stage::kDone) {
      outcome.request = reader.take();
      return outcome;
    }
    CHECK(pending.size() <= static_cast<size_t>(kLimits.header_bytes));
    if (data.empty()) return outcome;
    const size_t size = std::min(piece, data.size());
    pending += data.substr(0, size);
    data.remove_prefix(size);
  }
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  });
}

void check_request(const HttpRequest& request) {
  CHECK(is_http_token(request.method));
  CHECK(request.path.starts_with('/') || request.path == "*");
  CHECK(!has_control(request.path) && utf8_valid(request.path));
  CHECK(request.path.find("/../") == std::string::npos);
  CHECK(request.body.size() <= static_cast<size_t>(kLimits.body_bytes));
  for (size_t i = 0; i < request.headers.size(); ++i) {
    const auto& [name, value] = request.headers[i];
    CHECK(is_http_token(name) && name == lower_ascii(name) && !has_control(value));
    CHECK(request.header(name).data() == value.data());  // each name once
  }
  CHECK(request.header("content-length").empty() || request.header("transfer-encoding").empty());
  if (const auto host = parse_authority(request.header("host"))) {
    CHECK(!host->host.empty() && host->port <= 65535);
  }
  policy().refusal(request, "", "127.0.0.1");
  policy().preflight(request);
  try {
    parse_query(request.query);
  } catch (const Error&) {
    // An escape that is none.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = read(rest, std::max<size_t>(rest.size(), 1));
  const Outcome pieces = read(rest, 1 + data[0] % 16);
  if (whole.stage == Stage::kDone) {
    check_request(whole.request);
    CHECK(pieces.stage == Stage::kDone && pieces.used == whole.used);
    CHECK(pieces.request.headers == whole.request.headers);
    CHECK(pieces.request.path == whole.request.path);
    CHECK(pieces.request.body == whole.request.body);
  } else {
    CHECK(pieces.stage != Stage::kDone);
  }
  return 0;
}
