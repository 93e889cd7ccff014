#pragma once

#include <string>

#include "apps/verbs.h"
#include "model/convert/convert.h"

namespace minke {

// What the verbs that write a model anew share.
struct ConversionOptions {
  std::string source, destination, adapter;
  std::optional<DType> type;
  int threads = 0;
  bool force = false, json = false;
};

// SRC, DST, --threads, --force and --json.
void add_conversion(CLI::App& verb, ConversionOptions& options);

// Looks that nothing is lost, converts with progress, and says what was written.
int run_conversion(const ConversionOptions& options, Console& console);

}  // namespace minke
