#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "serve/http/server.h"

namespace minke {

// What of a request decides how its response is written.
struct ReplyFrame {
  bool head_only = false;      // of HEAD
  bool http10 = false;         // knows no chunks
  bool keep_alive = true;      // the client wants it
  std::string allowed_origin;  // of a page elsewhere that may read the response; "": none
};

enum class BodyFraming { kNone, kLength, kChunked, kUntilClose };

// The status line and headers of a response, with the empty line. Control characters in values
// become spaces; headers that are not `response`'s to set, and names that are no names, are left
// out, so that no value can begin a header or a body of its own.
std::string response_head(const HttpResponse& response, const ReplyFrame& frame,
                          BodyFraming framing, bool keep_alive);

// The response to one request on its way from the handler's threads to the connection's. Knows
// nothing of sockets. May be used from any thread; calls neither `wake` nor the callback of
// on_gone() with its lock held.
class Exchange {
 public:
  // `unsent_bytes`: of a stream; with as many waiting, the next write drops it.
  // `last`: whether the connection is to be closed in any case. `wake` tells the connection to
  // take().
  Exchange(ReplyFrame frame, int64_t unsent_bytes, std::shared_ptr<const std::atomic<bool>> last,
           std::function<void()> wake);

  // The handler's side, see HttpReply.
  void send(HttpResponse response);
  void begin_stream(HttpResponse head);
  void write(std::string bytes);
  void end();
  void on_gone(std::function<void()> callback);
  // The handler has dropped its reply: 500, or a stream that is cut short.
  void abandon();

  // The connection's side.
  struct Taken {
    bool complete = false;    // nothing will follow
    bool keep_alive = false;  // once complete
  };
  // Appends what is to be sent to `out`.
  Taken take(std::string& out);
  void sent(size_t bytes);  // of what was taken
  bool complete() const;    // the handler has said all
  bool dropped() const;     // the client does not read: close without more
  void gone();              // the client has left
  // Says something that a client passes over: an interim response before the answer, a comment in a
  // stream of events, nothing in other streams. A client that has closed all answers it with a
  // reset. False if that cannot be asked: HTTP/1.0 knows no interim responses.
  bool ask_for_life();

 private:
  enum class Stage { kWaiting, kStreaming, kComplete, kGone };

  void put(std::string bytes, bool bounded);
  void put_piece(std::string bytes);
  void notify(bool always = false);

  const ReplyFrame frame_;
  const int64_t unsent_limit_;
  const std::shared_ptr<const std::atomic<bool>> last_;
  const std::function<void()> wake_;

  mutable std::mutex mutex_;
  Stage stage_ = Stage::kWaiting;
  BodyFraming framing_ = BodyFraming::kNone;
  bool events_ = false;  // the stream is one of events
  std::string out_;      // not taken yet
  int64_t unsent_ = 0;   // of out_, and of what was taken and not sent
  bool keep_alive_ = false;
  bool dropped_ = false;
  bool woken_ = false;  // and has not taken since
  std::function<void()> on_gone_;
};

// What a handler holds: abandons the exchange when it is dropped.
std::shared_ptr<HttpReply> make_reply(std::shared_ptr<Exchange> exchange);

}  // namespace minke
