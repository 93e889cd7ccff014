#include "learn/eval/child_process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/check.h"
#include "base/core/error.h"

namespace minke {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kNobody = 65534;
constexpr rlim_t kFileBytes = rlim_t{16} << 20;
constexpr rlim_t kDescriptors = 64;

[[noreturn]] void fail_with_errno(std::string_view what) {
  fail("child process", "{}: {}", what, std::strerror(errno));
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  int get() const { return fd_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

struct Pair {
  Descriptor ours, childs;
};

// A socket rather than a pipe, for writing to a child that is gone must not raise SIGPIPE.
Pair make_pair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    fail_with_errno("expected a pair of sockets, found none");
  }
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

void limit(int what, rlim_t value) {
  rlimit now{};
  ::getrlimit(static_cast<__rlimit_resource>(what), &now);
  const rlimit lower{std::min(value, now.rlim_max), std::min(value, now.rlim_max)};
  if (::setrlimit(static_cast<__rlimit_resource>(what), &lower) != 0) ::_exit(126);
}

// Between fork and exec: nothing here allocates or takes a lock that another thread may hold. The
// system calls that change the user are made as such, for those of the C library reach for all
// threads.
[[noreturn]] void become(const ChildTask& task, char* const* argv, int input, int output,
                         int extra) {
  ::setpgid(0, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  // Above what they become, so that none is written over before it is read.
  const int in = ::fcntl(input, F_DUPFD, 4);
  const int out = ::fcntl(output, F_DUPFD, 4);
  const int more = extra < 0 ? -1 : ::fcntl(extra, F_DUPFD, 4);
  if (in < 0 || out < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(out, 2) < 0 ||
      (extra >= 0 && (more < 0 || ::dup2(more, 3) < 0)) ||
      ::syscall(SYS_close_range, extra < 0 ? 3U : 4U, ~0U, 0U) != 0) {
    ::_exit(126);
  }
  limit(RLIMIT_AS, static_cast<rlim_t>(task.memory));
  limit(RLIMIT_CPU, static_cast<rlim_t>((task.time.count() + 999) / 1000));
  limit(RLIMIT_FSIZE, kFileBytes);
  limit(RLIMIT_NOFILE, kDescriptors);
  limit(RLIMIT_CORE, 0);
  if (::geteuid() == 0 && (::syscall(SYS_setgroups, 0, nullptr) != 0 ||
                           ::syscall(SYS_setresgid, kNobody, kNobody, kNobody) != 0 ||
                           ::syscall(SYS_setresuid, kNobody, kNobody, kNobody) != 0)) {
    ::_exit(126);
  }
  char* const environment[] = {nullptr};
  ::execve(argv[0], argv, environment);
  ::_exit(127);
}

class Child {
 public:
  // `extra` is -1 for none.
  Child(const ChildTask& task, int input, int output, int extra) {
    std::vector<char*> argv;
    // execve() takes them as mutable and leaves them as they are.
    for (const std::string& word : task.command) argv.push_back(const_cast<char*>(word.c_str()));
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) fail_with_errno("expected a new process, found none");
    if (pid_ == 0) become(task, argv.data(), input, output, extra);
    // Both sides do it, so that the group is there before either goes on.
    ::setpgid(pid_, pid_);
    ended_ = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0U)));
    if (ended_.get() < 0) {
      const int error = errno;
      stop();
      errno = error;
      fail_with_errno("expected a descriptor of the new process, found none");
    }
  }
  ~Child() { stop(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Readable once the process has ended.
  int ended() const { return ended_.get(); }
  // Kills what is left of the group; the wait status of its first process, which is that of its
  // end if it has ended.
  int stop() {
    if (pid_ <= 0) return status_;
    ::kill(-pid_, SIGKILL);
    while (::waitpid(pid_, &status_, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status_;
  }

 private:
  pid_t pid_ = 0;
  int status_ = 0;
  Descriptor ended_;
};

// Sends what is left of `input`, as much as fits; closes the socket after the last byte, or if
// nobody reads.
void send_some(Descriptor& socket, std::string_view& input) {
  const ssize_t sent =
      ::send(socket.get(), input.data(), input.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (sent >= 0) input.remove_prefix(static_cast<size_t>(sent));
  if (sent < 0 || input.empty()) socket.close();
}

// A socket that gives `text` and then ends. All of it fits into the buffer, so nobody has to stay
// to write the rest.
Descriptor source_of(std::string_view text) {
  CHECK(text.size() <= kMostExtraBytes);
  Pair pair = make_pair();
  const ssize_t sent = ::send(pair.ours.get(), text.data(), text.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(text.size())) fail_with_errno("expected to send some bytes");
  return std::move(pair.childs);
}

enum class Heard { kSome, kNothing, kEnd };

Heard receive_some(Descriptor& socket, std::string& output) {
  std::array<char, 4096> bytes;
  const ssize_t got = ::recv(socket.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got > 0) output.append(bytes.data(), static_cast<size_t>(got));
  if (got > 0 || (got < 0 && errno == EINTR)) return Heard::kSome;
  if (got < 0 && errno == EAGAIN) return Heard::kNothing;
  socket.close();
  return Heard::kEnd;
}

}  // namespace

ChildResult run_child(const ChildTask& task) {
  Pair in = make_pair();
  Pair out = make_pair();
  Descriptor extra = task.extra.empty() ? Descriptor() : source_of(task.extra);
  Child child(task, in.childs.get(), out.childs.get(), extra.get());
  in.childs.close();
  out.childs.close();
  extra.close();

  ChildResult result;
  std::string_view input = task.input;
  const auto deadline = Clock::now() + task.time;
  for (bool ended = false; !ended;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) result.end = ChildResult::End::kOutOfTime;
    if (result.output.size() > task.output) result.end = ChildResult::End::kTooMuchOutput;
    if (result.end != ChildResult::End::kExited) break;
    // poll() passes over those that are closed: their number is negative.
    std::array<pollfd, 3> events = {pollfd{child.ended(), POLLIN, 0},
                                    pollfd{out.ours.get(), POLLIN, 0},
                                    pollfd{in.ours.get(), POLLOUT, 0}};
    if (::poll(events.data(), events.size(), static_cast<int>(left.count())) < 0) {
      if (errno == EINTR) continue;
      fail_with_errno("poll");
    }
    if (events[2].revents != 0) send_some(in.ours, input);
    if (events[1].revents != 0) receive_some(out.ours, result.output);
    ended = events[0].revents != 0;
  }
  const int status = child.stop();
  if (result.end != ChildResult::End::kExited) {
    result.output.resize(std::min(result.output.size(), task.output));
    return result;
  }
  // What it wrote before its end is here by now.
  while (out.ours.get() >= 0 && result.output.size() <= task.output &&
         receive_some(out.ours, result.output) == Heard::kSome) {
  }
  if (result.output.size() > task.output) {
    result.end = ChildResult::End::kTooMuchOutput;
    result.output.resize(task.output);
  } else if (WIFSIGNALED(status)) {
    result.end = ChildResult::End::kSignalled;
  } else {
    result.code = WEXITSTATUS(status);
  }
  return result;
}

}  // namespace minke
