#include <gtest/gtest.h>

#include "base/core/test_folder.h"
#include "serve/engine/scheduler_testing.h"

namespace minke {
namespace {

using testing::model;
using testing::request;
using testing::run;
using testing::TempFolder;

TEST(PromptsOnDisk, ALongOneSurvivesWhole) {
  const TempFolder folder;
  EngineOptions o = testing::stored_in(folder / "pages", testing::options(1));
  o.session.context = 6144;
  const EngineRequest r = request(6000, 1, 1);
  {
    Scheduler scheduler(model(), o);
    run(scheduler, {r});
  }
  Scheduler scheduler(model(), o);
  // 23 pages, and 64 tokens of the next.
  EXPECT_EQ(run(scheduler, {r})[0]->cached_tokens, 23 * kPageTokens + 64);
}

}  // namespace
}  // namespace minke
