#include "base/cpu/isa.h"

#include <cstdlib>
#include <vector>

#include <cpuid.h>
#include <fmt/ranges.h>
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

// Older compilers do not know AVX-VNNI: CPUID leaf 7, subleaf 1, EAX bit 4. Subleaf 0 tells in EAX
// which one is the last.
bool has_avx_vnni() {
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || eax < 1) return false;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && has_bit(eax, 4);
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
    case Isa::kAvxVnni:
      return "avx_vnni";
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
  fail("MINKE_ISA", "expected scalar, avx2, avx_vnni, avx512, avx512_bf16 or amx, found \"{}\"",
       printable(name));
}

bool machine_has(Isa isa) {
  // libgcc's check covers both CPUID and the operating system's saved state (XCR0).
  __builtin_cpu_init();
  switch (isa) {
    case Isa::kScalar:
      return true;
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
    case Isa::kAvxVnni:
      return machine_has(Isa::kAvx2) && has_avx_vnni();
    case Isa::kAvx512:
      return machine_has(Isa::kAvx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
    case Isa::kAvx512Bf16:
      return machine_has(Isa::kAvx512) && __builtin_cpu_supports("avx512bf16");
    case Isa::kAmx:
      return machine_has(Isa::kAvx512Bf16) && may_use_tiles();
  }
  return false;
}

Isa machine_isa() {
  Isa highest = Isa::kScalar;
  for (const Isa isa : kIsaLevels) {
    if (machine_has(isa)) highest = isa;
  }
  return highest;
}

Isa chosen_isa() {
  const char* wish = std::getenv("MINKE_ISA");
  if (wish == nullptr) return machine_isa();
  const Isa isa = parse_isa(wish);
  if (!machine_has(isa)) {
    std::vector<std::string_view> names;
    for (const Isa level : kIsaLevels) {
      if (machine_has(level)) names.push_back(isa_name(level));
    }
    fail("MINKE_ISA", "expected a level that this machine has ({}), found {}",
         fmt::join(names, ", "), isa_name(isa));
  }
  return isa;
}

}  // namespace minke
