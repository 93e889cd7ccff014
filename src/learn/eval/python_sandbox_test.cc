#include "learn/eval/python_sandbox.h"

#include <filesystem>

#include <fmt/core.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/error.h"

namespace minke {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

class PythonSandbox : public testing::Test {
 protected:
  void SetUp() override {
    try {
      require_python_sandbox();
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
  }

  // What becomes of `candidate`, which is to define f with f() == 7.
  static PythonResult run(const std::string& candidate, milliseconds time = milliseconds(10'000)) {
    PythonLimits limits;
    limits.time = time;
    return run_python_check(
        {"import math\n", candidate, "def check(f):\n    assert f() == 7, 'not seven'\n", "f"},
        limits);
  }
  static void expect_failed(const std::string& candidate, const std::string& says = "") {
    const PythonResult result = run(candidate);
    EXPECT_EQ(result.end, PythonEnd::kFailed) << candidate << result.output;
    EXPECT_NE(result.output.find(says), std::string::npos) << candidate << result.output;
  }
};

TEST_F(PythonSandbox, ARightProgramPasses) {
  const PythonResult result = run("def f():\n    print('heard')\n    return math.isqrt(49)\n");
  EXPECT_EQ(result.end, PythonEnd::kPassed) << result.output;
  EXPECT_EQ(result.output, "heard\n");
  const std::string classes =
      "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: 'int' = 7\n"
      "def f():\n    return A().x\n";
  EXPECT_EQ(run(classes).end, PythonEnd::kPassed);
  EXPECT_EQ(run("from __future__ import annotations\ndef f() -> Seven: return 7").end,
            PythonEnd::kPassed);
}

TEST_F(PythonSandbox, AWrongProgramFails) {
  expect_failed("def f():\n    return 8\n", "not seven");
  expect_failed("", "KeyError");
  expect_failed("def f(:", "SyntaxError");
  expect_failed("def f():\n    return g()\n", "NameError");
  expect_failed("def f():\n    return f()\n", "RecursionError");
  expect_failed(std::string("def f():\0 return 7", 18));
  expect_failed("def f(): return '\xff' and \xff");
}

TEST_F(PythonSandbox, EndingEarlyIsNoPass) {
  for (const char* leave :
       {"exit(0)", "import sys; sys.exit(0)", "import os; os._exit(0)", "raise SystemExit(0)",
        "print('0' * 32); exit(0)", "import os; os.kill(os.getpid(), 9)",
        "import os; os.close(1); os.close(2)"}) {
    expect_failed(fmt::format("{}\n", leave));
    expect_failed(fmt::format("def f():\n    {}\n", leave));
  }
  // Another check in front of the right one, and what a program would like to be told.
  expect_failed("def check(f): pass\ndef f(): return 8\n", "not seven");
  expect_failed("import sys\nprint(sys.stdin.read(), sys.argv)\nexit(0)\n", "['-c']");
}

TEST_F(PythonSandbox, NothingRunsForEver) {
  for (const char* loop :
       {"while True: pass", "import time; time.sleep(60)", "import signal; signal.pause()",
        "import os, time; os.close(1); os.close(2); time.sleep(60)"}) {
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(run(fmt::format("def f():\n    {}\n", loop), milliseconds(1500)).end,
              PythonEnd::kOutOfTime)
        << loop;
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10)) << loop;
  }
}

TEST_F(PythonSandbox, OutputIsBounded) {
  const PythonResult result = run("def f():\n    while True: print('x' * 1000)\n");
  EXPECT_EQ(result.end, PythonEnd::kTooMuchOutput);
  EXPECT_LE(result.output.size(), PythonLimits().output + 32);
  EXPECT_EQ(run("def f():\n    print('x' * 200000)\n    return 7\n").end,
            PythonEnd::kTooMuchOutput);
}

TEST_F(PythonSandbox, MemoryIsBounded) {
  expect_failed("def f():\n    return len(bytearray(1 << 30)) and 7\n", "MemoryError");
  expect_failed("def f():\n    a = []\n    while True: a.append(' ' * (1 << 20) * 8)\n",
                "MemoryError");
  // The folders it may write to are in memory as well.
  expect_failed(
      "def f():\n    for i in range(100): open(f'/tmp/{i}', 'wb').write(bytes(1 << 20))\n"
      "    return 7\n",
      "No space left");
}

TEST_F(PythonSandbox, ThereAreNoOtherProcesses) {
  expect_failed("import os\ndef f():\n    while True: os.fork()\n", "BlockingIOError");
  expect_failed(
      "import subprocess\ndef f():\n    subprocess.run(['/usr/bin/true'])\n    return 7\n",
      "BlockingIOError");
  expect_failed(
      "import threading\ndef f():\n    threading.Thread(target=print).start()\n    return 7\n",
      "can't start new thread");
}

TEST_F(PythonSandbox, NothingOutsideIsReached) {
  // Its own /tmp it may write.
  const auto mark = fs::temp_directory_path() / fmt::format("minke-sandbox-{}", getpid());
  const std::string name = mark.filename().string();
  EXPECT_EQ(
      run(fmt::format("def f():\n    return open('/tmp/{}', 'w').write('1234567')\n", name)).end,
      PythonEnd::kPassed);
  EXPECT_FALSE(fs::exists(mark));
  EXPECT_FALSE(fs::exists("/tmp/" + name));
  for (const char* path : {"/usr/x", "/x", "/dev/x", "/usr/bin/python3"}) {
    expect_failed(fmt::format("def f():\n    return open('{}', 'w').write('1234567')\n", path),
                  "Error");
  }
  for (const char* path : {"/etc/passwd", "/proc/self/status", "/root", "/sys", "/var"}) {
    expect_failed(fmt::format("import os\ndef f():\n    return os.stat('{}') and 7\n", path),
                  "FileNotFoundError");
  }
  EXPECT_EQ(run("import os\ndef f():\n    return 7 if not set(os.environ) - {'PWD', 'LC_CTYPE'} "
                "and os.getuid() == 65534 else os.environ\n")
                .end,
            PythonEnd::kPassed);
}

TEST_F(PythonSandbox, ThereIsNoNetwork) {
  const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(server, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(server, 1), 0);
  ASSERT_EQ(::getsockname(server, reinterpret_cast<sockaddr*>(&address), &size), 0);
  expect_failed(fmt::format("import socket\ndef f():\n    return "
                            "socket.create_connection(('127.0.0.1', {}), 3) and 7\n",
                            ntohs(address.sin_port)),
                "ConnectionRefusedError");
  ::close(server);
}

}  // namespace
}  // namespace minke
