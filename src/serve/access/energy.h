#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace minke {

// The energy that the machine's processors and memory have used, from the counters that Linux shows
// for RAPL in /sys/class/powercap (kernel documentation, power/powercap). Many machines show none,
// virtual ones above all, and most let only root read them. All functions may be called from any
// thread.
class EnergyMeter {
 public:
  // Counts from here. `powercap` and `stat` are where the kernel shows its counters.
  explicit EnergyMeter(const std::filesystem::path& powercap = "/sys/class/powercap",
                       std::filesystem::path stat = "/proc/stat");

  // Whether the machine tells.
  bool available() const { return !zones_.empty(); }

  // Reads the counters. To be called every few seconds: a counter that came round twice since it
  // was last read has lost one round.
  void sample();

  // Since the meter was made, up to the last sample. Nothing if the machine does not tell.
  std::optional<double> joules() const;

  // Energy over the seconds that processors were busy, whoever kept them so, between the two last
  // samples that had some: a request is charged by the processor time that it took, and what the
  // machine uses at rest is shared in the same way. Nothing until there are such samples.
  std::optional<double> joules_per_cpu_second() const;

 private:
  struct Zone {
    std::filesystem::path counter;  // microjoules
    uint64_t most = 0;              // after which it begins at 0 again
    uint64_t last = 0;
  };
  void find_zones(const std::filesystem::path& powercap);
  void add_zone(const std::filesystem::path& folder);
  std::optional<double> busy_seconds() const;

  std::filesystem::path stat_;
  mutable std::mutex mutex_;  // of all below; which zones there are does not change
  std::vector<Zone> zones_;
  double joules_ = 0;
  double window_joules_ = 0;  // since busy_
  std::optional<double> busy_;
  std::optional<double> rate_;
};

}  // namespace minke
