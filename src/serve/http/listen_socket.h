#pragma once

#include <cstdint>
#include <string>

#include <sys/types.h>

namespace minke {

// A socket that listens and does not block: TCP at a name or an address, or a Unix socket at a path
// that begins with "/". A socket file that nobody answers on is replaced; the new one has mode 0600
// before anybody can connect.
class ListenSocket {
 public:
  // Throws Error that names the address if it cannot listen there.
  ListenSocket(const std::string& address, uint16_t port);
  ~ListenSocket();  // with remove_file()
  ListenSocket(const ListenSocket&) = delete;
  ListenSocket& operator=(const ListenSocket&) = delete;

  int family() const { return family_; }
  uint16_t port() const { return port_; }  // 0 of a Unix socket
  int release();                           // the descriptor, which is the caller's from here on
  void remove_file();                      // the socket file, unless it is another one's by now

 private:
  void listen_unix(const std::string& path);
  void listen_tcp(const std::string& address, uint16_t port);

  int fd_ = -1;
  int family_ = 0;
  uint16_t port_ = 0;
  std::string path_;
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// The addresses of a connected socket without their ports, as inet_ntop writes them, IPv4 inside
// IPv6 as IPv4; "" of a Unix socket.
std::string peer_address(int fd);
std::string local_address(int fd);

}  // namespace minke
