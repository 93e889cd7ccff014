#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace minke {

// Runs Python that a model wrote, which may do anything: in bubblewrap, with namespaces of its own
// (no network, no other processes), /usr to read, a few MiB of /tmp and /home that vanish, no
// environment, no privileges, no process or thread besides its own, and none of the system calls
// that system_call_filter.h lists. Started by root, it runs as nobody.

struct PythonLimits {
  std::chrono::milliseconds time{10'000};  // by the clock; of the processor as much, in seconds
  int64_t memory = int64_t{512} << 20;     // bytes of address space
  size_t output = size_t{1} << 16;         // bytes that may be printed
};

// What runs, one after the other in one namespace: `prelude`, `candidate`, `test`, and
// check(entry_point), where `test` defines check.
struct PythonCheck {
  std::string prelude, candidate, test, entry_point;
};

enum class PythonEnd { kPassed, kFailed, kOutOfTime, kTooMuchOutput };

struct PythonResult {
  PythonEnd end = PythonEnd::kFailed;
  std::string output;  // printed, errors too; bytes of the program, of any kind
};

// Throws Error that names what is missing and how to get it if nothing can run here.
void require_python_sandbox();

// Passed means that check() returned: the host sends a random token that is printed after that, by
// an interpreter that knows it before the program does. A program that searches the interpreter's
// own frames could still find it. Returns soon after the limits are reached, whatever the program
// does; nothing of it is left. Throws Error if the system has no process or descriptor left.
PythonResult run_python_check(const PythonCheck& check, const PythonLimits& limits = {});

}  // namespace minke
