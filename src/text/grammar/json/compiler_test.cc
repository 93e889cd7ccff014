#include <string>

#include <gtest/gtest.h>

#include "base/core/test_folder.h"
#include "text/grammar/grammar.h"
#include "text/grammar/grammar_testing.h"

namespace minke {
namespace {

std::string error_of(std::string_view schema) {
  return testing::error_of([&] { compile_json_schema(schema); });
}

struct Case {
  const char* schema;
  std::vector<std::string> accepted, refused;
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const auto grammar = compile_json_schema(c.schema);
    for (const std::string& text : c.accepted) {
      EXPECT_TRUE(testing::accepts(grammar, text)) << c.schema << "\n" << text;
    }
    for (const std::string& text : c.refused) {
      EXPECT_FALSE(testing::accepts(grammar, text)) << c.schema << "\n" << text;
    }
  }
}

TEST(JsonSchema, types) {
  check({
      {"{}", {"1", "null", "true", "\"a\"", "[1, {}]", "{\"a\": []}", "-1.5e3"}, {"", "nul", "01"}},
      {"true", {"1", "[]"}, {""}},
      {R"({"type":"integer"})", {"1", "-20", "0"}, {"1.0", "\"1\"", "01"}},
      {R"({"type":["null","boolean"]})", {"null", "true", "false"}, {"0", "\"\"", "[]"}},
      {R"({"type":"string"})", {"\"\"", "\"é\\n\""}, {"1", "\"\n\"", "\"\\u0041\"", "\"a"}},
      {R"({"type":"array"})", {"[]", "[1,\"a\"]"}, {"{}", "[1,]", "[ ]"}},
      {R"({"type":"object"})", {"{}", "{\"a\":1}"}, {"[]", "{1:2}", "{\"a\"}"}},
  });
}

TEST(JsonSchema, keywords_bind_only_values_of_their_type) {
  check({
      {R"({"minLength":2})", {"1", "null", "[]", "\"ab\""}, {"\"a\""}},
      {R"({"minimum":2})", {"\"a\"", "2", "2.5", "{}"}, {"1", "1.9", "-3"}},
      {R"({"required":["a"]})", {"[]", "{\"a\":1}", "{\"a\":1,\"b\":2}"}, {"{}", "{\"b\":1}"}},
      {R"({"maxItems":1})", {"{}", "[]", "[1]"}, {"[1,2]"}},
      {R"({"properties":{"a":{"type":"null"}}})", {"3", "{}", "{\"a\":null}"}, {"{\"a\":1}"}},
  });
}

TEST(JsonSchema, objects) {
  check({
      {R"({"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"null"},
           "c":{"type":"boolean"}},"required":["b"],"additionalProperties":false})",
       {"{\"b\":null}", "{\"a\":1,\"b\":null}", "{\"a\": 1, \"b\": null, \"c\": true}",
        "{\n  \"b\": null\n}", "{ \"b\":null }"},
       {"{}", "{\"a\":1}", "{\"b\":null,\"a\":1}", "{\"b\":null,\"b\":null}", "{\"b\":null,}",
        "{\"b\":null,\"d\":1}", "{,\"b\":null}", "{\"b\":null\"c\":true}", "{  \"b\":null}"}},
      {R"({"type":"object","properties":{"a":{"type":"null"}},
           "additionalProperties":{"type":"integer"}})",
       {"{}", "{\"a\":null}", "{\"b\":1,\"c\":2}", "{\"a\":null,\"ab\":1}", "{\"\":1}"},
       {"{\"a\":1}", "{\"b\":1,\"a\":null}", "{\"b\":null}"}},
      {R"({"type":"object","required":["x","y"],"additionalProperties":{"type":"null"}})",
       {"{\"x\":null,\"y\":null}", "{\"x\":null,\"y\":null,\"z\":null}"},
       {"{\"x\":null}", "{\"x\":1,\"y\":null}"}},
      {R"({"type":"object","minProperties":1,"maxProperties":2})",
       {"{\"a\":1}", "{\"a\":1,\"b\":2}"},
       {"{}", "{\"a\":1,\"b\":2,\"c\":3}"}},
      {R"({"type":"object","properties":{"a":{},"b":{},"c":{}},"minProperties":2,
           "maxProperties":2,"additionalProperties":false})",
       {"{\"a\":1,\"b\":2}", "{\"b\":1,\"c\":2}", "{\"a\":1,\"c\":2}"},
       {"{\"a\":1}", "{\"a\":1,\"b\":2,\"c\":3}", "{}"}},
      {R"({"type":"object","maxProperties":0})", {"{}"}, {"{\"a\":1}"}},
  });
}

