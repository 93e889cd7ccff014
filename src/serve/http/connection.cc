#include "serve/http/connection.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <poll.h>
#include <sys/socket.h>

#include "serve/http/http_text.h"
#include "serve/http/listen_socket.h"

namespace minke {
namespace {

namespace asio = boost::asio;

// Bytes of later requests that are read while one is answered. Behind so many the client's leaving
// cannot be read, and is looked for.
constexpr size_t kPipelinedBytes = 64 << 10;
// Between looks at a client that may have left; doubled each time up to the latter.
constexpr double kFirstWatchSeconds = 0.25, kMostWatchSeconds = 8;
// After the last response, what the client still sends is read and thrown away for so long: closing
// with bytes unread makes the kernel take back what the client has not read yet.
constexpr double kLingerSeconds = 2;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

RequestLimits limits(const HttpOptions& options) {
  return {options.header_bytes, options.body_bytes};
}

// What the peer has closed, also behind bytes that nobody has read.
enum class Closed { kNothing, kSending, kAll };

Closed closed_by_peer(int fd) {
  pollfd entry = {fd, POLLRDHUP, 0};
  if (::poll(&entry, 1, 0) <= 0) return Closed::kNothing;
  if ((entry.revents & (POLLHUP | POLLERR)) != 0) return Closed::kAll;
  return (entry.revents & POLLRDHUP) != 0 ? Closed::kSending : Closed::kNothing;
}

}  // namespace

Connection::Connection(std::shared_ptr<ConnectionShare> share, asio::io_context& io)
    : share_(std::move(share)),
      socket_(asio::make_strand(io)),
      timer_(socket_.get_executor()),
      reader_(limits(share_->options)),
      body_(share_->bodies) {}

// A connection ends in close(), unless memory ran out in one of its handlers.
Connection::~Connection() {
  close();
}

bool Connection::is_tcp() const {
  return !share_->options.address.starts_with('/');
}

void Connection::start() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] { self->begin(); });
}

void Connection::begin() {
  ErrorCode ignored;
  if (is_tcp()) socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  peer_ = is_tcp() ? peer_address(socket_.native_handle()) : "unix";
  reached_ = local_address(socket_.native_handle());
  // Without it the Host could not be checked.
  if (is_tcp() && reached_.empty()) return close();
  switch (share_->list.add(shared_from_this(), share_->options.connections)) {
    case ConnectionList::Admission::kTooMany:
      return close();
    case ConnectionList::Admission::kRefused:
      return refuse({503,
                     "too_many_connections",
                     "the server has no room for more connections",
                     {{"Retry-After", "1"}}});
    case ConnectionList::Admission::kServed:
      break;
  }
  arm(share_->options.header_seconds);
  read();
  if (*share_->draining) drain();
}

void Connection::drain() {
  asio::post(socket_.get_executor(), [self = shared_from_this(), this] {
    if (state_ != State::kReading || !input_.empty() || reader_.started()) return;
    // A request may have arrived and not been read.
    ErrorCode error;
    if (socket_.available(error) == 0 || error) close();
  });
}

void Connection::read() {
  if (reading_ || peer_closed_) return;
  reading_ = true;
  socket_.async_read_some(asio::buffer(buffer_),
                          [self = shared_from_this()](const ErrorCode& error, size_t bytes) {
                            self->on_read(error, bytes);
                          });
}

void Connection::on_read(const ErrorCode& error, size_t bytes) {
  reading_ = false;
  if (state_ == State::kClosed) return;
  if (error) return peer_left(error);
  if (state_ == State::kLingering) return read();
  input_.append(buffer_.data(), bytes);
  if (state_ == State::kReading) return advance();
  if (input_.size() < kPipelinedBytes) {
    read();
  } else {
    pump();
  }
}

