#pragma once

#include <memory>

#include "serve/http/server.h"

namespace minke {

// Keeps streams of server-sent events (WHATWG HTML, 9.2) alive that have nothing to say: proxies
// and clients close what is silent for long. Writes a comment, which readers skip, to each that has
// been silent for some time, from one thread of its own.
class EventPulse {
 public:
  // After `seconds` of silence.
  explicit EventPulse(double seconds);
  ~EventPulse();

  // `reply` with a pulse, should it become a stream of events. Each write() to it is some whole
  // events. May outlive the pulse.
  std::shared_ptr<HttpReply> keep(std::shared_ptr<HttpReply> reply);

 private:
  struct Impl;
  class Stream;
  std::shared_ptr<Impl> impl_;
};

}  // namespace minke