TEST(JsonSchema, pattern_properties_are_exact) {
  check({
      {R"({"type":"object","properties":{"ab":{"type":"integer"}},
           "patternProperties":{"^a":{"maximum":9},"b$":{"type":["integer","null"]}},
           "additionalProperties":{"type":"string"}})",
       {"{\"ab\":3}", "{\"ax\":\"s\"}", "{\"ax\":9}", "{\"cb\":null}", "{\"axb\":5}",
        "{\"c\":\"\"}"},
       {"{\"ab\":10}", "{\"ax\":10}", "{\"cb\":\"\"}", "{\"axb\":10}", "{\"axb\":\"\"}",
        "{\"c\":1}"}},
      {R"({"type":"object","propertyNames":{"pattern":"^[a-z]+$"}})",
       {"{\"abc\":1}"},
       {"{\"A\":1}", "{\"\":1}"}},
      {R"({"type":"object","properties":{"a":{},"b":{}},"propertyNames":{"const":"b"},
           "additionalProperties":false})",
       {"{}", "{\"b\":1}"},
       {"{\"a\":1}"}},
  });
  EXPECT_NE(error_of(R"({"type":"object","patternProperties":{"^[ab]$":{}},
                         "additionalProperties":false})")
                .find("endlessly"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"type":"object","propertyNames":{"maxLength":3}})").find("propertyNames"),
            std::string::npos);
}

TEST(JsonSchema, arrays) {
  check({
      {R"({"type":"array","items":{"type":"integer"},"minItems":1,"maxItems":3})",
       {"[1]", "[1, 2, 3]", "[\n  1,\n  2\n]"},
       {"[]", "[1,2,3,4]", "[\"a\"]"}},
      {R"({"type":"array","prefixItems":[{"type":"null"},{"type":"integer"}],"items":false})",
       {"[]", "[null]", "[null,1]"},
       {"[1]", "[null,1,2]", "[null,null]"}},
      {R"({"type":"array","prefixItems":[{"type":"null"}],"items":{"type":"integer"}})",
       {"[]", "[null,1,2,3]"},
       {"[null,null]", "[1]"}},
      {R"({"type":"array","items":{"type":"integer"},"minItems":2})",
       {"[1,2]", "[1,2,3,4]"},
       {"[]", "[1]"}},
      {R"({"type":"array","maxItems":0})", {"[]"}, {"[1]"}},
  });
}

TEST(JsonSchema, strings_and_numbers) {
  check({
      {R"({"type":"string","minLength":1,"maxLength":2})",
       {"\"a\"", "\"😀é\"", "\"\\n\\\\\""},
       {"\"\"", "\"abc\""}},
      {R"({"type":"string","pattern":"b+","minLength":3,"maxLength":4})",
       {"\"abc\"", "\"bbbb\""},
       {"\"bb\"", "\"aaa\"", "\"abbbb\""}},
      {R"({"type":"string","format":"date"})", {"\"2024-02-29\""}, {"\"2023-02-29\"", "\"\""}},
      {R"({"type":"integer","minimum":-3,"exclusiveMaximum":12})",
       {"-3", "0", "11"},
       {"-4", "12", "100", "-0"}},
      {R"({"type":"number","minimum":0,"maximum":1})",
       {"0", "0.5", "1", "1.0", "-0.0"},
       {"1.01", "-0.1", "2", "1e0"}},
      {R"({"type":"number","multipleOf":0.01})", {"1", "0.25", "-3.1"}, {"0.001", "1e3"}},
      {R"({"type":"integer","multipleOf":7,"minimum":1,"maximum":20})", {"7", "14"}, {"0", "21"}},
  });
}

