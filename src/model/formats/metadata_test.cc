#include "model/formats/metadata.h"

#include <limits>

#include "base/core/json.h"
#include "model/formats/parse.h"
#include "model/formats/test_files.h"

namespace minke {
namespace {

using testing::error_of;

Metadata from_json(std::string_view text) {
  Metadata m("config.json");
  flatten_json(JsonDocument::parse(text, "config.json"), "", m);
  return m;
}

TEST(Metadata, ReadsIntegersOfAnyWidthAndNumbersFromIntegers) {
  Metadata m("file");
  m.set("u", uint64_t{7});
  m.set("i", int64_t{-7});
  m.set("d", 2.5);
  m.set("huge", std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(m.integer("u"), 7);
  EXPECT_EQ(m.integer("i"), -7);
  EXPECT_EQ(m.number("i"), -7.0);
  EXPECT_EQ(m.number("d"), 2.5);
  EXPECT_EQ(m.integers("u"), std::vector<int64_t>{7});
  EXPECT_EQ(m.integer("absent"), std::nullopt);
  EXPECT_EQ(m.texts("absent"), std::nullopt);
  EXPECT_EQ(error_of([&] { m.integer("huge"); }),
            "file: metadata key 'huge': expected an integer of at most 63 bits, found the integer "
            "18446744073709551615");
}

TEST(Metadata, NamesKeyAndFindingWhenTheKindIsWrong) {
  Metadata m("model.gguf");
  m.set("t", std::string("yarn\n"));
  m.set("d", 0.5);
  m.set("nan", std::numeric_limits<double>::quiet_NaN());
  m.set("b", true);
  m.set("list", meta_texts({"a", "b"}));
  EXPECT_EQ(error_of([&] { m.integer("t"); }),
            "model.gguf: metadata key 't': expected an integer of at most 63 bits, found text "
            "\"yarn\\x0a\"");
  EXPECT_NE(error_of([&] { m.integer("d"); }), "");
  EXPECT_NE(error_of([&] { m.integer("b"); }), "");
  EXPECT_NE(error_of([&] { m.number("nan"); }), "");
  EXPECT_NE(error_of([&] { m.number("t"); }), "");
  EXPECT_NE(error_of([&] { m.flag("d"); }), "");
  EXPECT_NE(error_of([&] { m.text("b"); }), "");
  EXPECT_EQ(
      error_of([&] { m.integers("list"); }),
      "model.gguf: metadata key 'list': expected a list of integers, found a list of 2 texts");
  EXPECT_NE(error_of([&] { m.numbers("list"); }), "");
  EXPECT_NE(error_of([&] { m.texts("t"); }), "");
}

TEST(Metadata, RefusesAKeyTwice) {
  Metadata m("file");
  m.set("k", int64_t{1});
  EXPECT_EQ(error_of([&] { m.set("k", int64_t{2}); }),
            "file: metadata key 'k' appears twice, found the integer 1 before");
  m.replace("k", int64_t{3});
  EXPECT_EQ(m.integer("k"), 3);
}

TEST(FlattenJson, JoinsKeysAndKeepsKinds) {
  const Metadata m = from_json(R"({
    "hidden_size": 2048, "rope_theta": 10000.0, "factor": 40, "tie": false, "q_lora_rank": null,
    "rope_scaling": {"type": "yarn", "inner": {"x": -1}},
    "eos": [1, 2], "numbers": [1, 0.5], "names": ["a", "b"], "flags": [true, false],
    "nested": [[1], 2], "mixed": [1, true], "empty": [], "u": 18446744073709551615})");
  EXPECT_EQ(m.integer("hidden_size"), 2048);
  EXPECT_EQ(m.number("rope_theta"), 10000.0);
  EXPECT_EQ(m.number("factor"), 40.0);
  EXPECT_EQ(m.flag("tie"), false);
  EXPECT_FALSE(m.has("q_lora_rank"));
  EXPECT_EQ(m.text("rope_scaling.type"), "yarn");
  EXPECT_EQ(m.integer("rope_scaling.inner.x"), -1);
  EXPECT_EQ(m.integers("eos"), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(m.numbers("eos"), (std::vector<double>{1, 2}));
  EXPECT_EQ(m.numbers("numbers"), (std::vector<double>{1, 0.5}));
  EXPECT_EQ(m.texts("names"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(m.integers("empty"), std::vector<int64_t>{});
  EXPECT_EQ(m.texts("empty"), std::vector<std::string>{});
  EXPECT_NE(error_of([&] { m.integers("nested"); }), "");
  EXPECT_NE(error_of([&] { m.numbers("mixed"); }), "");
  EXPECT_NE(error_of([&] { m.numbers("flags"); }), "");
  EXPECT_NE(error_of([&] { m.integer("u"); }), "");
}

TEST(FlattenJson, AnObjectInThePlaceOfAnotherKindIsNoAbsentField) {
  const Metadata m = from_json(R"({"a": {}, "b": {"c": {}, "d": null}})");
  EXPECT_TRUE(m.has("a"));
  EXPECT_EQ(error_of([&] { m.integer("a"); }),
            "config.json: metadata key 'a': expected an integer of at most 63 bits, found an empty "
            "object");
  EXPECT_NE(error_of([&] { m.number("a"); }), "");
  EXPECT_NE(error_of([&] { m.flag("a"); }), "");
  EXPECT_NE(error_of([&] { m.text("a"); }), "");
  EXPECT_NE(error_of([&] { m.integers("a"); }), "");
  EXPECT_NE(error_of([&] { m.numbers("a"); }), "");
  EXPECT_NE(error_of([&] { m.texts("a"); }), "");
  EXPECT_NE(error_of([&] { m.number("b.c"); }), "");
  EXPECT_NE(error_of([&] { m.text("b"); }).find("found an object of 2 members"), std::string::npos);
  EXPECT_FALSE(m.has("b.d"));
}

TEST(FlattenJson, EmptyRopeScalingIsAbsent) {
  const Metadata m = from_json(R"({"rope_scaling": {}, "rope_parameters": {"factor": {}}})");
  EXPECT_FALSE(m.has("rope_scaling"));
  EXPECT_FALSE(m.has("rope_parameters"));
  EXPECT_NE(error_of([&] { m.number("rope_parameters.factor"); }), "");
  EXPECT_EQ(error_of([] { from_json(R"({"rope_scaling": "yarn"})"); }),
            "config.json: key 'rope_scaling': expected an object, found \"yarn\"");
}

TEST(FlattenJson, RefusesAmbiguousAndOversizedKeys) {
  EXPECT_NE(error_of([] { from_json(R"({"a.b": 1, "a": {"b": 2}})"); }), "");
  EXPECT_NE(error_of([] { from_json(R"({"a": 1, "a": 2})"); }), "");
  EXPECT_EQ(error_of([] { from_json("[1]"); }),
            "config.json: expected a JSON object, found an array");
  std::string deep = "1";
  for (int i = 0; i < 200; ++i) deep = "{\"k\":" + deep + "}";
  EXPECT_NE(error_of([&] { from_json(deep); }).find("expected at most 256 bytes"),
            std::string::npos);
}

}  // namespace
}  // namespace minke