// Gives the reader what there is, until it needs more or has a request.
void Connection::advance() {
  if (!head_timed_) {
    head_timed_ = true;
    arm(share_->options.header_seconds);
  }
  for (;;) {
    input_.erase(0, reader_.add(input_));
    if (!body_.grow_to(static_cast<int64_t>(reader_.request().body.capacity()))) {
      return refuse({503,
                     "too_many_bodies",
                     "the server is receiving too much at once",
                     {{"Retry-After", "1"}}});
    }
    switch (reader_.stage()) {
      case RequestReader::Stage::kHead:
      case RequestReader::Stage::kBody:
        if (peer_closed_) return linger();
        return read();
      case RequestReader::Stage::kHeadDone:
        if (!head_done()) return;
        break;
      case RequestReader::Stage::kDone:
        return handle();
      case RequestReader::Stage::kFailed:
        return refuse(reader_.fault());
    }
  }
}

// False if the request is refused by its head.
bool Connection::head_done() {
  const HttpRequest& head = reader_.request();
  if (const auto fault = share_->policy.refusal(head, reader_.authority(), reached_)) {
    refuse(*fault);
    return false;
  }
  if (reader_.has_body() && share_->hooks.check) {
    if (std::optional<HttpResponse> refusal = share_->hooks.check(head)) {
      answer_and_close(*std::move(refusal));
      return false;
    }
  }
  arm(share_->options.body_seconds);
  // A client that has begun to send its body does not wait.
  if (reader_.expects_continue() && input_.empty() && outgoing_.empty()) {
    outgoing_ = kContinue;
    outgoing_counts_ = false;
    pump();
  }
  return true;
}

ReplyFrame Connection::frame(bool keep_alive) const {
  const HttpRequest& request = reader_.request();
  return {request.method == "HEAD", reader_.http10(), keep_alive,
          share_->policy.allowed_origin(request)};
}

void Connection::refuse(const HttpFault& fault) {
  const FaultTeller& tell = share_->hooks.tell;
  answer_and_close(tell ? tell(reader_.request(), fault) : http_error(fault));
}

// Of a request that is not handled nothing is kept while its answer goes out.
void Connection::forget_request() {
  reader_ = RequestReader(limits(share_->options));
  body_.release();
}

void Connection::make_exchange(ReplyFrame frame) {
  state_ = State::kAnswering;
  taken_ = {};
  watch_seconds_ = kFirstWatchSeconds;
  // "100 Continue" may still be on its way.
  if (writing_) {
    arm(share_->options.stalled_seconds);
  } else {
    disarm();
  }
  auto wake = [lifeline = share_->lifeline, weak = weak_from_this()] {
    const std::lock_guard lock(lifeline->mutex);
    if (!lifeline->alive) return;
    if (auto self = weak.lock()) {
      auto executor = self->socket_.get_executor();
      asio::post(executor, [self = std::move(self)] { self->pump(); });
    }
  };
  exchange_ = std::make_shared<Exchange>(std::move(frame), share_->options.unsent_bytes,
                                         share_->draining, std::move(wake));
}

void Connection::handle() {
  make_exchange(frame(reader_.keep_alive()));
  HttpRequest request = reader_.take();
  request.peer = peer_;
  if (!peer_closed_ && input_.size() < kPipelinedBytes) {
    read();
  } else if (!writing_) {
    arm(watch_seconds_);
  }
  if (std::optional<HttpResponse> answer = share_->policy.preflight(request)) {
    return exchange_->send(*std::move(answer));
  }
  try {
    share_->handler(std::move(request), make_reply(exchange_));
  } catch (const std::exception&) {
    // The reply was dropped on the way here and so is answered.
  }
  body_.release();
}

void Connection::answer_and_close(HttpResponse response) {
  make_exchange(frame(false));
  forget_request();
  exchange_->send(std::move(response));
}

// What the client closes is its sending side, and perhaps all.
void Connection::peer_left(const ErrorCode& error) {
  peer_closed_ = true;
  if (error != asio::error::eof || state_ != State::kAnswering) return close();
  if (!exchange_->complete()) watch();
}

