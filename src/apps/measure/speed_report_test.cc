#include "apps/measure/speed_report.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "model/families/gguf_tensors.h"
#include "model/families/shapes.h"
#include "model/formats/open_checkpoint.h"

namespace minke {
namespace {

namespace fs = std::filesystem;

SpeedReport report() {
  SpeedReport r;
  r.model = {"whale", "llama", "Q4_K", 1200, 700};
  r.isa = Isa::kAvx512;
  r.threads = 2;
  r.read_gb_per_second = 10;
  r.peaks = {Peak{"vpdpbusd", 1e12}, Peak{"vdpbf16ps", 5e11}, Peak{"vfmadd", 25e10}};
  r.active_bytes = 500'000'000;
  r.active_weights = {1'000'000'000, 128'000'000};
  r.kv_type = DType::kF32;
  r.cache_bytes_per_token = 1'000'000;
  r.decode_tokens = 32;
  r.repeat = 3;
  r.prefill = {{128, 50}, {512, 40}};
  r.decode = {{0, 10}, {500, 5}};
  r.left_out.depths = {16384};
  return r;
}

FormerReport former() {
  return {"old.json", "whale", "Q4_K", "avx2", 1200, 2, 8, {{128, 25}}, {{0, 20}, {7, 1}}};
}

// A prompt of 128 tokens passes the head once, so that each token has a 128th of it.
TEST(SpeedReports, PrefillIsComparedWithThePeak) {
  const SpeedReport r = report();
  EXPECT_DOUBLE_EQ(r.operations_per_token(r.prefill[0]), 2 * (1e9 + 1e6));
  EXPECT_DOUBLE_EQ(r.percent_of_peak(r.prefill[0]), 100 * 2.002e9 * 50 / 1e12);
}

TEST(SpeedReports, DecodingIsComparedWithReading) {
  const SpeedReport r = report();
  EXPECT_EQ(r.bytes_per_token(r.decode[0]), 500'000'000);
  EXPECT_EQ(r.bytes_per_token(r.decode[1]), 1'000'000'000);
  EXPECT_DOUBLE_EQ(r.percent_of_read_limit(r.decode[0]), 50);
  EXPECT_DOUBLE_EQ(r.percent_of_read_limit(r.decode[1]), 50);
}

TEST(SpeedReports, ThePeakIsThatOfTheWeightsType) {
  SpeedReport r = report();
  const auto limit = [&](const char* type) {
    r.model.type = type;
    return std::pair(std::string(r.prefill_limit()), r.peak());
  };
  EXPECT_EQ(limit("Q4_1"), std::pair(std::string("int8"), 1e12));
  EXPECT_EQ(limit("BF16"), std::pair(std::string("bf16"), 5e11));
  EXPECT_EQ(limit("F8_E4M3"), std::pair(std::string("bf16"), 5e11));
  EXPECT_EQ(limit("F16"), std::pair(std::string("f32"), 25e10));
  EXPECT_EQ(limit("F32"), std::pair(std::string("f32"), 25e10));
  r.peaks.bf16 = std::nullopt;
  EXPECT_EQ(limit("BF16"), std::pair(std::string("f32"), 25e10));
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> result;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) result.push_back(line);
  return result;
}

// The line that begins with `start`, its words with one space between them.
std::string row(const std::string& table, const std::string& start) {
  for (const std::string& line : lines(table)) {
    if (!line.starts_with(start)) continue;
    std::istringstream stream(line);
    std::string result;
    for (std::string word; stream >> word;) result += (result.empty() ? "" : " ") + word;
    return result;
  }
  return "no such line";
}

TEST(SpeedReports, TableRows) {
  SpeedReport r = report();
  r.peaks.bf16 = std::nullopt;
  const std::string table = as_table(r, std::nullopt);
  EXPECT_EQ(row(table, "machine"), "machine avx512, 2 threads");
  EXPECT_EQ(row(table, "limits"), "limits 10.0 GB/s read from memory");
  EXPECT_EQ(row(table, "         int8"), "int8 1 Top/s (vpdpbusd)");
  EXPECT_EQ(row(table, "         bf16"), "bf16 -");
  EXPECT_EQ(row(table, "prefill"), "prefill tokens/s op a token Top/s of int8 peak");
  EXPECT_EQ(row(table, "  128 tokens"), "128 tokens 50.0 2.0 B 0.1 10.0 %");
  EXPECT_EQ(row(table, "decode"), "decode tokens/s read each GB/s of read limit");
  EXPECT_EQ(row(table, "  at depth 500"), "at depth 500 5.0 954 MiB 5.0 50.0 %");
  EXPECT_EQ(table.find("before"), std::string::npos);
}

TEST(SpeedReports, TableRowsBesideFormerOnes) {
  const std::string table = as_table(report(), former());
  EXPECT_EQ(row(table, "         avx2"), "avx2, 8.0 GB/s read from memory");
  EXPECT_EQ(row(table, "prefill"), "prefill tokens/s op a token Top/s of int8 peak before ratio");
  EXPECT_TRUE(row(table, "  128 tokens").ends_with(" % 25.0 2.000"));
  EXPECT_TRUE(row(table, "  512 tokens").ends_with(" % - -"));
  EXPECT_TRUE(row(table, "  at depth 0").ends_with(" % 20.0 0.500"));
  EXPECT_TRUE(row(table, "  at depth 500").ends_with(" % - -"));
}

TEST(SpeedReports, TablesAreNarrow) {
  SpeedReport r = report();
  r.prefill = {{1 << 30, 1234567.8}};
  r.decode = {{1 << 30, 1234567.8}};
  FormerReport old = former();
  old.prefill = old.decode = {{1 << 30, 1234567.8}};
  for (const std::string& line : lines(as_table(r, old))) EXPECT_LE(line.size(), 100) << line;
}

TEST(SpeedReports, JsonHasEveryFigure) {
  const auto json = as_json(report(), std::nullopt);
  EXPECT_EQ(json["peaks"]["int8"]["instruction"], "vpdpbusd");
  EXPECT_EQ(json["peaks"]["int8"]["operations_per_second"], 1e12);
  EXPECT_EQ(json["prefill_limit"], "int8");
  EXPECT_EQ(json["prefill"][0]["tokens"], 128);
  EXPECT_EQ(json["prefill"][0]["operations_per_token"], 2.002e9);
  EXPECT_EQ(json["decode"][1]["bytes_per_token"], 1'000'000'000);
  EXPECT_EQ(json["kv_type"], "F32");
  EXPECT_EQ(json["left_out"]["depths"], std::vector<int64_t>{16384});
  EXPECT_FALSE(json.contains("former"));
  EXPECT_FALSE(json["prefill"][0].contains("ratio"));
}

TEST(SpeedReports, JsonHasTheRatiosOfSharedPoints) {
  const auto json = as_json(report(), former());
  EXPECT_EQ(json["prefill"][0]["former_tokens_per_second"], 25);
  EXPECT_EQ(json["prefill"][0]["ratio"], 2);
  EXPECT_FALSE(json["prefill"][1].contains("ratio"));
  EXPECT_EQ(json["decode"][0]["ratio"], 0.5);
  EXPECT_EQ(json["former"]["isa"], "avx2");
}

TEST(SpeedReports, LevelsWithoutAnInstructionAreNullInJson) {
  SpeedReport r = report();
  r.peaks.bf16 = std::nullopt;
  EXPECT_TRUE(as_json(r, std::nullopt)["peaks"]["bf16"].is_null());
}

TEST(SpeedReports, ReadBackTheyAreFormerOnes) {
  const fs::path path = fs::path(testing::TempDir()) / "minke-report-read-back.json";
  std::ofstream(path) << as_json(report(), former()).dump();
  const FormerReport read = read_former_report(path);
  fs::remove(path);
  EXPECT_NO_THROW(require_same_subject(read, "whale", "Q4_K", 1200, 2));
  EXPECT_EQ(read.prefill, (std::map<int64_t, double>{{128, 50}, {512, 40}}));
  EXPECT_EQ(read.decode, (std::map<int64_t, double>{{0, 10}, {500, 5}}));
}

// From the tensors of the file, apart from how a model lists them: what a token is multiplied with
// are the matrices, and of four of sixteen experts all three.
TEST(ActiveWeights, AreThoseThatATokenIsMultipliedWith) {
  const std::pair<const char*, const char*> shapes[] = {{"deepseek-v3-mini", "output.weight"},
                                                        {"smollm2-135m", "token_embd.weight"}};
  for (const auto& [shape, head] : shapes) {
    const Checkpoint source = named_shape(shape, 2);
    const auto path = fs::path(testing::TempDir()) / (std::string("minke-count-") + shape);
    write_random_gguf(*make_model(source), shape, DType::kQ8_0, 1, path);
    const Checkpoint checkpoint = read_gguf(path);
    fs::remove(path);
    int64_t layers = 0, at_head = 0;
    for (const auto& [name, t] : checkpoint.tensors()) {
      const int64_t count = t.shape.elements();
      if (name == head) at_head = count;
      if (t.shape.rank() < 2 || name == "output.weight" || name == "token_embd.weight") continue;
      layers += name.find("_exps") == std::string::npos ? count : count * 4 / 16;
    }
    const ActiveWeightCount found = active_weight_count(*load_model(checkpoint));
    EXPECT_EQ(found.layers, layers) << shape;
    EXPECT_EQ(found.head, at_head) << shape;
  }
}

}  // namespace
}  // namespace minke
