#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "serve/http/server.h"

namespace minke {

// Keeps streams alive that have nothing to say: proxies and clients close what is silent for long.
// Writes a comment to each event stream that has been silent for `seconds`, from one thread of its
// own. Streams may outlive it.
class EventPulse {
 public:
  explicit EventPulse(double seconds);
  ~EventPulse();

 private:
  friend class EventStream;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Server-sent events (WHATWG HTML, 9.2) over a reply. Each call writes one whole event; all may
// come from any thread. A stream that is dropped before end() is cut short, as its reply is.
class EventStream {
 public:
  // Sends the head at once. `headers` are sent besides those that keep proxies from holding events
  // back. `pulse` must live until the constructor returns.
  EventStream(std::shared_ptr<HttpReply> reply, EventPulse& pulse, HttpHeaders headers = {});

  void data(std::string_view text);
  void event(std::string_view name, std::string_view text);  // `name` has no line end
  void comment(std::string_view text);                       // which readers skip
  void end();

 private:
  friend class EventPulse;
  struct Line;
  std::shared_ptr<Line> line_;
};

// `text` as the field `name`: one line each for its lines, which CR LF, LF or CR end.
std::string event_field(std::string_view name, std::string_view text);

}  // namespace minke
