#include "learn/tasks/split.h"

#include <cstdint>

namespace minke {
namespace {

constexpr uint64_t kHeldOutPercent = 4;

// FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/).
uint64_t fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// The finalizer of MurmurHash3: FNV-1a alone leaves keys that differ in their last byte close
// together in the upper bits.
uint64_t mixed(uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return hash ^ (hash >> 33);
}

}  // namespace

bool held_out_key(std::string_view canonical) {
  return mixed(fnv1a(canonical)) % 100 < kHeldOutPercent;
}

}  // namespace minke
