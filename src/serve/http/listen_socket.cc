#include "serve/http/listen_socket.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/core/error.h"

namespace minke {
namespace {

constexpr int kSocketFlags = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

std::string reason(int error) {
  return std::generic_category().message(error);
}

// Whether a server answers at a Unix socket. One whose queue is full (EAGAIN) is alive.
bool is_answered(const sockaddr_un& address) {
  const int fd = ::socket(AF_UNIX, kSocketFlags, 0);
  if (fd < 0) return true;
  const int result =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(sockaddr_un));
  const int error = result == 0 ? 0 : errno;
  ::close(fd);
  return error != ECONNREFUSED && error != ENOENT;
}

std::string address_text(const sockaddr_storage& storage) {
  char text[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    ::inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
  } else if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      ::inet_ntop(AF_INET, v6.sin6_addr.s6_addr + 12, text, sizeof(text));
    } else {
      ::inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    }
  }
  return text;
}

uint16_t port_of(const sockaddr_storage& storage) {
  return ntohs(storage.ss_family == AF_INET
                   ? reinterpret_cast<const sockaddr_in&>(storage).sin_port
                   : reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
}

}  // namespace

ListenSocket::ListenSocket(const std::string& address, uint16_t port) {
  if (address.starts_with('/')) {
    listen_unix(address);
  } else {
    listen_tcp(address, port);
  }
}

ListenSocket::~ListenSocket() {
  if (fd_ >= 0) ::close(fd_);
  remove_file();
}

int ListenSocket::release() {
  return std::exchange(fd_, -1);
}

void ListenSocket::remove_file() {
  struct stat file = {};
  if (!path_.empty() && ::lstat(path_.c_str(), &file) == 0 && file.st_dev == device_ &&
      file.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
  path_.clear();
}

void ListenSocket::listen_unix(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    fail(path, "expected the path of a Unix socket, at most {} bytes, found {}",
         sizeof(address.sun_path) - 1, path.size());
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  struct stat file = {};
  if (::lstat(path.c_str(), &file) == 0) {
    if (!S_ISSOCK(file.st_mode)) fail(path, "expected no file or a socket, found another file");
    if (is_answered(address)) fail(path, "expected a free address, found another server on it");
    ::unlink(path.c_str());
  }
  family_ = AF_UNIX;
  fd_ = ::socket(AF_UNIX, kSocketFlags, 0);
  // Nobody can connect before listen(), so that none does while the mode is another.
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (fd_ < 0 || ::bind(fd_, generic, sizeof(address)) != 0) {
    const int error = errno;
    if (fd_ >= 0) ::close(fd_);
    fail(path, "cannot listen: {}", reason(error));
  }
  path_ = path;
  if (::lstat(path.c_str(), &file) == 0) {
    device_ = file.st_dev;
    inode_ = file.st_ino;
  }
  if (::chmod(path.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(fd_, SOMAXCONN) != 0) {
    const int error = errno;
    ::close(fd_);
    remove_file();
    fail(path, "cannot listen: {}", reason(error));
  }
}

void ListenSocket::listen_tcp(const std::string& address, uint16_t port) {
  std::string name = address;
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  const std::string where = fmt::format("{}:{}", address, port);
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int code =
      name.empty() ? EAI_NONAME
                   : ::getaddrinfo(name.c_str(), fmt::format("{}", port).c_str(), &hints, &found);
  if (code != 0) fail(where, "expected an address of this machine: {}", ::gai_strerror(code));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  int error = 0;
  for (const addrinfo* entry = found; entry != nullptr; entry = entry->ai_next) {
    const int fd = ::socket(entry->ai_family, kSocketFlags, entry->ai_protocol);
    const int on = 1;
    if (fd >= 0 && ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
        ::bind(fd, entry->ai_addr, entry->ai_addrlen) == 0 && ::listen(fd, SOMAXCONN) == 0) {
      sockaddr_storage bound = {};
      socklen_t length = sizeof(bound);
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length);
      fd_ = fd;
      family_ = entry->ai_family;
      port_ = port_of(bound);
      return;
    }
    error = errno;
    if (fd >= 0) ::close(fd);
  }
  fail(where, "cannot listen: {}", reason(error));
}

std::string peer_address(int fd) {
  sockaddr_storage storage = {};
  socklen_t length = sizeof(storage);
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &length) == 0
             ? address_text(storage)
             : std::string();
}

std::string local_address(int fd) {
  sockaddr_storage storage = {};
  socklen_t length = sizeof(storage);
  return ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length) == 0
             ? address_text(storage)
             : std::string();
}

}  // namespace minke
