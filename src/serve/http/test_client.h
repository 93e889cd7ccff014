#pragma once

// For tests only.

#include <cstdint>
#include <future>
#include <string>
#include <string_view>

#include "serve/http/server.h"

namespace minke::testing {

// How long a test waits for what should happen at once: long, for machines that are busy.
constexpr double kPatience = 30;

struct TestResponse {
  int status = 0;    // 0: none came
  std::string head;  // with the empty line
  std::string body;  // without the chunks' lines
  bool whole = false;
  std::string header(std::string_view name) const;
};

// A client that sends and receives bytes as it is told. Functions fail by returning false, "" or a
// response without status.
class TestClient {
 public:
  // `receive_buffer`: bytes that the kernel holds for it; 0: as many as is usual.
  explicit TestClient(uint16_t port, int receive_buffer = 0);
  explicit TestClient(const std::string& path);
  ~TestClient();
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  bool connected() const { return connected_; }
  bool send(std::string_view bytes);
  std::string read_until(std::string_view mark);           // with it
  TestResponse response(std::string_view method = "GET");  // the next one
  std::string rest();                                      // until the server closes
  bool closed();                                           // with nothing more before
  void half_close();
  void reset();  // RST

 private:
  bool fill();  // waits for more bytes

  int fd_ = -1;
  bool connected_ = false;
  bool ended_ = false;
  std::string buffer_;
};

// "GET path HTTP/1.1" with a Host, and `headers` with their line ends.
std::string get(std::string_view path, std::string_view headers = "");
std::string post(std::string_view path, std::string_view body);

// A promise that a callback keeps and a test waits for.
class Signal {
 public:
  void set() { promise_.set_value(); }
  bool wait(double seconds = kPatience) {
    return future_.wait_for(std::chrono::duration<double>(seconds)) == std::future_status::ready;
  }

 private:
  std::promise<void> promise_;
  std::future<void> future_ = promise_.get_future();
};

// Answers with "METHOD path?query body".
void echo(HttpRequest request, const std::shared_ptr<HttpReply>& reply);

HttpOptions test_options();  // a free port of 127.0.0.1

}  // namespace minke::testing