TEST(JsonSchema, listed_values) {
  check({
      {R"({"enum":["a",1,null,true,{"x":[1,2]},1.5]})",
       {"\"a\"", "1", "null", "true", "{\"x\":[1,2]}", "{\"x\": [1, 2]}", "1.5"},
       {"\"b\"", "2", "false", "{}", "{\"x\":[2,1]}"}},
      {R"({"const":"a\"\\\n\u0001é"})", {"\"a\\\"\\\\\\n\\u0001é\""}, {"\"a\""}},
      {R"({"type":"string","enum":["a",1,"bc"],"minLength":2})", {"\"bc\""}, {"\"a\"", "1"}},
      {R"({"enum":[1,5,10],"minimum":2,"multipleOf":5})", {"5", "10"}, {"1"}},
      {R"({"enum":[1,2],"const":2.0})", {"2"}, {"1"}},
  });
  EXPECT_NE(error_of(R"({"enum":[{"a":1}],"required":["a"]})").find("keywords of objects"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"enum":[]})"), "");
  EXPECT_NE(error_of(R"({"const":{"a":1,"a":2}})").find("twice"), std::string::npos);
  EXPECT_NE(error_of(R"({"const":123456789012345678901234567890})").find("exactly"),
            std::string::npos);
}

TEST(JsonSchema, alternatives) {
  check({
      {R"({"anyOf":[{"type":"integer"},{"type":"string","maxLength":1}]})",
       {"1", "\"a\""},
       {"\"ab\"", "null"}},
      {R"({"type":"string","anyOf":[{"minLength":3},{"pattern":"^x"}]})",
       {"\"abc\"", "\"x\""},
       {"\"a\"", "1"}},
      {R"({"oneOf":[{"type":"integer"},{"type":"string"}]})", {"1", "\"a\""}, {"null"}},
      {R"({"oneOf":[{"const":"a"},{"const":"b"},{"enum":["c",1]}]})", {"\"a\"", "1"}, {"\"d\""}},
      {R"({"oneOf":[
           {"type":"object","properties":{"kind":{"const":"a"},"x":{"type":"null"}},
            "required":["kind"],"additionalProperties":false},
           {"type":"object","properties":{"kind":{"const":"b"},"x":{"type":"integer"}},
            "required":["kind"],"additionalProperties":false}]})",
       {"{\"kind\":\"a\",\"x\":null}", "{\"kind\":\"b\",\"x\":1}"},
       {"{\"kind\":\"a\",\"x\":1}", "{\"x\":1}"}},
      {R"({"oneOf":[{"type":"integer","maximum":3},{"type":"integer","minimum":4}]})",
       {"3", "4"},
       {}},
      {R"({"type":"object","oneOf":[
           {"required":["a"],"properties":{"a":true},"additionalProperties":false},
           {"required":["b"],"properties":{"b":true},"additionalProperties":false}]})",
       {"{\"a\":1}", "{\"b\":1}"},
       {"{}", "{\"a\":1,\"b\":1}"}},
  });
  for (const char* schema :
       {R"({"oneOf":[{"type":"integer"},{"type":"number"}]})",
        R"({"oneOf":[{"minLength":1},{"maxLength":3}]})",
        R"({"oneOf":[{"type":"string","pattern":"a"},{"type":"string","pattern":"b"}]})",
        R"({"oneOf":[{"required":["a"]},{"required":["b"]}]})",
        R"({"oneOf":[{"type":"number","multipleOf":0.5},{"type":"integer","minimum":0}]})",
        R"({"oneOf":[{"type":"string","maxLength":9999},
                     {"type":"string","pattern":"^a{4500}$"}]})"}) {
    EXPECT_NE(error_of(schema).find("oneOf: expected alternatives that exclude"), std::string::npos)
        << schema << "\n"
        << error_of(schema);
  }
}

