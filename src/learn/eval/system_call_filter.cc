#include "learn/eval/system_call_filter.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace minke {
namespace {

constexpr uint32_t kRefused[] = {
    // Segments, files, queues and semaphores that stay when nothing maps them; and pages in a
    // pipe, where one byte holds a huge page.
    SYS_shmget, SYS_memfd_create, SYS_memfd_secret, SYS_msgget, SYS_semget, SYS_vmsplice,
    // Where the kernel's faults have been.
    SYS_ptrace, SYS_bpf, SYS_userfaultfd, SYS_io_uring_setup, SYS_perf_event_open, SYS_keyctl,
    SYS_add_key, SYS_request_key,
    // Namespaces with privileges of their own.
    SYS_unshare, SYS_setns, SYS_mount};

// clone3() has its flags in memory, where a filter cannot look; without it clone() is called.
constexpr uint32_t kMissing[] = {SYS_clone3};
constexpr uint32_t kFirstUnknown = SYS_set_mempolicy_home_node + 1;  // Linux 5.17

constexpr sock_filter load(size_t offset) {
  return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<uint32_t>(offset)};
}

// Passes over `yes` instructions if the test of what was loaded holds, over `no` if not.
constexpr sock_filter jump(unsigned test, uint32_t value, uint8_t yes, uint8_t no) {
  return {static_cast<uint16_t>(BPF_JMP | BPF_K | test), yes, no, value};
}

constexpr sock_filter answer(uint32_t action, uint32_t error = 0) {
  return {BPF_RET | BPF_K, 0, 0, action | error};
}

}  // namespace

std::string system_call_filter() {
  std::vector<sock_filter> program = {
      load(offsetof(seccomp_data, arch)),
      // Numbers mean other calls elsewhere.
      jump(BPF_JEQ, AUDIT_ARCH_X86_64, 1, 0),
      answer(SECCOMP_RET_KILL_PROCESS),
      load(offsetof(seccomp_data, nr)),
      jump(BPF_JGE, kFirstUnknown, 0, 1),
      answer(SECCOMP_RET_ERRNO, ENOSYS),
  };
  for (const uint32_t number : kRefused) {
    program.push_back(jump(BPF_JEQ, number, 0, 1));
    program.push_back(answer(SECCOMP_RET_ERRNO, EPERM));
  }
  for (const uint32_t number : kMissing) {
    program.push_back(jump(BPF_JEQ, number, 0, 1));
    program.push_back(answer(SECCOMP_RET_ERRNO, ENOSYS));
  }
  // Of a shared mapping all pages stay while one is mapped, so unmapping the others would hide them
  // from the limit. MAP_SHARED_VALIDATE has the same bit.
  const sock_filter mappings[] = {jump(BPF_JEQ, SYS_mmap, 0, 4),
                                  load(offsetof(seccomp_data, args) + 3 * sizeof(uint64_t)),
                                  jump(BPF_JSET, MAP_SHARED, 0, 1),
                                  answer(SECCOMP_RET_ERRNO, EPERM), answer(SECCOMP_RET_ALLOW)};
  program.insert(program.end(), std::begin(mappings), std::end(mappings));
  // The family of a socket is 32 bits wide: the lower half of its argument, which comes first.
  const sock_filter sockets[] = {
      jump(BPF_JEQ, SYS_socket, 0, 5), load(offsetof(seccomp_data, args)),
      jump(BPF_JEQ, AF_UNIX, 3, 0),    jump(BPF_JEQ, AF_INET, 2, 0),
      jump(BPF_JEQ, AF_INET6, 1, 0),   answer(SECCOMP_RET_ERRNO, EPERM),
      answer(SECCOMP_RET_ALLOW)};
  program.insert(program.end(), std::begin(sockets), std::end(sockets));
  return {reinterpret_cast<const char*>(program.data()), program.size() * sizeof(sock_filter)};
}

}  // namespace minke
