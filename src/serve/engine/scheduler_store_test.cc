// What a folder of pages, and its disk, may and may not do to those who are served.
#include <filesystem>
#include <future>

#include <gtest/gtest.h>

#include "base/core/test_folder.h"
#include "serve/engine/scheduler_testing.h"

namespace minke {
namespace {

using testing::alone;
using testing::model;
using testing::options;
using testing::request;
using testing::run;
using testing::stored_in;
using testing::TempFolder;

// A disk that hangs with the first page that is written, until it is let go: the page fails, and
// who is told of it does not come back.
class HungDisk {
 public:
  HungDisk() : scheduler_(model(), options_of(*this)) {
    std::filesystem::remove_all(folder_ / "pages");
  }
  ~HungDisk() { go_on_.set_value(); }
  HungDisk(const HungDisk&) = delete;
  HungDisk& operator=(const HungDisk&) = delete;

  Scheduler& scheduler() { return scheduler_; }

 private:
  // As many pages as a context has.
  static EngineOptions options_of(HungDisk& disk) {
    EngineOptions o = stored_in(disk.folder_ / "pages", options(2, 4));
    o.warn = [going_on = disk.going_on_](const std::string&) { going_on.wait(); };
    return o;
  }

  TempFolder folder_;
  std::promise<void> go_on_;
  std::shared_future<void> going_on_ = go_on_.get_future().share();
  Scheduler scheduler_;
};

TEST(SchedulerStore, ADiskThatHangsKeepsNoPromptWaiting) {
  HungDisk disk;
  run(disk.scheduler(), {request(1000, 1, 1)});
  const EngineRequest next = request(1000, 2, 1);
  const auto expected = alone(next);
  EXPECT_TRUE(run(disk.scheduler(), {next})[0]->same_as(*expected));
  EXPECT_EQ(disk.scheduler().stats().pages_in_use, 0);
}

TEST(SchedulerStore, ADiskThatHangsKeepsNoTokenWaiting) {
  HungDisk disk;
  // The last of four pages goes to the part of the prompt that the folder is to have.
  const EngineRequest r = request(760, 1, 100);
  const auto expected = alone(r);
  EXPECT_TRUE(run(disk.scheduler(), {r})[0]->same_as(*expected));
  EXPECT_EQ(disk.scheduler().stats().preempted, 0);
}

}  // namespace
}  // namespace minke