TEST(JsonSchema, all_of_is_merged) {
  check({
      {R"({"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},
                    {"properties":{"a":{"minimum":5},"b":{"type":"null"}}}]})",
       {"{\"a\":5,\"b\":null}", "{\"a\":6}"},
       {"{\"a\":4}", "{\"b\":null}", "{\"a\":5,\"b\":1}"}},
      {R"({"allOf":[{"properties":{"a":{}},"additionalProperties":false},
                    {"properties":{"b":{}}}],"type":"object"})",
       {"{}", "{\"a\":1}"},
       {"{\"b\":1}", "{\"c\":1}"}},
      {R"({"allOf":[{"type":"string","pattern":"a"},{"pattern":"b"},{"maxLength":2}]})",
       {"\"ab\"", "\"ba\""},
       {"\"a\"", "\"abc\""}},
      {R"({"type":"integer","allOf":[{"multipleOf":2},{"multipleOf":3},{"maximum":12}]})",
       {"6", "12", "0", "-6"},
       {"4", "9", "18"}},
      {R"({"allOf":[{"anyOf":[{"type":"null"},{"type":"integer"}]},
                    {"anyOf":[{"type":"integer"},{"type":"string"}]}]})",
       {"1"},
       {"null", "\"\""}},
  });
}

TEST(JsonSchema, references) {
  check({
      {R"({"$defs":{"n":{"type":"integer"},"a/b%~":{"type":"null"}},
           "prefixItems":[{"$ref":"#/$defs/n"},{"$ref":"#/$defs/a~1b%25~0"}],"type":"array"})",
       {"[1,null]"},
       {"[null]", "[1,1]"}},
      {R"({"type":"object","properties":{"v":{"type":"integer"},"next":{"$ref":"#"}},
           "additionalProperties":false})",
       {"{}", "{\"v\":1,\"next\":{\"next\":{\"v\":2}}}"},
       {"{\"next\":1}", "{\"next\":{\"v\":\"\"}}"}},
      {R"({"$defs":{"tree":{"type":"array","items":{"anyOf":[{"$ref":"#/$defs/tree"},
           {"type":"integer"}]}}},"$ref":"#/$defs/tree"})",
       {"[]", "[1,[2,[]],3]"},
       {"1", "[null]", "[[]"}},
      {R"({"definitions":{"n":{"type":"integer"}},"$ref":"#/definitions/n","maximum":3})",
       {"3"},
       {"4"}},
  });
  for (const char* schema :
       {R"({"$ref":"http://example.com/a"})", R"({"$ref":"#/$defs/a"})", R"({"$ref":"#a"})",
        R"({"$ref":"#"})", R"({"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}},
                             "$ref":"#/$defs/a"})",
        R"({"$defs":{"a":{"anyOf":[{"$ref":"#/$defs/a"},{"type":"null"}]}},"$ref":"#/$defs/a"})",
        R"({"$defs":{"a":{"$id":"x","$defs":{"b":{}}}},"$ref":"#/$defs/a/$defs/b"})",
        R"({"$ref":3})"}) {
    EXPECT_NE(error_of(schema), "") << schema;
  }
}

TEST(JsonSchema, what_no_finite_text_meets_is_an_error) {
  for (const char* schema :
       {"false", R"({"not":{}})", R"({"type":[]})",
        R"({"type":"string","minLength":3,"maxLength":2})",
        R"({"type":"object","properties":{"a":{"$ref":"#"}},"required":["a"]})",
        R"({"allOf":[{"type":"string"},{"type":"null"}]})", R"({"type":"integer","enum":["a"]})"}) {
    EXPECT_EQ(error_of(schema),
              "schema: expected something that a finite text can meet, found what no text meets")
        << schema;
  }
  // A part that nothing meets takes away only what needs it.
  check({{R"({"type":"object","properties":{"a":false,"b":{"type":"null"}},
              "additionalProperties":false})",
          {"{}", "{\"b\":null}"},
          {"{\"a\":1}"}}});
}

