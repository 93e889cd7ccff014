#include "serve/access/energy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/core/test_folder.h"

namespace minke {
namespace {

using testing::TempFolder;

// A machine whose kernel shows counters.
class Energy : public ::testing::Test {
 protected:
  TempFolder folder;

  void zone(const std::string& place, const std::string& name, uint64_t count,
            uint64_t most = 1'000'000'000) const {
    std::filesystem::create_directories(folder / place);
    folder.file(place + "/name", name + "\n");
    folder.file(place + "/max_energy_range_uj", std::to_string(most) + "\n");
    set(place, count);
  }
  void set(const std::string& place, uint64_t count) const {
    folder.file(place + "/energy_uj", std::to_string(count) + "\n");
  }
  // Each of five kinds of busy time.
  void busy(double seconds) const {
    const auto ticks =
        static_cast<int64_t>(seconds / 5 * static_cast<double>(::sysconf(_SC_CLK_TCK)));
    folder.file("stat",
                fmt::format("cpu  {0} {0} {0} 777 888 {0} {0} 99 0 0\ncpu0 1 2 3\n", ticks));
  }
  EnergyMeter meter() const { return EnergyMeter(folder.path(), folder / "stat"); }
};

TEST_F(Energy, AMachineWithoutCountersTellsNothing) {
  busy(10);
  EnergyMeter none = meter();
  EXPECT_FALSE(none.available());
  none.sample();
  EXPECT_FALSE(none.joules().has_value());
  EXPECT_FALSE(none.joules_per_cpu_second().has_value());
  EXPECT_FALSE(EnergyMeter(folder / "nowhere", folder / "none").available());
}

TEST_F(Energy, AddsPackagesAndMemoryOnce) {
  busy(10);
  zone("intel-rapl:0", "package-0", 100);
  zone("intel-rapl:1", "package-1", 100);
  zone("intel-rapl:0:0", "core", 100);
  zone("intel-rapl:0:1", "dram", 100);
  zone("intel-rapl:2", "psys", 100);
  zone("intel-rapl-mmio:0", "package-0", 100);
  EnergyMeter all = meter();
  ASSERT_TRUE(all.available());
  EXPECT_EQ(all.joules(), 0);
  for (const char* place : {"intel-rapl:0", "intel-rapl:1", "intel-rapl:0:0", "intel-rapl:0:1",
                            "intel-rapl:2", "intel-rapl-mmio:0"}) {
    set(place, 2'000'100);
  }
  all.sample();
  EXPECT_DOUBLE_EQ(*all.joules(), 6);
}

TEST_F(Energy, CountersComeRound) {
  busy(10);
  zone("intel-rapl:0", "package-0", 9'000'000, 10'000'000);
  EnergyMeter round = meter();
  set("intel-rapl:0", 1'000'000);
  round.sample();
  EXPECT_DOUBLE_EQ(*round.joules(), 2);
  set("intel-rapl:0", 1'500'000);
  round.sample();
  EXPECT_DOUBLE_EQ(*round.joules(), 2.5);
}

TEST_F(Energy, IsSharedByBusySeconds) {
  busy(10);
  zone("intel-rapl:0", "package-0", 0);
  EnergyMeter shared = meter();
  set("intel-rapl:0", 3'000'000);
  shared.sample();
  EXPECT_FALSE(shared.joules_per_cpu_second().has_value()) << "nobody was busy yet";
  set("intel-rapl:0", 40'000'000);
  busy(15);
  shared.sample();
  EXPECT_NEAR(*shared.joules_per_cpu_second(), 8, 1e-9) << "what was used at rest is shared too";
  set("intel-rapl:0", 60'000'000);
  busy(25);
  shared.sample();
  EXPECT_NEAR(*shared.joules_per_cpu_second(), 2, 1e-9);
  std::filesystem::remove(folder / "intel-rapl:0/energy_uj");
  busy(35);
  shared.sample();
  EXPECT_DOUBLE_EQ(*shared.joules(), 60) << "a counter that is gone adds nothing";
}

}  // namespace
}  // namespace minke
