#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "serve/http/server.h"

namespace minke {

struct RequestLimits {
  int64_t header_bytes = 16 << 10;  // of the head, and of a chunk's line or the trailers
  int64_t body_bytes = 16 << 20;
};

// Makes one request of bytes that come in any pieces; knows nothing of sockets. Stricter than RFC
// 9112 asks where leniency lets two readers see different requests: line ends are CRLF, lines are
// not folded, there is one Content-Length or one "Transfer-Encoding: chunked", never both.
class RequestReader {
 public:
  // kHeadDone is left with the next add(); the body is not looked at before.
  enum class Stage { kHead, kHeadDone, kBody, kDone, kFailed };

  explicit RequestReader(const RequestLimits& limits);
  ~RequestReader();
  RequestReader(RequestReader&&) noexcept;
  RequestReader& operator=(RequestReader&&) noexcept;

  // Takes bytes from the front of `input` and returns how many. The others are to be given again,
  // with those that follow them. Stops where the head ends, and where the request ends.
  size_t add(std::string_view input);

  Stage stage() const;
  bool started() const;                // has seen a byte of the request
  const HttpFault& fault() const;      // of kFailed
  const HttpRequest& request() const;  // without its body before kDone

  // Of the head, from kHeadDone on.
  bool http10() const;
  bool keep_alive() const;  // as the client wants it
  bool has_body() const;
  bool expects_continue() const;       // waits for "100 Continue" before it sends the body
  std::string_view authority() const;  // of a target such as "http://host:80/path"; "" otherwise

  HttpRequest take();  // of kDone

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace minke