TEST(JsonSchema, what_is_not_supported_is_named) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"if":{},"then":{}})", "schema.if: "},
      {R"({"not":{"type":"string"}})", "schema.not: "},
      {R"({"contains":{}})", "schema.contains: "},
      {R"({"uniqueItems":true})", "schema.uniqueItems: "},
      {R"({"dependentRequired":{}})", "schema.dependentRequired: "},
      {R"({"dependentSchemas":{}})", "schema.dependentSchemas: "},
      {R"({"unevaluatedProperties":false})", "schema.unevaluatedProperties: "},
      {R"({"$dynamicRef":"#"})", "schema.$dynamicRef: "},
      {R"({"$anchor":"a"})", "schema.$anchor: "},
      {R"({"format":"iri"})", "schema.format: "},
      {R"({"minimun":1})", "schema.minimun: "},
      {R"({"properties":{"a":{"items":{"pattern":"(?=a)b"}}}})",
       "schema.properties.a.items.pattern: "},
      {R"({"properties":{"a":{"type":"strin"}}})", "schema.properties.a.type: "},
      {R"({"type":"array","items":[{}]})", "schema.items: "},
      {R"({"properties":{"a":{"$id":"b"}}})", "schema.properties.a.$id: "},
      {R"({"minLength":-1})", "schema.minLength: "},
      {R"({"multipleOf":0})", "schema.multipleOf: "},
      {R"({"required":[1]})", "schema.required: "},
      {R"({"type":"string","minLength":5000})", "schema.minLength: "},
      {R"({"allOf":[]})", "schema.allOf: "},
      {R"({"type":1})", "schema.type: "},
      {"[]", "schema: "},
      {"{\"a\":", "schema: "},
  };
  for (const auto& [schema, place] : cases) {
    EXPECT_TRUE(error_of(schema).starts_with(place)) << schema << "\n" << error_of(schema);
  }
}

TEST(JsonSchema, limits) {
  std::string deep = "{}";
  for (int i = 0; i < 500; ++i) deep = R"({"type":"array","items":)" + deep + "}";
  EXPECT_EQ(error_of(deep), "");  // nesting of schemas costs no stack
  std::string value = "1";
  for (int i = 0; i < 500; ++i) value = "[" + value + "]";
  EXPECT_NE(error_of(R"({"const":)" + value + "}").find("levels"), std::string::npos);
  EXPECT_NE(error_of(R"({"type":"array","minItems":1000000000})").find("states"),
            std::string::npos);
  std::string choices = R"({"allOf":[)";
  for (int i = 0; i < 30; ++i) {
    choices += R"({"anyOf":[{"minLength":)" + std::to_string(i) + R"(},{"maxLength":)" +
               std::to_string(100 + i) + "}]},";
  }
  choices.back() = ']';
  EXPECT_NE(error_of(choices + "}").find("alternatives"), std::string::npos);
  EXPECT_NE(error_of(std::string(300'000, ' ')).find("bytes"), std::string::npos);
  EXPECT_EQ(error_of(R"({"type":"string","maxLength":1000000})"), "");
}

TEST(JsonObject, any_object) {
  const auto grammar = compile_json_object();
  for (const char* text : {"{}", "{\"a\": [1, {\"b\": null}], \"c\": \"\\u0007\"}"}) {
    EXPECT_TRUE(testing::accepts(grammar, text)) << text;
  }
  for (const char* text : {"[]", "1", "{\"a\":}", "{} ", " {}", "{\"a\":1 ,\"b\":2}"}) {
    EXPECT_FALSE(testing::accepts(grammar, text)) << text;
  }
  std::string deep = "{\"a\":" + std::string(20, '[') + std::string(20, ']') + "}";
  EXPECT_FALSE(testing::accepts(grammar, deep));
}

}  // namespace
}  // namespace minke
