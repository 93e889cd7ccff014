#include "serve/api/message_fields.h"

#include <limits>

#include "serve/api/scripted_turn_test.h"

namespace minke {
namespace {

using scripted::refusal_of;

TEST(ReadTexts, JoinsPartsByLinesAndRefusesOtherTypes) {
  const auto read = [](std::string_view body) {
    const RequestBody parsed = RequestBody::parse(body);
    return read_texts(parsed.root().need("a"), {"text"});
  };
  EXPECT_EQ(read(R"({"a": "x"})"), "x");
  EXPECT_EQ(read(R"({"a": []})"), "");
  EXPECT_EQ(read(R"({"a": [{"type": "text", "text": ""}, {"type": "text", "text": "y"}]})"), "\ny");
  const ApiError error = refusal_of([&] { read(R"({"a": [{"type": "image", "text": ""}]})"); });
  EXPECT_EQ(error.param, "a[0].type");
  EXPECT_EQ(error.message,
            "a[0].type: the model reads text alone: contents of type \"image\" are "
            "not supported");
}

TEST(ReadSampling, HasTheDefaultsOfTheFormats) {
  const auto read = [](std::string_view body, SamplingOptions& sampling) {
    const RequestBody parsed = RequestBody::parse(body);
    IgnoredFields ignored;
    JsonObject request(parsed.root(), ignored);
    return read_sampling(request, sampling);
  };
  SamplingOptions sampling;
  EXPECT_FALSE(read("{}", sampling));
  EXPECT_EQ(sampling.temperature, 1);
  EXPECT_EQ(sampling.top_p, 1);
  EXPECT_TRUE(read(R"({"temperature": 0, "top_p": 0, "seed": -1})", sampling));
  EXPECT_EQ(sampling.temperature, 0);
  EXPECT_GT(sampling.top_p, 0);
  EXPECT_EQ(sampling.seed, std::numeric_limits<uint64_t>::max());
  EXPECT_NO_THROW(check_sampling(sampling));
  EXPECT_EQ(refusal_of([&] { read(R"({"temperature": 2.1})", sampling); }).param, "temperature");
}

}  // namespace
}  // namespace minke
