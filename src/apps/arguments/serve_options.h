#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/arguments/options.h"
#include "serve/engine/session.h"

namespace minke {

// What `minke serve` was told.
struct ServeOptions {
  std::string model, host = "127.0.0.1", keys, audit, store, state, prices, name,
                     metrics = "minke:";
  std::vector<std::string> hosts, origins, aliases;
  int64_t port = 8080, sequences = 16, queue = 256, context = 0, drain = 30;
  std::optional<double> cache_gib, store_gib;
  int threads = 0;
  DType kv_type = kDefaultKvType;
  bool insecure = false, audit_content = false, strict_model = false;
};

void add_serve_options(CLI::App& verb, ServeOptions& o);

// Throws UsageError for options that would have no effect, and where other machines can reach the
// port, and so use the model, without its being meant.
void check_serve_options(const ServeOptions& options);

}  // namespace minke
