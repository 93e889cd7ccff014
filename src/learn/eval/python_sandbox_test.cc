#include "learn/eval/python_sandbox.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>

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

// MiB of the host that are held by segments, anonymous files and folders in memory.
int64_t shared_mib() {
  std::ifstream lines("/proc/meminfo");
  std::string name;
  int64_t kib = 0;
  while (lines >> name && name != "Shmem:") lines.ignore(1000, '\n');
  lines >> kib;
  return kib / 1024;
}

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
  expect_failed(
      "import builtins\nbuiltins.exec = lambda *all: None\ndef check(f): pass\ndef f(): return 8\n",
      "not seven");
  expect_failed(
      "import builtins\nbuiltins.compile = lambda *all: 'pass'\ndef check(f): pass\n"
      "def f(): return 8\n",
      "not seven");
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

// Memory that stays when nothing maps it is not counted as address space, and so there is none.
TEST_F(PythonSandbox, MemoryWithoutAMappingIsRefused) {
  const std::string segments =
      "import ctypes, time\nlibc = ctypes.CDLL(None, use_errno=True)\n"
      "libc.shmat.restype = ctypes.c_void_p\nlibc.shmdt.argtypes = [ctypes.c_void_p]\n"
      "def f():\n    for i in range(24):\n        key = libc.shmget(0, 1 << 24, 0o1600)\n"
      "        if key < 0: raise OSError(ctypes.get_errno(), 'no segment')\n"
      "        at = libc.shmat(key, None, 0)\n        ctypes.memset(at, 1, 1 << 24)\n"
      "        libc.shmdt(at)\n    time.sleep(0.5)\n    return 7\n";
  const std::string files =
      "import os, time\ndef f():\n    for i in range(24):\n"
      "        os.write(os.memfd_create('x'), bytes((1 << 24) - 4096))\n    time.sleep(0.5)\n    "
      "return 7\n";
  // All but the first page of each is unmapped again.
  const std::string mappings =
      "import ctypes, time\nlibc = ctypes.CDLL(None, use_errno=True)\n"
      "libc.mmap.restype = ctypes.c_void_p\n"
      "libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + 3 * [ctypes.c_int] + "
      "[ctypes.c_long]\nlibc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]\n"
      "def f():\n    for i in range(24):\n"
      "        at = libc.mmap(None, 1 << 24, 3, 0x21, -1, 0)\n"
      "        if at == (1 << 64) - 1: raise OSError(ctypes.get_errno(), 'no mapping')\n"
      "        ctypes.memset(at, 1, 1 << 24)\n"
      "        libc.munmap(at + 4096, (1 << 24) - 4096)\n    time.sleep(0.5)\n    return 7\n";
  for (const std::string& candidate : {segments, files, mappings}) {
    const int64_t before = shared_mib();
    ASSERT_GT(before, 0);
    auto result = std::async(std::launch::async, [&] { return run(candidate); });
    int64_t most = before;
    while (result.wait_for(milliseconds(5)) != std::future_status::ready) {
      most = std::max(most, shared_mib());
    }
    const PythonResult got = result.get();
    EXPECT_EQ(got.end, PythonEnd::kFailed) << candidate;
    EXPECT_NE(got.output.find("PermissionError"), std::string::npos) << got.output;
    // Other programs of the host may take some as well.
    EXPECT_LT(most - before, 64) << candidate;
  }
}

TEST_F(PythonSandbox, SystemCallsAreFiltered) {
  expect_failed("import os\ndef f():\n    return os.fstat(3) and 7\n", "Bad file descriptor");
  expect_failed("import socket\ndef f():\n    return socket.socket(socket.AF_VSOCK) and 7\n",
                "PermissionError");
  // What the interpreter and its libraries need is there.
  EXPECT_EQ(run("import asyncio, random, tempfile, socket, time\nasync def g():\n"
                "    await asyncio.sleep(0.01)\n    return 7\n"
                "def f():\n    socket.socketpair()\n    time.sleep(0.01)\n"
                "    random.seed()\n    with tempfile.TemporaryFile() as t: t.write(b'x')\n"
                "    return asyncio.run(g())\n")
                .end,
            PythonEnd::kPassed);
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
