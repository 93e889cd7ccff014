#include "serve/http/test_client.h"

#include <cctype>
#include <chrono>
#include <cstring>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "serve/http/http_text.h"

namespace minke::testing {

std::string TestResponse::header(std::string_view name) const {
  const std::string lower = lower_ascii(head);
  const size_t at = lower.find("\r\n" + std::string(name) + ": ");
  if (at == std::string::npos) return "";
  const size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

TestClient::TestClient(uint16_t port, int receive_buffer) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (receive_buffer > 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

TestClient::TestClient(const std::string& path) {
  fd_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
}

TestClient::~TestClient() {
  ::close(fd_);
}

bool TestClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool TestClient::fill() {
  if (ended_) return false;
  pollfd entry = {fd_, POLLIN, 0};
  char bytes[16 << 10];
  if (::poll(&entry, 1, static_cast<int>(kPatience * 1000)) <= 0) return false;
  const ssize_t received = ::recv(fd_, bytes, sizeof(bytes), 0);
  ended_ = received <= 0;
  if (!ended_) buffer_.append(bytes, static_cast<size_t>(received));
  return !ended_;
}

std::string TestClient::read_until(std::string_view mark) {
  size_t at = 0;
  while ((at = buffer_.find(mark)) == std::string::npos) {
    if (!fill()) return "";
  }
  std::string text = buffer_.substr(0, at + mark.size());
  buffer_.erase(0, text.size());
  return text;
}

TestResponse TestClient::response(std::string_view method) {
  TestResponse response;
  response.head = read_until("\r\n\r\n");
  if (response.head.size() < 12) return response;
  response.status = std::stoi(response.head.substr(9, 3));
  response.whole = true;
  if (method == "HEAD" || response.status == 204 || response.status < 200) return response;
  if (response.header("transfer-encoding") == "chunked") {
    for (;;) {
      const std::string line = read_until("\r\n");
      const size_t size = line.empty() ? 0 : std::stoul(line, nullptr, 16);
      while (buffer_.size() < size + 2 && fill()) {
      }
      response.whole = !line.empty() && buffer_.size() >= size + 2;
      response.body += buffer_.substr(0, size);
      buffer_.erase(0, size + 2);
      if (size == 0 || !response.whole) return response;
    }
  }
  const std::string length = response.header("content-length");
  if (length.empty()) {
    response.body = rest();
    return response;
  }
  const size_t size = std::stoul(length);
  while (buffer_.size() < size && fill()) {
  }
  response.whole = buffer_.size() >= size;
  response.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return response;
}

std::string TestClient::rest() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

bool TestClient::closed() {
  return rest().empty() && ended_;
}

void TestClient::half_close() {
  ::shutdown(fd_, SHUT_WR);
}

void TestClient::reset() {
  const linger now = {1, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  ::close(std::exchange(fd_, -1));
}

std::string get(std::string_view path, std::string_view headers) {
  return fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n{}\r\n", path, headers);
}

std::string post(std::string_view path, std::string_view body) {
  return fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{}", path,
                     body.size(), body);
}

void echo(HttpRequest request, const std::shared_ptr<HttpReply>& reply) {
  HttpResponse response;
  response.body =
      fmt::format("{} {}?{} {}", request.method, request.path, request.query, request.body);
  reply->send(std::move(response));
}

HttpOptions test_options() {
  HttpOptions options;
  options.port = 0;
  return options;
}

}  // namespace minke::testing
