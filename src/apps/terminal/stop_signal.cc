#include "apps/terminal/stop_signal.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <initializer_list>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/core/error.h"

namespace minke {
namespace {

constexpr int kPatience = 3;

// A signal handler can reach nothing but globals, and runs on any thread.
std::atomic<int> arrived_signal = 0;
std::atomic<int> arrived_count = 0;
static_assert(std::atomic<int>::is_always_lock_free);
// Gets a byte for each signal. A signal may come before a wait begins, or to another thread than
// the one that waits; what is in a pipe is seen all the same.
int wake_pipe[2] = {-1, -1};

void on_signal(int signal) {
  arrived_signal = signal;
  if (++arrived_count >= kPatience) _exit(128 + signal);
  const int error = errno;
  const char byte = 0;
  [[maybe_unused]] const ssize_t written = ::write(wake_pipe[1], &byte, 1);
  errno = error;
}

}  // namespace

void watch_stop_signals() {
  if (::pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
    fail("signals", "cannot create a pipe: {}", std::strerror(errno));
  }
  struct sigaction action {};
  action.sa_handler = on_signal;
  // No SA_RESTART: a read that waits for the user returns when the signal comes.
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    // nohup and shells without job control have reasons to ignore a signal.
    if (before.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
  // At a limit of file sizes a write is to fail like one on a full disk, with a message.
  ::signal(SIGXFSZ, SIG_IGN);
}

int stop_signal() {
  return arrived_signal;
}

bool wait_for_input(int file) {
  while (stop_signal() == 0) {
    pollfd files[] = {{file, POLLIN, 0}, {wake_pipe[0], POLLIN, 0}};
    if (::poll(files, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return true;
    }
    if (files[1].revents == 0) return true;
  }
  return false;
}

void forget_stop_signal() {
  char bytes[16];
  while (::read(wake_pipe[0], bytes, sizeof(bytes)) > 0) {
  }
  arrived_signal = 0;
  arrived_count = 0;
}

void throw_if_stopped() {
  if (const int signal = stop_signal(); signal != 0) throw Stopped{signal};
}

}  // namespace minke
