#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "serve/http/body_budget.h"
#include "serve/http/connection_list.h"
#include "serve/http/exchange.h"
#include "serve/http/host_policy.h"
#include "serve/http/request_reader.h"
#include "serve/http/server.h"

namespace minke {

// Replies may outlive the server: whether its loop can still be told of them.
struct Lifeline {
  std::mutex mutex;
  bool alive = true;
};

// What the connections of a server share.
struct ConnectionShare {
  ConnectionShare(HttpOptions options_of, HttpHandler handler_of, HttpHooks hooks_of)
      : options(std::move(options_of)),
        handler(std::move(handler_of)),
        hooks(std::move(hooks_of)),
        policy(options),
        bodies(options.bodies_bytes) {}

  const HttpOptions options;
  const HttpHandler handler;
  const HttpHooks hooks;
  const HostPolicy policy;
  BodyBudget bodies;
  ConnectionList list;
  const std::shared_ptr<Lifeline> lifeline = std::make_shared<Lifeline>();
  const std::shared_ptr<std::atomic<bool>> draining = std::make_shared<std::atomic<bool>>(false);
};

// One client: reads a request, has it answered, and only then looks at the next one. A read is
// under way all the time, so that a client that leaves is noticed; see docs/http.md. All functions
// but start() and drain() run on the connection's strand, where its handlers run too.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  Connection(std::shared_ptr<ConnectionShare> share, boost::asio::io_context& io);
  ~Connection();

  Socket& socket() { return socket_; }
  void start();  // once the socket is connected
  void drain();  // closes it if it is idle
  void close();  // only from the strand, or when the loop does not run
  bool is_tcp() const;

 private:
  enum class State { kReading, kAnswering, kLingering, kClosed };
  using ErrorCode = boost::system::error_code;

  void begin();
  void read();
  void on_read(const ErrorCode& error, size_t bytes);
  void advance();
  bool head_done();
  void handle();
  void answer_and_close(HttpResponse response);
  void refuse(const HttpFault& fault);
  void forget_request();
  void make_exchange(ReplyFrame frame);
  ReplyFrame frame(bool keep_alive) const;
  void peer_left(const ErrorCode& error);
  void watch();

  void pump();
  void write();
  void on_write(const ErrorCode& error, size_t bytes);
  void reply_done();
  void linger();
  void drop();

  void arm(double seconds);
  void disarm();
  void timed_out();

  const std::shared_ptr<ConnectionShare> share_;
  Socket socket_;
  boost::asio::steady_timer timer_;
  State state_ = State::kReading;
  std::string peer_;
  std::string reached_;  // the address that the client connected to

  RequestReader reader_;
  BodyShare body_;  // what the reader's body takes
  std::array<char, 16 << 10> buffer_;
  std::string input_;         // read, not yet taken by the reader
  bool reading_ = false;      // a read is under way
  bool head_timed_ = true;    // the timer is that of a head, not that of idleness
  bool peer_closed_ = false;  // the client will send no more
  double watch_seconds_ = 0;  // until the next watch()

  std::shared_ptr<Exchange> exchange_;  // of kAnswering
  Exchange::Taken taken_;
  std::string outgoing_;
  size_t outgoing_sent_ = 0;
  bool outgoing_counts_ = false;  // it is the exchange's
  bool writing_ = false;
};

}  // namespace minke
