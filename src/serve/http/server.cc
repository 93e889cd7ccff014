#include "serve/http/server.h"

#include <chrono>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <fcntl.h>

#include "base/core/error.h"
#include "serve/http/connection.h"
#include "serve/http/listen_socket.h"

namespace minke {
namespace {

namespace asio = boost::asio;
using asio::generic::stream_protocol;

// Between attempts to accept when the system has no descriptor or memory for another connection.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr double kMostSeconds = 1e8;
constexpr int kMostThreads = 256;

const HttpOptions& checked(const HttpOptions& options, const HttpHandler& handler) {
  const auto expect = [](bool holds, const char* name, const char* what) {
    if (!holds) fail(name, "expected {}", what);
  };
  expect(handler != nullptr, "handler", "a function");
  expect(options.threads >= 1 && options.threads <= kMostThreads, "threads", "1 to 256");
  expect(options.connections >= 1, "connections", "at least 1");
  expect(options.header_bytes >= 256 && options.header_bytes <= (1 << 20), "header_bytes",
         "256 to 1048576");
  expect(options.body_bytes >= 0, "body_bytes", "0 or more");
  expect(options.bodies_bytes / 2 >= options.body_bytes, "bodies_bytes",
         "at least twice body_bytes");
  expect(options.unsent_bytes >= 1, "unsent_bytes", "at least 1");
  for (const double seconds : {options.header_seconds, options.body_seconds, options.idle_seconds,
                               options.stalled_seconds}) {
    expect(seconds > 0 && seconds <= kMostSeconds, "timeouts", "more than 0 and at most 1e8 s");
  }
  return options;
}

}  // namespace

struct HttpServer::Impl {
  Impl(HttpOptions options, HttpHandler handler, HttpHooks hooks);
  ~Impl();

  void accept();
  void accepted(const boost::system::error_code& error,
                const std::shared_ptr<Connection>& connection);
  void stop();

  ListenSocket listening;
  asio::io_context io;
  std::shared_ptr<ConnectionShare> share;
  asio::basic_socket_acceptor<stream_protocol> acceptor;
  asio::steady_timer pause;
  asio::executor_work_guard<asio::io_context::executor_type> work;
  std::vector<std::thread> threads;
};

HttpServer::Impl::Impl(HttpOptions options, HttpHandler handler, HttpHooks hooks)
    : listening(checked(options, handler).address, options.port),
      io(options.threads),
      share(std::make_shared<ConnectionShare>(std::move(options), std::move(handler),
                                              std::move(hooks))),
      acceptor(asio::make_strand(io)),
      pause(acceptor.get_executor()),
      work(io.get_executor()) {
  acceptor.assign(stream_protocol(listening.family(), 0), listening.release());
  accept();
  const int wanted = share->options.threads;
  try {
    for (int i = 0; i < wanted; ++i) {
      threads.emplace_back([this] {
        for (;;) {
          try {
            io.run();
            return;
          } catch (const std::exception&) {
            // Memory ran out for one connection, which is closed by that; the others go on.
          }
        }
      });
    }
  } catch (const std::system_error& e) {
    stop();
    fail("threads", "expected {}, the system gave {}: {}", wanted, threads.size(), e.what());
  }
}

HttpServer::Impl::~Impl() {
  stop();
}

void HttpServer::Impl::stop() {
  {
    // From here on replies that others hold do not touch the loop.
    const std::lock_guard lock(share->lifeline->mutex);
    share->lifeline->alive = false;
  }
  io.stop();
  for (std::thread& thread : threads) {
    if (thread.joinable()) thread.join();
  }
  for (const auto& connection : share->list.all()) connection->close();
}

void HttpServer::Impl::accept() {
  auto connection = std::make_shared<Connection>(share, io);
  Connection::Socket& socket = connection->socket();
  acceptor.async_accept(
      socket, [this, connection = std::move(connection)](const boost::system::error_code& error) {
        accepted(error, connection);
      });
}

void HttpServer::Impl::accepted(const boost::system::error_code& error,
                                const std::shared_ptr<Connection>& connection) {
  if (!acceptor.is_open()) return;
  if (error) {
    pause.expires_after(kAcceptPause);
    pause.async_wait([this](const boost::system::error_code& stopped) {
      if (!stopped && acceptor.is_open()) accept();
    });
    return;
  }
  ::fcntl(connection->socket().native_handle(), F_SETFD, FD_CLOEXEC);
  connection->start();
  accept();
}

HttpServer::HttpServer(HttpOptions options, HttpHandler handler, HttpHooks hooks)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler), std::move(hooks))) {}

HttpServer::~HttpServer() = default;

uint16_t HttpServer::port() const {
  return impl_->listening.port();
}

bool HttpServer::drain(double seconds) {
  *impl_->share->draining = true;
  asio::post(impl_->acceptor.get_executor(), [impl = impl_.get()] {
    boost::system::error_code ignored;
    impl->acceptor.close(ignored);
    impl->pause.cancel();
    impl->listening.remove_file();
  });
  for (const auto& connection : impl_->share->list.all()) connection->drain();
  return impl_->share->list.wait_until_answered(seconds);
}

}  // namespace minke
