#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace minke {

// What `minke bench --json` printed at another time, as far as it can be compared.
struct FormerReport {
  std::string file;
  std::string model, type, isa;
  int64_t parameters = 0, threads = 0;
  double read_gb_per_second = 0;
  std::map<int64_t, double> prefill, decode;  // tokens or depth to tokens of a second
};

// Throws Error if the file is not the output of `minke bench --json`.
FormerReport read_former_report(const std::filesystem::path& path);

// Throws Error that says in what the former report is of something else than this model, its
// parameters, their type, and this number of threads. Other machines and levels can be compared.
void require_same_subject(const FormerReport& former, const std::string& model,
                          const std::string& type, int64_t parameters, int threads);

}  // namespace minke
