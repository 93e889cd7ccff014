#include "serve/http/host_policy.h"

#include <algorithm>

#include <arpa/inet.h>
#include <fmt/format.h>

#include "base/core/error.h"
#include "serve/http/http_text.h"

namespace minke {
namespace {

// The one spelling of an address or a name; without brackets.
std::string canonical_host(std::string_view host) {
  std::string text = lower_ascii(host);
  char spelled[INET6_ADDRSTRLEN] = {};
  in_addr v4 = {};
  in6_addr v6 = {};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) {
    return ::inet_ntop(AF_INET, &v4, spelled, sizeof(spelled));
  }
  if (::inet_pton(AF_INET6, text.c_str(), &v6) == 1) {
    return ::inet_ntop(AF_INET6, &v6, spelled, sizeof(spelled));
  }
  if (text.size() > 1 && text.ends_with('.')) text.pop_back();
  return text;
}

bool is_name(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '-' || c == '_';
  });
}

// Every address of the machine, and none that a client should name.
bool is_wildcard(const std::string& host) {
  return host == "0.0.0.0" || host == "::";
}

// "http://host:port" of the page that Host names, whichever the scheme: it may be the one before a
// proxy.
bool is_same_host(std::string_view origin, std::string_view host) {
  int usual_port = 0;
  if (origin.starts_with("http://")) {
    origin.remove_prefix(7);
    usual_port = 80;
  } else if (origin.starts_with("https://")) {
    origin.remove_prefix(8);
    usual_port = 443;
  } else {
    return false;
  }
  const std::optional<Authority> of_page = parse_authority(origin);
  const std::optional<Authority> here = parse_authority(host);
  if (!of_page || !here || of_page->host != here->host) return false;
  const auto port = [&](const Authority& a) { return a.port < 0 ? usual_port : a.port; };
  return port(*of_page) == port(*here);
}

// Names of headers, as a browser lists them.
bool is_token_list(std::string_view list) {
  while (true) {
    const size_t comma = std::min(list.find(','), list.size());
    if (!is_http_token(trim_blanks(list.substr(0, comma)))) return false;
    if (comma == list.size()) return true;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace

bool is_loopback(std::string_view text) {
  const std::string host = canonical_host(text);
  in_addr v4 = {};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  // RFC 6761, 6.3: what ends in ".localhost" never leaves the machine.
  return host == "localhost" || host.ends_with(".localhost") || host == "::1";
}

std::optional<Authority> parse_authority(std::string_view text) {
  Authority authority;
  size_t end = 0;
  if (text.starts_with('[')) {
    const size_t bracket = text.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    in6_addr v6 = {};
    const std::string inside(text.substr(1, bracket - 1));
    if (::inet_pton(AF_INET6, inside.c_str(), &v6) != 1) return std::nullopt;
    authority.host = canonical_host(inside);
    end = bracket + 1;
  } else {
    end = std::min(text.find(':'), text.size());
    if (!is_name(text.substr(0, end))) return std::nullopt;
    authority.host = canonical_host(text.substr(0, end));
  }
  std::string_view port = text.substr(end);
  if (port.empty()) return authority;
  if (!port.starts_with(':')) return std::nullopt;
  port.remove_prefix(1);
  if (port.size() > 5 || port.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  if (port.empty()) return authority;
  authority.port = 0;
  for (const char digit : port) authority.port = authority.port * 10 + (digit - '0');
  if (authority.port > 65535) return std::nullopt;
  return authority;
}

HostPolicy::HostPolicy(const HttpOptions& options) {
  const auto add = [&](std::string_view host) {
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    hosts_.push_back(canonical_host(host));
  };
  for (const std::string& host : options.allowed_hosts) {
    if (host == "*") {
      any_host_ = true;
    } else {
      add(host);
    }
  }
  if (!options.address.starts_with('/')) add(options.address);
  std::erase_if(hosts_, is_wildcard);
  for (const std::string& origin : options.allowed_origins) {
    if (origin == "*") {
      any_origin_ = true;
    } else {
      origins_.push_back(lower_ascii(origin.ends_with('/') ? origin.substr(0, origin.size() - 1)
                                                           : std::string(origin)));
    }
  }
}

bool HostPolicy::knows_host(std::string_view text, std::string_view reached) const {
  const std::optional<Authority> authority = parse_authority(text);
  if (!authority) return false;
  const std::string& host = authority->host;
  return any_host_ || is_loopback(host) || host == reached ||
         std::find(hosts_.begin(), hosts_.end(), host) != hosts_.end();
}

std::optional<HttpFault> HostPolicy::refusal(const HttpRequest& head, std::string_view authority,
                                             std::string_view reached) const {
  const std::string_view host = head.header("host");
  for (const std::string_view name : {host, authority}) {
    // Only HTTP/1.0 comes this far without a Host, and browsers do not speak that.
    if (name.empty() || reached.empty() || knows_host(name, reached)) continue;
    return HttpFault{403, "host_not_allowed",
                     fmt::format("Host: expected a name that this server was told to answer to, "
                                 "found \"{}\"",
                                 printable(name))};
  }
  const std::string_view origin = head.header("origin");
  if (origin.empty() || is_same_host(origin, host) || !allowed_origin(head).empty()) {
    return std::nullopt;
  }
  return HttpFault{403, "origin_not_allowed",
                   fmt::format("Origin: expected a page of this server or one that it was told "
                               "to allow, found \"{}\"",
                               printable(origin))};
}

std::optional<HttpResponse> HostPolicy::preflight(const HttpRequest& head) const {
  if (head.method != "OPTIONS" || head.header("access-control-request-method").empty() ||
      allowed_origin(head).empty()) {
    return std::nullopt;
  }
  HttpResponse response;
  response.status = 204;
  response.content_type.clear();
  response.headers = {{"Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"},
                      {"Access-Control-Max-Age", "600"}};
  const std::string_view asked = head.header("access-control-request-headers");
  if (is_token_list(asked)) {
    response.headers.emplace_back("Access-Control-Allow-Headers", asked);
  }
  return response;
}

std::string HostPolicy::allowed_origin(const HttpRequest& head) const {
  const std::string_view origin = head.header("origin");
  const bool allowed = any_origin_ || std::find(origins_.begin(), origins_.end(),
                                                lower_ascii(origin)) != origins_.end();
  return allowed ? std::string(origin) : std::string();
}

}  // namespace minke
