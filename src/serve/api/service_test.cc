#include "serve/api/service.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "base/core/test_folder.h"
#include "serve/api/openai/fakes.h"

namespace minke {
namespace {

using testing::TempFolder;

std::string path_of(const Route& route) {
  std::string path = route.pattern;
  for (size_t at; (at = path.find('{')) != std::string::npos;) {
    path.replace(at, path.find('}') - at + 1, "x");
  }
  return path;
}

struct Served {
  explicit Served(const std::filesystem::path& folder)
      : user(add_key(folder / "keys.json", key("user", KeyRole::kUser))),
        watcher(add_key(folder / "keys.json", key("watcher", KeyRole::kMetrics))),
        ring(folder / "keys.json") {
    parts.turns = &runner;
    parts.keys = &ring;
    parts.sources = {[] { return uint64_t{1}; }, [] { return int64_t{1}; }};
  }

  static ApiKey key(const char* name, KeyRole role) {
    ApiKey k;
    k.name = name;
    k.roles = {role};
    return k;
  }

  int ask(Service& service, const Route& route, const std::string& presented) {
    auto reply = std::make_shared<FakeReply>();
    HttpRequest request;
    request.method = route.method;
    request.path = path_of(route);
    if (!presented.empty()) request.headers = {{"authorization", "Bearer " + presented}};
    service.handler()(std::move(request), reply);
    return reply->head.value().status;
  }

  std::string user, watcher;
  KeyRing ring;
  FakeRunner runner;
  ServiceParts parts;
};

TEST(Service, EveryRouteButTheOpenOnesAsksForAKey) {
  const TempFolder folder;
  Served served(folder.path());
  Service service(served.parts);
  int asked = 0;
  for (const Route& route : service.routes()) {
    if (route.access == Access::kOpen) continue;
    ++asked;
    EXPECT_EQ(served.ask(service, route, ""), 401) << route.method << " " << route.pattern;
    EXPECT_EQ(served.ask(service, route, "mk-wrong"), 401) << route.method << " " << route.pattern;
    const std::string& other = route.access == Access::kMetrics ? served.user : served.watcher;
    EXPECT_EQ(served.ask(service, route, other), 403) << route.method << " " << route.pattern;
  }
  EXPECT_GT(asked, 20);
}

TEST(Service, OnlyStatesOfHealthAndThePageAreOpen) {
  const TempFolder folder;
  Served served(folder.path());
  served.parts.page = {{"/", "text/html", "gzip", "page"}};
  Service service(served.parts);
  std::vector<std::string> open;
  for (const Route& route : service.routes()) {
    if (route.access == Access::kOpen) open.push_back(route.method + " " + route.pattern);
  }
  std::sort(open.begin(), open.end());
  EXPECT_EQ(open, std::vector<std::string>({"GET /", "GET /health", "GET /livez", "GET /ready",
                                            "GET /readyz", "GET /v1/health"}));
}

TEST(Service, RefusesNewRequestsWhileItStops) {
  const TempFolder folder;
  Served served(folder.path());
  Service service(served.parts);
  service.stop_taking();
  for (const Route& route : service.routes()) {
    if (route.pattern != "/v1/chat/completions" && route.pattern != "/readyz") continue;
    EXPECT_EQ(served.ask(service, route, served.user), 503) << route.pattern;
  }
}

}  // namespace
}  // namespace minke
