#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace minke {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method;   // "GET"
  std::string path;     // "/v1/models", percent-decoded, without the query
  std::string query;    // behind "?", as it came
  HttpHeaders headers;  // names in lower case, each once
  std::string body;
  std::string peer;  // address of the client, without its port

  // The value of a header, "" if it is not there. `name` in lower case.
  std::string_view header(std::string_view name) const;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  HttpHeaders headers;  // besides Content-Type, Content-Length, Date, Server, Connection
  std::string body;
};

// The answer to one request: send() once; or begin_stream(), write() as often as needed, and end().
// All functions may be called from any thread and never wait. Once the client is gone they do
// nothing.
class HttpReply {
 public:
  virtual ~HttpReply() = default;
  virtual void send(HttpResponse response) = 0;
  // Sends the head at once. `head.body` is empty. The body comes in chunks.
  virtual void begin_stream(HttpResponse head) = 0;
  virtual void write(std::string bytes) = 0;
  virtual void end() = 0;
  // Called once if the client leaves before the answer is complete; at once if it has left. Should
  // not hold the reply itself, which then would not be dropped.
  virtual void on_gone(std::function<void()> callback) = 0;
};

// Answers a request, now or later. Called on one of the server's threads; must not wait long and
// must not throw. A reply that is dropped without an answer is answered with status 500.
using HttpHandler = std::function<void(HttpRequest, std::shared_ptr<HttpReply>)>;

struct HttpOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 8080;  // 0: a free one
  int threads = 1;
  int64_t connections = 1024;       // more are answered with 503 and closed
  int64_t header_bytes = 16 << 10;  // 431
  int64_t body_bytes = 16 << 20;    // 413
  // Memory for all bodies that are being received: 503 for those that do not fit.
  int64_t bodies_bytes = 256 << 20;
  int64_t unsent_bytes = 4 << 20;  // of a stream that is not read: the client is dropped
  double header_seconds = 10;      // for a request's head and body to arrive: 408
  double body_seconds = 60;
  double idle_seconds = 75;                  // between requests of a connection
  double stalled_seconds = 60;               // without a byte taken by the client
  std::vector<std::string> allowed_hosts;    // of the Host header, besides loopback names and the
                                             // address itself; "*": any. Others: 403
  std::vector<std::string> allowed_origins;  // of browsers' pages on other hosts (CORS)
};

// What the server itself, and not its handler, finds wrong with a request.
struct HttpFault {
  int status = 400;
  std::string code;
  std::string message;
  HttpHeaders headers = {};  // of the answer
};

// The answer to a request that is refused by its head, nothing if its body may be read. Is asked
// only about requests that bring a body, so that nobody who may not ask makes the server keep one;
// the handler still decides about all.
using HeadCheck = std::function<std::optional<HttpResponse>(const HttpRequest& head)>;

// The answer that tells of a fault. Of `head` there is what had been read; its path may be "".
using FaultTeller = std::function<HttpResponse(const HttpRequest& head, const HttpFault& fault)>;

// What a server asks besides answers; what is null is not asked. Called on the server's threads;
// must neither wait nor throw.
struct HttpHooks {
  HeadCheck check;
  FaultTeller tell;               // null: http_error()
  std::function<void()> stalled;  // a client was dropped because it did not read
};

// HTTP/1.1 over TCP, or over a Unix socket for an address that begins with "/".
class HttpServer {
 public:
  // Listens. Throws Error that names the address if it cannot.
  HttpServer(HttpOptions options, HttpHandler handler, HttpHooks hooks = {});
  ~HttpServer();  // stops at once

  uint16_t port() const;
  // Takes no new connections, answers those requests that are under way, and returns when they are
  // or `seconds` have passed; true for the former.
  bool drain(double seconds);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace minke
