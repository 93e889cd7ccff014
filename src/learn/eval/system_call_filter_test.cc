#include "learn/eval/system_call_filter.h"

#include <cerrno>
#include <csignal>
#include <functional>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace minke {
namespace {

// The wait status of a process that is under the filter when it calls `body`, whose result is its
// exit code. `body` makes system calls and no more: other threads' locks stay locked in it.
int status_of(const std::function<int()>& body) {
  std::string filter = system_call_filter();
  const sock_fprog program{static_cast<uint16_t>(filter.size() / sizeof(sock_filter)),
                           reinterpret_cast<sock_filter*>(filter.data())};
  const pid_t child = ::fork();
  if (child == 0) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) {
      ::_exit(255);
    }
    ::_exit(body());
  }
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

// The error that the call ends with, 0 for none; its arguments are 0 behind the first.
int error_of(long number, long argument = 0) {
  const int status =
      status_of([=] { return ::syscall(number, argument, 0, 0, 0, 0, 0) < 0 ? errno : 0; });
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(SystemCallFilter, RefusesWhatNoProgramNeeds) {
  for (const long number :
       {SYS_shmget, SYS_memfd_create, SYS_memfd_secret, SYS_msgget, SYS_semget, SYS_vmsplice,
        SYS_ptrace, SYS_bpf, SYS_userfaultfd, SYS_io_uring_setup, SYS_perf_event_open, SYS_keyctl,
        SYS_add_key, SYS_request_key, SYS_unshare, SYS_setns, SYS_mount}) {
    EXPECT_EQ(error_of(number), EPERM) << number;
  }
  constexpr long kX32 = 0x40000000;
  constexpr long kCachestat = 451, kStatmount = 457;
  for (const long number :
       {long{SYS_clone3}, kCachestat, kStatmount, kX32 + SYS_getpid, kX32 + SYS_shmget, -2L}) {
    EXPECT_EQ(error_of(number), ENOSYS) << number;
  }
}

TEST(SystemCallFilter, LetsTheOthersPass) {
  for (const long number : {SYS_getpid, SYS_getuid, SYS_sched_yield, SYS_sync_file_range}) {
    const int error = error_of(number);
    EXPECT_TRUE(error == 0 || error == ESPIPE || error == EBADF) << number << ": " << error;
  }
  // The last number that is known; a call that would refuse the policy 0 has no pages to look at.
  EXPECT_NE(error_of(SYS_set_mempolicy_home_node), EPERM);
}

TEST(SystemCallFilter, KnowsTheFamiliesOfSockets) {
  for (const int family : {AF_UNIX, AF_INET, AF_INET6}) {
    const int status = status_of([=] { return ::socket(family, SOCK_STREAM, 0) < 0 ? errno : 0; });
    // A kernel may lack a family.
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != EPERM) << family;
  }
  for (const int family : {AF_VSOCK, AF_NETLINK, AF_PACKET, AF_ALG, AF_KEY, 0, -1}) {
    EXPECT_EQ(error_of(SYS_socket, family), EPERM) << family;
  }
  EXPECT_EQ(error_of(SYS_socket, (1L << 32) + AF_VSOCK), EPERM);
}

TEST(SystemCallFilter, RefusesSharedMappings) {
  constexpr int kShared[] = {MAP_SHARED, MAP_SHARED | MAP_ANONYMOUS, MAP_SHARED_VALIDATE,
                             MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE};
  const auto error_with = [](int flags) {
    const int status = status_of([=] {
      const int file = (flags & MAP_ANONYMOUS) != 0 ? -1 : ::open("/dev/zero", O_RDWR | O_CLOEXEC);
      return ::mmap(nullptr, 4096, PROT_READ, flags, file, 0) == MAP_FAILED ? errno : 0;
    });
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  };
  for (const int flags : kShared) EXPECT_EQ(error_with(flags), EPERM) << flags;
  for (const int flags : {MAP_PRIVATE, MAP_PRIVATE | MAP_ANONYMOUS}) {
    EXPECT_EQ(error_with(flags), 0) << flags;
  }
}

TEST(SystemCallFilter, EndsACallOfAnotherArchitecture) {
  const int status = status_of([] {
    long result = 20;  // getpid() of 32-bit programs
    asm volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
    return result > 0 ? 1 : 2;
  });
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  // A kernel without 32-bit programs ends it by SIGSEGV before a filter sees it.
  EXPECT_TRUE(WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV) << WTERMSIG(status);
}

}  // namespace
}  // namespace minke
