#include "base/cpu/isa.h"

#include <cstdlib>

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/core/error.h"

namespace minke {
namespace {

// clang's __builtin_cpu_supports does not know F16C: CPUID leaf 1, ECX bit 29.
bool has_f16c() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx >> 29 & 1) != 0;
}

bool has_bit(unsigned word, int bit) {
  return (word >> bit & 1) != 0;
}

// The processor has tiles and both kinds of products (bits 22, 24 and 25), the system saves them
// (bits 17 and 18 of XCR0), and lets this process use them (Linux's
// Documentation/arch/x86/xstate.rst).
bool may_use_tiles() {
  constexpr int kRequestPermission = 0x1023, kTileData = 18;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  if (!has_bit(edx, 22) || !has_bit(edx, 24) || !has_bit(edx, 25)) return false;
  unsigned low = 0, high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  if (!has_bit(low, 17) || !has_bit(low, kTileData)) return false;
  return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return "scalar";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
    case Isa::kAvx512Bf16:
      return "avx512_bf16";
    case Isa::kAmx:
      return "amx";
  }
  return "unknown";
}

Isa parse_isa(std::string_view name) {
  for (const Isa isa : kIsaLevels) {
    if (isa_name(isa) == name) return isa;
  }
  fail("MINKE_ISA", "expected scalar, avx2, avx512, avx512_bf16 or amx, found \"{}\"",
       printable(name));
}

Isa machine_isa() {
  // libgcc's check covers both CPUID and the operating system's saved state (XCR0).
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
  if (!avx2) return Isa::kScalar;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512vnni");
  if (!avx512) return Isa::kAvx2;
  if (!__builtin_cpu_supports("avx512bf16")) return Isa::kAvx512;
  return may_use_tiles() ? Isa::kAmx : Isa::kAvx512Bf16;
}

Isa chosen_isa() {
  const Isa machine = machine_isa();
  const char* wish = std::getenv("MINKE_ISA");
  if (wish == nullptr) return machine;
  const Isa isa = parse_isa(wish);
  if (isa > machine) {
    fail("MINKE_ISA", "this machine has no {}; the highest level here is {}", isa_name(isa),
         isa_name(machine));
  }
  return isa;
}

}  // namespace minke
