#include "apps/measure/former_report.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/core/error.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

constexpr const char* kReport = R"({
  "model": "whale", "type": "Q4_K", "isa": "avx2", "parameters": 1000, "threads": 4,
  "read_gb_per_second": 20, "unknown": [1, {}],
  "prefill": [{"tokens": 128, "tokens_per_second": 100.5}],
  "decode": [{"depth": 0, "tokens_per_second": 10}, {"depth": 4096, "tokens_per_second": 5}]})";

class FormerReports : public testing::Test {
 protected:
  FormerReport read(const std::string& text) {
    std::ofstream(path_) << text;
    return read_former_report(path_);
  }
  // The report with one part of its text in place of another.
  FormerReport changed(const std::string& from, const std::string& to) {
    std::string text = kReport;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos);
    return read(text.replace(at, from.size(), to));
  }
  std::string error_of(const std::string& from, const std::string& to) {
    try {
      changed(from, to);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
  void TearDown() override { fs::remove(path_); }

 private:
  fs::path path_ = fs::path(testing::TempDir()) /
                   (std::string("minke-former-") +
                    testing::UnitTest::GetInstance()->current_test_info()->name() + ".json");
};

TEST_F(FormerReports, AreRead) {
  const FormerReport report = read(kReport);
  EXPECT_EQ(report.model, "whale");
  EXPECT_EQ(report.type, "Q4_K");
  EXPECT_EQ(report.isa, "avx2");
  EXPECT_EQ(report.parameters, 1000);
  EXPECT_EQ(report.threads, 4);
  EXPECT_EQ(report.read_gb_per_second, 20);
  EXPECT_EQ(report.prefill, (std::map<int64_t, double>{{128, 100.5}}));
  EXPECT_EQ(report.decode, (std::map<int64_t, double>{{0, 10}, {4096, 5}}));
}

TEST_F(FormerReports, OfOtherKindsAreErrors) {
  for (const char* text : {"", "no JSON", "[1]", "7", "{}", "null"}) {
    EXPECT_THROW(read(text), Error) << text;
  }
  EXPECT_THROW(read_former_report("/nonexistent/report.json"), Error);
  EXPECT_THROW(read_former_report(testing::TempDir()), Error);
}

TEST_F(FormerReports, WrongMembersAreNamed) {
  const auto says = [&](const char* from, const char* to, const char* named) {
    const std::string error = error_of(from, to);
    EXPECT_NE(error.find("expected the output of minke bench --json"), std::string::npos) << error;
    EXPECT_NE(error.find(named), std::string::npos) << error;
  };
  says("\"whale\"", "7", "model");
  says("\"threads\": 4", "\"threads\": 0", "threads");
  says("\"threads\": 4", "\"threads\": 4.5", "threads");
  says("\"parameters\": 1000,", "", "parameters");
  says("_second\": 20", "_second\": null", "read_gb_per_second");
  says("100.5", "0", "prefill[0]");
  says("100.5", "-1", "prefill[0]");
  says("100.5", "\"fast\"", "prefill[0]");
  says("\"depth\": 4096", "\"depth\": -1", "decode[1]");
  says("\"tokens\": 128", "\"tokens\": 0", "prefill[0]");
  says("{\"depth\": 0, \"tokens_per_second\": 10}", "3", "decode[0]");
}

TEST_F(FormerReports, TheSameSubjectIsComparable) {
  const FormerReport report = read(kReport);
  EXPECT_NO_THROW(require_same_subject(report, "whale", "Q4_K", 1000, 4));
}

TEST_F(FormerReports, OtherSubjectsAreErrorsThatSayWhatDiffers) {
  const FormerReport report = read(kReport);
  const auto error = [&](const char* model, const char* type, int64_t parameters, int threads) {
    try {
      require_same_subject(report, model, type, parameters, threads);
    } catch (const Error& e) {
      const std::string what = e.what();
      return what.substr(what.find("not comparable"));
    }
    return std::string("no error");
  };
  EXPECT_EQ(error("seal", "Q4_K", 1000, 4), "not comparable: expected model seal, found whale");
  EXPECT_EQ(error("whale", "Q6_K", 1000, 4), "not comparable: expected type Q6_K, found Q4_K");
  EXPECT_EQ(error("whale", "Q4_K", 999, 8),
            "not comparable: expected parameters 999, found 1000; expected threads 8, found 4");
}

}  // namespace
}  // namespace minke