// TCP does not tell a client that still reads from one that has closed all until something is sent.
// A Unix socket does.
void Connection::watch() {
  const Closed closed = closed_by_peer(socket_.native_handle());
  if (closed == Closed::kAll) return close();
  if (closed == Closed::kSending && is_tcp() && !exchange_->ask_for_life()) return close();
  if (!writing_) arm(watch_seconds_);
  watch_seconds_ = std::min(2 * watch_seconds_, kMostWatchSeconds);
}

void Connection::pump() {
  if (state_ == State::kClosed) return;
  if (exchange_ && exchange_->dropped()) return drop();
  if (writing_) return;
  if (outgoing_.empty() && exchange_ && !taken_.complete) {
    taken_ = exchange_->take(outgoing_);
    outgoing_counts_ = true;
  }
  if (!outgoing_.empty()) return write();
  if (state_ != State::kAnswering) return;
  if (taken_.complete) return reply_done();
  if (peer_closed_ || input_.size() >= kPipelinedBytes) {
    arm(watch_seconds_);
  } else {
    disarm();
  }
}

void Connection::write() {
  writing_ = true;
  // The body's time goes on while the client is told to send it.
  if (state_ == State::kAnswering) arm(share_->options.stalled_seconds);
  socket_.async_write_some(
      asio::buffer(outgoing_.data() + outgoing_sent_, outgoing_.size() - outgoing_sent_),
      [self = shared_from_this()](const ErrorCode& error, size_t bytes) {
        self->on_write(error, bytes);
      });
}

void Connection::on_write(const ErrorCode& error, size_t bytes) {
  writing_ = false;
  if (state_ == State::kClosed) return;
  if (error) return close();
  if (outgoing_counts_) exchange_->sent(bytes);
  outgoing_sent_ += bytes;
  if (outgoing_sent_ == outgoing_.size()) {
    outgoing_.clear();
    outgoing_sent_ = 0;
  }
  pump();
}

void Connection::reply_done() {
  exchange_.reset();
  const bool nothing_follows = peer_closed_ && input_.empty();
  if (!taken_.keep_alive || nothing_follows || *share_->draining) return linger();
  state_ = State::kReading;
  reader_ = RequestReader(limits(share_->options));
  head_timed_ = false;
  if (!input_.empty()) return advance();
  arm(share_->options.idle_seconds);
  read();
}

void Connection::linger() {
  share_->list.answered(this);
  ErrorCode error;
  socket_.shutdown(Socket::shutdown_send, error);
  if (error || peer_closed_) return close();
  state_ = State::kLingering;
  input_ = std::string();
  arm(kLingerSeconds);
  read();
}

// The client does not read. Closes so that the kernel forgets what it has not sent.
void Connection::drop() {
  if (share_->hooks.stalled) share_->hooks.stalled();
  ErrorCode ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

void Connection::close() {
  if (std::exchange(state_, State::kClosed) == State::kClosed) return;
  ErrorCode ignored;
  socket_.close(ignored);
  disarm();
  share_->list.remove(this);
  if (const auto exchange = std::exchange(exchange_, nullptr)) exchange->gone();
}

void Connection::arm(double seconds) {
  timer_.expires_after(std::chrono::duration_cast<std::chrono::steady_clock::duration>(
      std::chrono::duration<double>(seconds)));
  timer_.async_wait([self = shared_from_this(), this](const ErrorCode& error) {
    // A wait that ended just before the timer was set anew.
    if (error || timer_.expiry() > std::chrono::steady_clock::now()) return;
    timed_out();
  });
}

void Connection::disarm() {
  timer_.expires_at(std::chrono::steady_clock::time_point::max());
}

void Connection::timed_out() {
  switch (state_) {
    case State::kClosed:
      return;
    case State::kLingering:
      return close();
    case State::kReading:
      if (input_.empty() && !reader_.started()) return close();
      return refuse({408, "request_timeout", "the request did not arrive in time"});
    case State::kAnswering:
      if (writing_) return drop();
      return watch();
  }
}

}  // namespace minke
