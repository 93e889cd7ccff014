#include "serve/api/request_reader.h"

#include <gtest/gtest.h>

#include "serve/api/api_errors.h"
#include "serve/api/openai/fakes.h"

namespace minke {
namespace {

// The error of reading the member "a" of `body` with `read`.
template <typename Read>
ApiError error_in(const std::string& body, const Read& read,
                  ValueStatus status = ValueStatus::kUnprocessable) {
  return error_of([&] {
    const RequestBody parsed = RequestBody::parse(body, status);
    IgnoredFields ignored;
    JsonObject object(parsed.root(), ignored);
    read(object.need("a"));
  });
}

const auto kText = [](const JsonField& field) { field.text(5); };
const auto kInteger = [](const JsonField& field) { field.integer(-3, 1000); };
const auto kNumber = [](const JsonField& field) { field.number(0, 2); };

TEST(RequestReader, what_is_not_json_is_refused) {
  const std::string deep = "{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
  for (const std::string& body :
       {std::string(), std::string("{"), std::string("nul"), std::string("{\"a\":1e999}"),
        std::string("{\"a\":\"\xff\"}"), std::string("{\"a\":\"\\ud800\"}"),
        std::string("{\"a\":\"\\udc00\"}"), std::string("{\"a\":1}x"),
        std::string("{\"a\":\"\0\"}", 9), deep, std::string("{'a':1}"), std::string("{\"a\":NaN}"),
        std::string("{\"a\":01}")}) {
    const ApiError error = error_in(body, kText);
    EXPECT_EQ(error.status, 400) << body.substr(0, 40);
    EXPECT_EQ(error.code, "invalid_json") << body.substr(0, 40);
  }
}

TEST(RequestReader, a_wrong_type_is_400_and_a_wrong_value_422) {
  EXPECT_EQ(error_in("{\"a\":3}", kText).status, 400);
  EXPECT_EQ(error_in("{\"a\":3}", kText).message, "a: expected a string, found 3");
  EXPECT_EQ(error_in("{\"a\":3}", kText).param, "a");
  EXPECT_EQ(error_in("{\"a\":\"123456\"}", kText).status, 422);
  EXPECT_EQ(error_in("{\"a\":\"12345\"}", kText).status, 200);
  EXPECT_EQ(error_in("{\"a\":\"3\"}", kInteger).status, 400);
  EXPECT_EQ(error_in("{\"a\":true}", kInteger).status, 400);
  EXPECT_EQ(error_in("{\"a\":2.5}", kInteger).status, 400);
  EXPECT_EQ(error_in("{\"a\":-4}", kInteger).status, 422);
  EXPECT_EQ(error_in("{\"a\":1001}", kInteger).message,
            "a: expected an integer from -3 to 1000, found 1001");
  EXPECT_EQ(error_in("{\"a\":2.5}", kNumber).status, 422);
  EXPECT_EQ(error_in("{\"a\":[]}", kNumber).status, 400);
}

TEST(RequestReader, integers_of_any_spelling_and_size) {
  EXPECT_EQ(error_in("{\"a\":3.0}", kInteger).status, 200);
  EXPECT_EQ(error_in("{\"a\":1e2}", kInteger).status, 200);
  EXPECT_EQ(error_in("{\"a\":1e300}", kInteger).status, 422);
  EXPECT_EQ(error_in("{\"a\":18446744073709551615}", kInteger).status, 422);
  EXPECT_EQ(error_in("{\"a\":99999999999999999999999}", kInteger).status, 422);
  const auto seed = [](const char* text) { return RequestBody::parse(text).root().seed(); };
  EXPECT_EQ(seed("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(seed("-1"), UINT64_MAX);
  EXPECT_EQ(seed("1234"), 1234u);
}

TEST(RequestReader, null_is_absent) {
  EXPECT_EQ(error_in("{\"a\":null}", kText).message, "a: expected this field, found nothing");
  EXPECT_EQ(error_in("{}", kText).message, "a: expected this field, found nothing");
}

TEST(RequestReader, nul_is_text) {
  EXPECT_EQ(RequestBody::parse("\"a\\u0000b\"").root().text(), std::string("a\0b", 3));
}

TEST(RequestReader, a_name_that_stands_twice_is_refused) {
  const ApiError error = error_in("{\"b\":1,\"a\":\"x\",\"b\":1}", kText);
  EXPECT_EQ(error.status, 400);
  EXPECT_EQ(error.message, "b: expected this field once, found it twice");
  EXPECT_EQ(error_in(R"({"a": [0, {"b": 1, "c": 2, "b": 1}]})", kText).param, "a[1].b");
  EXPECT_EQ(error_in(R"({"a": 1, "\u0061": 1})", kText).param, "a");
}

TEST(RequestReader, arrays_objects_and_names_are_bounded) {
  const auto items = [](const JsonField& field) { field.items(3); };
  const auto ids = [](const JsonField& field) { field.ids(3); };
  EXPECT_EQ(error_in("{\"a\":[1,2,3]}", items).status, 200);
  EXPECT_EQ(error_in("{\"a\":[1,2,3,4]}", items).status, 422);
  EXPECT_EQ(error_in("{\"a\":[1,2,3,4]}", ids).status, 422);
  EXPECT_EQ(error_in("{\"a\":[1,-2]}", ids).param, "a[1]");
  EXPECT_EQ(error_in("{\"a\":[1,2147483648]}", ids).status, 422);
  EXPECT_EQ(error_in("{\"a\":[1,\"2\"]}", ids).status, 400);
  EXPECT_EQ(error_in("{\"a\":{}}", items).status, 400);
  std::string many = "{\"a\":1";
  for (size_t i = 0; i < JsonObject::kMostMembers; ++i) many += ",\"" + std::to_string(i) + "\":1";
  EXPECT_EQ(error_in(many + "}", kInteger).status, 422);
  const auto known = [](const JsonField& field) { field.one_of({"x", "y"}); };
  EXPECT_EQ(error_in("{\"a\":\"y\"}", known).status, 200);
  EXPECT_EQ(error_in("{\"a\":\"z\"}", known).message,
            "a: expected one of \"x\", \"y\", found \"z\"");
  EXPECT_EQ(error_in("{\"a\":\"z\"}", known).status, 422);
}

TEST(RequestReader, formats_choose_the_status_of_wrong_values_alone) {
  const auto items = [](const JsonField& field) { field.items(1); };
  const auto inner = [](const JsonField& field) { field.need("b").integer(0, 3); };
  for (const ValueStatus status : {ValueStatus::kBadRequest, ValueStatus::kUnprocessable}) {
    const int expected = static_cast<int>(status);
    EXPECT_EQ(error_in("{\"a\":\"123456\"}", kText, status).status, expected);
    EXPECT_EQ(error_in("{\"a\":[1,2]}", items, status).status, expected);
    EXPECT_EQ(error_in("{\"a\":{\"b\":4}}", inner, status).status, expected);
    EXPECT_EQ(error_in("{\"a\":{\"b\":4}}", inner, status).param, "a.b");
    EXPECT_EQ(error_in("{\"a\":{\"b\":\"\"}}", inner, status).status, 400);
    EXPECT_EQ(error_in("{}", inner, status).status, 400);
  }
}

TEST(RequestReader, members_names_and_texts_of_at_least) {
  const auto members = [](const JsonField& field) { field.members(1); };
  EXPECT_EQ(error_in(R"({"a": {"b": 1, "c": null}})", members).status, 200);
  EXPECT_EQ(error_in(R"({"a": {"b": 1, "c": 1}})", members).message,
            "a: expected at most 1 members, found more");
  EXPECT_EQ(error_in(R"({"a": [1]})", members).message, "a: expected an object, found an array");
  const auto name = [](const JsonField& field) { field.name(3); };
  EXPECT_EQ(error_in(R"({"a": "x-_"})", name).status, 200);
  for (const char* wrong :
       {R"({"a": "x y"})", R"({"a": ""})", R"({"a": "x\u0000"})", R"({"a": "long"})"}) {
    EXPECT_EQ(error_in(wrong, name).status, 422) << wrong;
  }
  const auto text = [](const JsonField& field) { field.text(1, 2); };
  EXPECT_EQ(error_in(R"({"a": "zzz"})", text).message, "a: expected 1 to 2 bytes, found 3");
  const auto type = [](const JsonField& field) { field.refused_type("parts"); };
  EXPECT_EQ(error_in(R"({"a": {"type": "x"}})", type).message,
            "a.type: parts of type \"x\" are not supported");
}

TEST(RequestReader, fields_that_nobody_reads_are_told_once_and_safely) {
  IgnoredFields ignored;
  const RequestBody parsed = RequestBody::parse(
      "{\"list\":[{\"x\":1,\"y\":1},{\"y\":2}],\"n\\r\\nX: y\":1,\"gone\":null}");
  JsonObject object(parsed.root(), ignored);
  for (const JsonField& item : object.need("list").items(10)) {
    JsonObject inner(item, ignored);
    inner.get("x");
    inner.close();
  }
  object.close();
  EXPECT_EQ(ignored.header(), "list[].y, n??X??y");
  for (int i = 0; i < 100; ++i) ignored.add("field" + std::to_string(i));
  EXPECT_LT(ignored.header().size(), 600u);
  EXPECT_TRUE(ignored.header().ends_with(", ..."));
}

TEST(ApiErrors, exceptions_become_errors) {
  const auto error = [](const auto& thrown) {
    try {
      throw thrown;
    } catch (...) {
      return api_error_of(std::current_exception());
    }
  };
  EXPECT_EQ(error(ApiFailure(api_error(422, "m", "p", "c"))).param, "p");
  EXPECT_EQ(error(Engine::Refused("queue: full")).status, 429);
  EXPECT_EQ(error(Error("prompt: too long")).status, 400);
  EXPECT_EQ(error(Error("prompt: too long")).message, "prompt: too long");
  EXPECT_EQ(error(std::runtime_error("secret")).status, 500);
  EXPECT_EQ(error(std::runtime_error("secret")).message.find("secret"), std::string::npos);
  EXPECT_EQ(error(5).status, 500);
}

TEST(ApiErrors, responses_say_whether_to_try_again) {
  ApiError busy = api_error(503, "full");
  busy.retry_after = 1.2;
  const HttpResponse response = openai_error(busy);
  EXPECT_EQ(response.status, 503);
  const HttpHeaders expected = {{"Retry-After", "2"}, {"x-should-retry", "true"}};
  EXPECT_EQ(response.headers, expected);
  const HttpHeaders final_headers = {{"x-should-retry", "false"}};
  EXPECT_EQ(retry_headers(api_error(500, "")), final_headers);
  EXPECT_EQ(http_status(api_error(200, "")), 500);
  EXPECT_EQ(openai_error_body(api_error(400, "bad \xff")),
            "{\"error\":{\"message\":\"bad \xEF\xBF\xBD\",\"type\":\"invalid_request_error\","
            "\"param\":null,\"code\":null}}");
  EXPECT_EQ(openai_error_body(api_error(404, "m", "model", "model_not_found")),
            "{\"error\":{\"message\":\"m\",\"type\":\"not_found_error\",\"param\":\"model\","
            "\"code\":\"model_not_found\"}}");
}

}  // namespace
}  // namespace minke
