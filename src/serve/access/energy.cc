#include "serve/access/energy.h"

#include <array>
#include <fstream>

#include <unistd.h>

namespace minke {
namespace {

namespace fs = std::filesystem;

constexpr double kJoulesPerCount = 1e-6;
// Of busy time: with less, the rate says more about the clocks' ticks than about the machine.
constexpr double kLeastBusySeconds = 0.5;

std::optional<uint64_t> read_count(const fs::path& path) {
  std::ifstream file(path);
  uint64_t value = 0;
  if (file >> value) return value;
  return std::nullopt;
}

std::string read_word(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

// "intel-rapl:0" has one colon, its parts have two. Other prefixes show the same counters again.
int depth_of(const std::string& name) {
  constexpr std::string_view kPrefix = "intel-rapl:";
  if (!name.starts_with(kPrefix) ||
      name.find_first_not_of("0123456789:", kPrefix.size()) != std::string::npos) {
    return 0;
  }
  return name.find(':', kPrefix.size()) == std::string::npos ? 1 : 2;
}

}  // namespace

EnergyMeter::EnergyMeter(const fs::path& powercap, fs::path stat) : stat_(std::move(stat)) {
  find_zones(powercap);
  busy_ = busy_seconds();
}

// Packages, and memory, which no package contains. Cores and graphics are parts of a package, and
// "psys" is more than the packages.
void EnergyMeter::find_zones(const fs::path& powercap) {
  std::error_code error;
  for (fs::directory_iterator i(powercap, error), end; !error && i != end; i.increment(error)) {
    const int depth = depth_of(i->path().filename().string());
    const std::string name = depth == 0 ? "" : read_word(i->path() / "name");
    if ((depth == 1 && name.starts_with("package")) || (depth == 2 && name == "dram")) {
      add_zone(i->path());
    }
  }
}

void EnergyMeter::add_zone(const fs::path& folder) {
  const auto last = read_count(folder / "energy_uj");
  const auto most = read_count(folder / "max_energy_range_uj");
  if (!last || !most || *last > *most) return;
  zones_.push_back({.counter = folder / "energy_uj", .most = *most, .last = *last});
}

void EnergyMeter::sample() {
  const std::lock_guard lock(mutex_);
  double used = 0;
  for (Zone& zone : zones_) {
    const auto found = read_count(zone.counter);
    if (!found) continue;
    const uint64_t count =
        *found >= zone.last ? *found - zone.last : zone.most - zone.last + *found;
    zone.last = *found;
    used += static_cast<double>(count) * kJoulesPerCount;
  }
  joules_ += used;
  window_joules_ += used;
  const auto busy = busy_seconds();
  if (!busy || !busy_) {
    busy_ = busy;
    window_joules_ = 0;
    return;
  }
  if (*busy - *busy_ < kLeastBusySeconds) return;
  rate_ = window_joules_ / (*busy - *busy_);
  busy_ = busy;
  window_joules_ = 0;
}

// The first line of /proc/stat: cpu user nice system idle iowait irq softirq steal ..., in ticks.
// Time of guests is within user; time stolen was not this machine's.
std::optional<double> EnergyMeter::busy_seconds() const {
  std::ifstream file(stat_);
  std::string word;
  std::array<uint64_t, 7> ticks{};
  if (!(file >> word) || word != "cpu") return std::nullopt;
  for (uint64_t& value : ticks) {
    if (!(file >> value)) return std::nullopt;
  }
  const auto [user, nice, system, idle, iowait, irq, softirq] = ticks;
  return static_cast<double>(user + nice + system + irq + softirq) /
         static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::optional<double> EnergyMeter::joules() const {
  if (!available()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return joules_;
}

std::optional<double> EnergyMeter::joules_per_cpu_second() const {
  if (!available()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return rate_;
}

}  // namespace minke
