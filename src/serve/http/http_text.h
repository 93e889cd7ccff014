#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/http/server.h"

namespace minke {

// "Not Found"; "" for a status without a usual name.
std::string_view status_reason(int status);

// What a status means, in OpenAI's words: "invalid_request_error", "rate_limit_error"...
std::string_view error_type(int status);

// {"error": {"message", "type", "param": null, "code"}} with a type that follows from the status.
// Bytes of `message` that are not UTF-8 become U+FFFD.
HttpResponse http_error(int status, std::string_view code, std::string_view message);

HttpResponse http_error(const HttpFault& fault);

// RFC 9110, 5.6.2: names of headers and methods.
bool is_http_token(std::string_view text);

// Without the spaces and tabs around it.
std::string_view trim_blanks(std::string_view text);

// ASCII letters only.
std::string lower_ascii(std::string_view text);

// "%41" as "A". Nothing for an incomplete escape, and for text that then has a control character
// or is not UTF-8.
std::optional<std::string> percent_decoded(std::string_view text);

// RFC 9110, 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string http_date(std::time_t time);

using QueryParameters = std::vector<std::pair<std::string, std::string>>;

// "a=1&b=x+y" in its order, decoded; a name without "=" has the value "". Throws Error for an
// escape that is incomplete or stands for a control character or bytes that are not UTF-8.
QueryParameters parse_query(std::string_view query);

// The first value of `name`.
std::optional<std::string> query_value(const QueryParameters& parameters, std::string_view name);

}  // namespace minke
