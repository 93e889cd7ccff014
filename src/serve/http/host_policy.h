#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/http/server.h"

namespace minke {

// A host as it stands in URLs and in the Host header.
struct Authority {
  std::string host;  // in one spelling: lower case, no final dot, addresses as inet_ntop writes
                     // them, IPv6 without its brackets
  int port = -1;     // -1: none is given
};

// Nothing if `text` is not "host", "host:port" or "[address]:port".
std::optional<Authority> parse_authority(std::string_view text);

// Whether `host`, an address without brackets or a name, never leaves this machine. A name that
// only looks like an address, "127.evil.example", does not count.
bool is_loopback(std::string_view host);

// Which names a server answers to, and which web pages it answers. A page of a stranger can have
// its own name resolve to 127.0.0.1 (DNS rebinding), but cannot make a browser send another Host or
// Origin than its own.
class HostPolicy {
 public:
  explicit HostPolicy(const HttpOptions& options);

  // Why a request must not be handled; nothing if it may be. `authority`: of the
  // request's target, "" if it has none. `reached`: the address that the client connected to; ""
  // over a Unix socket, which no browser can reach, so that its Host may be any.
  std::optional<HttpFault> refusal(const HttpRequest& head, std::string_view authority,
                                   std::string_view reached) const;

  // The answer to a browser's question whether a page of an allowed origin may send a request;
  // nothing if this is no such question.
  std::optional<HttpResponse> preflight(const HttpRequest& head) const;

  // The request's Origin if it is one of the allowed ones, else "".
  std::string allowed_origin(const HttpRequest& head) const;

 private:
  bool knows_host(std::string_view text, std::string_view reached) const;

  std::vector<std::string> hosts_;
  std::vector<std::string> origins_;
  bool any_host_ = false;
  bool any_origin_ = false;
};

}  // namespace minke
