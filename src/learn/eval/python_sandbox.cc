#include "learn/eval/python_sandbox.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <sys/random.h>
#include <unistd.h>

#include "base/core/error.h"
#include "learn/eval/child_process.h"
#include "learn/eval/system_call_filter.h"

namespace minke {
namespace {

constexpr const char* kWhere = "sandbox for Python";
constexpr const char* kBubblewrap = "/usr/bin/bwrap";
constexpr const char* kPython = "/usr/bin/python3";
constexpr const char* kFolderBytes = "16777216";

// Reads everything from standard input before the first line of the program runs. What is called
// after it is taken before it as well; os._exit ends the process so that nothing is printed after
// the token. The limit of 0 processes refuses new ones and new threads; it is set here for
// bubblewrap itself needs two.
constexpr const char* kRunner = R"(
import json, os, resource, sys, types

def main(write=os.write, leave=os._exit, flush=sys.stdout.flush, run=exec, build=compile):
    task = json.loads(sys.stdin.buffer.read())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    module = types.ModuleType("candidate")
    sys.modules["candidate"] = module
    names = module.__dict__
    for part in ("prelude", "candidate", "test"):
        run(build(task[part], part, "exec"), names)
    names["check"](names[task["entry_point"]])
    flush()
    write(1, task["token"].encode())
    leave(0)

main()
)";

std::vector<std::string> command() {
  return {kBubblewrap,
          "--unshare-all",
          "--unshare-user",
          "--uid",
          "65534",
          "--gid",
          "65534",
          "--die-with-parent",
          "--new-session",
          "--cap-drop",
          "ALL",
          "--clearenv",
          "--seccomp",
          "3",  // ChildTask::extra
          "--ro-bind",
          "/usr",
          "/usr",
          "--symlink",
          "usr/lib",
          "/lib",
          "--symlink",
          "usr/lib64",
          "/lib64",
          "--dev",
          "/dev",
          "--size",
          kFolderBytes,
          "--tmpfs",
          "/tmp",
          "--size",
          kFolderBytes,
          "--tmpfs",
          "/home",
          "--remount-ro",
          "/dev",
          "--remount-ro",
          "/",
          "--chdir",
          "/tmp",
          "--",
          kPython,
          "-I",  // neither the environment nor the working folder change what is imported
          "-B",
          "-c",
          kRunner};
}

std::string random_token() {
  std::array<unsigned char, 16> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    fail(kWhere, "the system has no random numbers: {}", std::strerror(errno));
  }
  std::string token;
  for (const unsigned char byte : bytes) token += fmt::format("{:02x}", byte);
  return token;
}

PythonEnd end_of(ChildResult::End end) {
  switch (end) {
    case ChildResult::End::kOutOfTime:
      return PythonEnd::kOutOfTime;
    case ChildResult::End::kTooMuchOutput:
      return PythonEnd::kTooMuchOutput;
    case ChildResult::End::kExited:
    case ChildResult::End::kSignalled:
      break;
  }
  return PythonEnd::kFailed;
}

void require_program(const char* path, const char* package) {
  if (::access(path, X_OK) == 0) return;
  fail(kWhere, "expected {}, found none; install it: apt-get install {}", path, package);
}

}  // namespace

void require_python_sandbox() {
  require_program(kBubblewrap, "bubblewrap");
  require_program(kPython, "python3");
  const PythonResult probe = run_python_check(
      {"", "def same(x):\n    return x\n", "def check(f):\n    assert f(1) == 1\n", "same"});
  if (probe.end == PythonEnd::kPassed) return;
  constexpr size_t kShown = 400;
  fail(kWhere,
       "expected a program of two lines to run in bubblewrap, found \"{}\"; it needs user "
       "namespaces: sysctl kernel.unprivileged_userns_clone=1, and where AppArmor forbids them "
       "kernel.apparmor_restrict_unprivileged_userns=0; in a container, one that allows them",
       printable(probe.output, kShown));
}

PythonResult run_python_check(const PythonCheck& check, const PythonLimits& limits) {
  const std::string token = random_token();
  const nlohmann::json task = {{"prelude", check.prelude},
                               {"candidate", check.candidate},
                               {"test", check.test},
                               {"entry_point", check.entry_point},
                               {"token", token}};
  // Bytes that are not UTF-8 become U+FFFD, which Python refuses where it is not in a string.
  ChildResult child =
      run_child({command(), task.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace),
                 system_call_filter(), limits.time, limits.memory, limits.output + token.size()});
  PythonResult result{end_of(child.end), std::move(child.output)};
  const bool returned = child.end == ChildResult::End::kExited && child.code == 0;
  if (returned && result.output.ends_with(token)) {
    result.output.resize(result.output.size() - token.size());
    result.end = PythonEnd::kPassed;
  }
  return result;
}

}  // namespace minke
