#include "learn/train/run_log.h"

#include <cmath>
#include <fstream>
#include <limits>

#include <gtest/gtest.h>

#include "base/core/error.h"
#include "base/core/mapped_file.h"
#include "base/core/test_folder.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

class RunLogTest : public ::testing::Test {
 protected:
  void write_steps(int64_t first, int64_t last) {
    RunLog log(path_, first - 1);
    log.append(SittingRecord{.step = first - 1, .threads = 2});
    for (int64_t step = first; step <= last; ++step) {
      log.append(StepRecord{.step = step, .loss = static_cast<double>(step) / 4});
      if (step % 2 == 0) log.append(EvaluationRecord{.step = step, .values = {{"loss", 1.0}}});
    }
    log.sync();
  }
  void add_text(const std::string& text) { std::ofstream(path_, std::ios::app) << text; }
  std::string error() const {
    try {
      read_run_log(path_);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  const testing::TempFolder folder_;
  const fs::path path_ = folder_ / "log.jsonl";
};

TEST_F(RunLogTest, GivesBackWhatWasWritten) {
  {
    RunLog log(path_, 0);
    log.append(SittingRecord{.step = 0,
                             .threads = 2,
                             .parameters = 26,
                             .active_parameters = 7,
                             .flops_per_token = 4.2e7,
                             .peak_flops = 1e12,
                             .machine = "a\"b"});
    log.append(StepRecord{.step = 1,
                          .stage = 1,
                          .tokens = 4096,
                          .loss = 7.5,
                          .learning_rate = 1e-3,
                          .gradient_norm = 0.1,
                          .seconds = 0.5,
                          .tokens_per_second = 8192,
                          .percent_of_peak = 34.4,
                          .joules = 12.5,
                          .expert_load = {1.5, 1.25}});
    log.append(
        EvaluationRecord{.step = 1, .tokens = 4096, .values = {{"accuracy", 0.5}, {"loss", 3.25}}});
  }
  const RunRecords records = read_run_log(path_);
  ASSERT_EQ(records.sittings.size(), 1u);
  EXPECT_EQ(records.sittings[0].machine, "a\"b");
  EXPECT_EQ(records.sittings[0].active_parameters, 7);
  EXPECT_EQ(records.sittings[0].peak_flops, 1e12);
  ASSERT_EQ(records.steps.size(), 1u);
  const StepRecord& step = records.steps[0];
  EXPECT_EQ(step.stage, 1);
  EXPECT_EQ(step.loss, 7.5);
  EXPECT_EQ(step.learning_rate, 1e-3);
  EXPECT_EQ(step.gradient_norm, 0.1);
  EXPECT_EQ(step.percent_of_peak, 34.4);
  EXPECT_EQ(step.joules, 12.5);
  EXPECT_EQ(step.expert_load, (std::vector<double>{1.5, 1.25}));
  ASSERT_EQ(records.evaluations.size(), 1u);
  EXPECT_EQ(records.evaluations[0].values.at("loss"), 3.25);
}

TEST_F(RunLogTest, NumbersThatAreNoneAreNull) {
  {
    RunLog log(path_, 0);
    log.append(StepRecord{.step = 1,
                          .loss = std::numeric_limits<double>::quiet_NaN(),
                          .gradient_norm = std::numeric_limits<double>::infinity()});
  }
  EXPECT_NE(read_text_file(path_).find("\"loss\":null"), std::string::npos);
  const RunRecords records = read_run_log(path_);
  EXPECT_TRUE(std::isnan(records.steps[0].loss));
  EXPECT_TRUE(std::isnan(records.steps[0].gradient_norm));
  EXPECT_FALSE(records.steps[0].joules);
}

TEST_F(RunLogTest, ResumingTakesLaterRecordsAway) {
  write_steps(1, 6);
  write_steps(5, 7);
  const RunRecords records = read_run_log(path_);
  ASSERT_EQ(records.steps.size(), 7u);
  for (size_t i = 0; i < 7; ++i) EXPECT_EQ(records.steps[i].step, static_cast<int64_t>(i) + 1);
  EXPECT_EQ(records.evaluations.size(), 3u);  // 2, 4 and the new 6
  ASSERT_EQ(records.sittings.size(), 2u);
  EXPECT_EQ(records.sittings[1].step, 4);
}

TEST_F(RunLogTest, ALastLineThatWasCutOffIsNone) {
  write_steps(1, 3);
  add_text("{\"kind\":\"step\",\"step\":4,\"lo");
  EXPECT_EQ(read_run_log(path_).steps.size(), 3u);
  write_steps(4, 4);
  EXPECT_EQ(read_run_log(path_).steps.size(), 4u);
}

TEST_F(RunLogTest, OtherLinesMustBeRecords) {
  write_steps(1, 1);
  const std::string before = read_text_file(path_);
  const auto error_with = [&](const std::string& line) {
    std::ofstream(path_) << before << line << "\n";
    return error();
  };
  EXPECT_NE(error_with("{\"kind\":\"swim\"}").find("log.jsonl: line 3: kind: expected"),
            std::string::npos);
  EXPECT_NE(error_with("{\"kind\":\"step\",\"step\":-1}").find("step: expected a whole number"),
            std::string::npos);
  EXPECT_NE(error_with("{\"kind\":\"step\",\"loss\":\"x\"}").find("loss: expected a number"),
            std::string::npos);
  EXPECT_NE(error_with("{\"kind\":\"step\",\"expert_load\":1}").find("a list"), std::string::npos);
  EXPECT_NE(error_with("{\"kind\":\"evaluation\",\"values\":[]}").find("an object"),
            std::string::npos);
  EXPECT_NE(error_with("[]").find("expected a JSON object"), std::string::npos);
  EXPECT_NE(error_with("").find("log.jsonl: line 3"), std::string::npos);
  EXPECT_NE(error_with("{").find("not valid JSON"), std::string::npos);
}

TEST_F(RunLogTest, WhatIsBrokenBehindTheCheckpointGoes) {
  write_steps(1, 4);
  const std::string good = read_text_file(path_);
  // Whether a record of a later step follows or not.
  for (const std::string later : {"", "{\"kind\":\"step\",\"step\":6}\n"}) {
    std::ofstream(path_) << good << "gar\"bled\n" << later;
    RunLog log(path_, 4);
    ASSERT_EQ(log.evaluations().size(), 2u);
    EXPECT_EQ(log.evaluations()[1].step, 4);
    EXPECT_EQ(read_text_file(path_), good);
  }
}

TEST_F(RunLogTest, WhatIsBrokenBeforeTheCheckpointIsAnError) {
  write_steps(1, 2);
  add_text("garbled\n");
  add_text("{\"kind\":\"step\",\"step\":3}\n");
  const std::string before = read_text_file(path_);
  EXPECT_THROW(RunLog(path_, 3), Error);
  EXPECT_EQ(read_text_file(path_), before);
  RunLog log(path_, 2);
  EXPECT_EQ(read_run_log(path_).steps.size(), 2u);
}

}  // namespace
}  // namespace minke
