#include "serve/http/router.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/core/check.h"
#include "base/core/error.h"
#include "serve/http/http_text.h"

namespace minke {
namespace {

// Of "/a/b": "a", "b". Of "/": "".
std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  while (path.starts_with('/')) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

struct Segment {
  std::string text;  // literal, or the name of a parameter
  bool is_parameter = false;
};

}  // namespace

struct Router::Entry {
  explicit Entry(Route route_of) : route(std::move(route_of)) {
    CHECK(is_http_token(route.method) && route.pattern.starts_with('/') && route.handler);
    for (const std::string_view segment : segments_of(route.pattern)) {
      const bool is_parameter = segment.starts_with('{') && segment.ends_with('}');
      CHECK(is_parameter || segment.find_first_of("{}") == std::string_view::npos);
      segments.push_back(
          {std::string(is_parameter ? segment.substr(1, segment.size() - 2) : segment),
           is_parameter});
    }
  }

  bool fits(const std::vector<std::string_view>& path) const {
    return std::equal(segments.begin(), segments.end(), path.begin(), path.end(),
                      [](const Segment& segment, std::string_view text) {
                        return segment.is_parameter ? !text.empty() : segment.text == text;
                      });
  }

  // Which segments are parameters, and what the others are: the paths that it fits.
  std::string shape() const {
    std::string shape = route.method;
    for (const Segment& s : segments) shape += s.is_parameter ? "/{}" : "/" + s.text;
    return shape;
  }

  // Whether it holds where both fit.
  bool before(const Entry& other) const {
    return std::lexicographical_compare(
        segments.begin(), segments.end(), other.segments.begin(), other.segments.end(),
        [](const Segment& a, const Segment& b) { return !a.is_parameter && b.is_parameter; });
  }

  Route route;
  std::vector<Segment> segments;
};

const std::string& PathParameters::operator[](std::string_view name) const {
  const auto found = std::find_if(values_.begin(), values_.end(),
                                  [&](const auto& value) { return value.first == name; });
  CHECK(found != values_.end());
  return found->second;
}

Router::Router(std::vector<Route> routes, AccessCheck check, FaultTeller tell)
    : check_(std::move(check)), tell_(std::move(tell)) {
  CHECK(check_ != nullptr);
  std::vector<Entry> entries;
  std::vector<std::string> shapes;
  entries.reserve(routes.size());
  shapes.reserve(routes.size());
  for (Route& route : routes) {
    entries.emplace_back(std::move(route));
    shapes.push_back(entries.back().shape());
    CHECK(std::count(shapes.begin(), shapes.end(), shapes.back()) == 1);
  }
  entries_ = std::make_shared<const std::vector<Entry>>(std::move(entries));
}

const Router::Entry* Router::find(std::string_view method,
                                  const std::vector<std::string_view>& path) const {
  const Entry* best = nullptr;
  for (const Entry& entry : *entries_) {
    if (entry.route.method != method || !entry.fits(path)) continue;
    if (best == nullptr || entry.before(*best)) best = &entry;
  }
  return best;
}

const Router::Entry* Router::find(const HttpRequest& request, const Path& path) const {
  const Entry* entry = find(request.method, path);
  return entry == nullptr && request.method == "HEAD" ? find("GET", path) : entry;
}

HttpResponse Router::no_route(const HttpRequest& request, const Path& path) const {
  std::vector<std::string> allowed;
  for (const Entry& other : *entries_) {
    if (!other.fits(path)) continue;
    allowed.push_back(other.route.method);
    if (other.route.method == "GET") allowed.emplace_back("HEAD");
  }
  const std::string place = printable(request.path);
  if (allowed.empty()) {
    return told(request, {404, "not_found", fmt::format("nothing is found at {}", place)});
  }
  std::sort(allowed.begin(), allowed.end());
  allowed.erase(std::unique(allowed.begin(), allowed.end()), allowed.end());
  const std::string methods = fmt::format("{}", fmt::join(allowed, ", "));
  return told(request,
              {405,
               "method_not_allowed",
               fmt::format("{}: expected {}, found {}", place, methods, printable(request.method)),
               {{"Allow", methods}}});
}

HttpResponse Router::told(const HttpRequest& request, const HttpFault& fault) const {
  return tell_ ? tell_(request, fault) : http_error(fault);
}

std::optional<HttpResponse> Router::refusal(const HttpRequest& head) const {
  const Path path = segments_of(head.path);
  const Entry* entry = find(head, path);
  if (entry == nullptr) return no_route(head, path);
  if (entry->route.access != Access::kOpen) return check_(head, entry->route.access);
  return told(
      head, {413, "request_too_large", fmt::format("{}: expected no body", printable(head.path))});
}

void Router::operator()(HttpRequest request, std::shared_ptr<HttpReply> reply) const {
  // The request is moved to the handler, its parameters are not.
  const std::string text = request.path;
  const Path path = segments_of(text);
  const Entry* entry = find(request, path);
  if (entry == nullptr) return reply->send(no_route(request, path));
  if (entry->route.access != Access::kOpen) {
    if (std::optional<HttpResponse> refusal = check_(request, entry->route.access)) {
      return reply->send(*std::move(refusal));
    }
  }
  PathParameters parameters;
  for (size_t i = 0; i < path.size(); ++i) {
    const Segment& segment = entry->segments[i];
    if (segment.is_parameter) parameters.add(segment.text, std::string(path[i]));
  }
  entry->route.handler(std::move(request), parameters, std::move(reply));
}

std::vector<Route> Router::routes() const {
  std::vector<Route> routes;
  routes.reserve(entries_->size());
  for (const Entry& entry : *entries_) routes.push_back(entry.route);
  return routes;
}

}  // namespace minke
