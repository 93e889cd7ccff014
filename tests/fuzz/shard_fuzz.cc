// A token shard of a stranger, under the checksum that belongs to its bytes.
#include <cstring>
#include <vector>

#include <xxhash.h>

#include "base/core/check.h"
#include "checkpoint_reading.h"
#include "learn/data/shards.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace minke;
  std::vector<uint8_t> bytes(data, data + size);
  if (size >= sizeof(uint64_t)) {
    const uint64_t hash = XXH64(bytes.data(), size - sizeof(hash), 0);
    std::memcpy(bytes.data() + size - sizeof(hash), &hash, sizeof(hash));
  }
  allow_error([&] {
    const Shard shard = Shard::parse(bytes, "fuzz", nullptr);
    for (uint64_t i = 0; i < shard.documents(); ++i) {
      const Document document = shard.document(i);
      CHECK(document.tokens.size() >= 2 && document.loss_end <= document.tokens.size());
      for (const int32_t id : document.tokens) CHECK(id >= 0 && id < shard.vocabulary().ids);
    }
  });
  return 0;
}
