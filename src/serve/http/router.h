#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/http/server.h"

namespace minke {

// Who may use a route. Only kOpen is for everybody.
enum class Access { kOpen, kUser, kMetrics };

// Whether a request may use a route of an access class: nothing if it may, else the answer. Is
// asked for every route but those of kOpen, before the handler, and never asked about kOpen.
using AccessCheck = std::function<std::optional<HttpResponse>(const HttpRequest&, Access)>;

// The values of the {names} of a pattern, in its order.
class PathParameters {
 public:
  void add(std::string name, std::string value) {
    values_.emplace_back(std::move(name), std::move(value));
  }
  // The pattern must have `name`.
  const std::string& operator[](std::string_view name) const;

 private:
  std::vector<std::pair<std::string, std::string>> values_;
};

using RouteHandler =
    std::function<void(HttpRequest, const PathParameters&, std::shared_ptr<HttpReply>)>;

struct Route {
  std::string method;   // GET answers HEAD as well
  std::string pattern;  // "/v1/files/{id}/content": {id} is one segment that is not empty
  Access access = Access::kUser;
  RouteHandler handler;
};

// A table of routes as an HttpHandler. Where two patterns fit, the one holds that is literal at the
// first segment in which they differ. 404 for unknown paths, 405 with Allow for other methods.
class Router {
 public:
  // Two routes of the same method whose patterns fit the same paths are a programmer's error.
  // `tell`: null: http_error().
  Router(std::vector<Route> routes, AccessCheck check, FaultTeller tell = nullptr);

  void operator()(HttpRequest request, std::shared_ptr<HttpReply> reply) const;

  // A HeadCheck: the answer to a request whose body nobody is going to read. Routes of kOpen, which
  // strangers may use, take none.
  std::optional<HttpResponse> refusal(const HttpRequest& head) const;

  std::vector<Route> routes() const;

 private:
  struct Entry;
  using Path = std::vector<std::string_view>;
  const Entry* find(std::string_view method, const Path& path) const;
  // Of the route for a request, null if there is none.
  const Entry* find(const HttpRequest& request, const Path& path) const;
  HttpResponse no_route(const HttpRequest& request, const Path& path) const;
  HttpResponse told(const HttpRequest& request, const HttpFault& fault) const;

  std::shared_ptr<const std::vector<Entry>> entries_;
  AccessCheck check_;
  FaultTeller tell_;
};

}  // namespace minke
