#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

#include "base/core/json.h"

namespace minke {

// Requests are read field by field, and what is wrong is an ApiFailure whose `param` is the way to
// the field ("messages[2].content"): 400 for malformed JSON, a missing field or a value of the
// wrong type, and for fields of the format that this server cannot honour; 422 for values of the
// right type that are out of range, too long or of no known name. null means that the field is
// absent.

// Fields that a request has and nobody reads. Clients learn of them from a header.
class IgnoredFields {
 public:
  // Array indices are left out, so that each kind of field is told once: "messages[].name".
  void add(std::string_view path);
  bool empty() const { return names_.empty(); }
  // The value of x-ignored-params: the first 32 names, with "?" for bytes that names of fields
  // do not have.
  std::string header() const;

 private:
  std::vector<std::string> names_;
  bool more_ = false;
};

// A value of a request and the way to it.
class JsonField {
 public:
  JsonField(simdjson::dom::element element, std::string path)
      : element_(element), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  bool is_string() const { return element_.is_string(); }
  bool is_array() const { return element_.is_array(); }
  bool is_object() const { return element_.is_object(); }
  simdjson::dom::element element() const { return element_; }

  // 400: `what` was expected here.
  [[noreturn]] void expected(std::string_view what) const;
  // 422: the type is right, `what` was expected.
  [[noreturn]] void invalid(std::string_view what) const;
  // 400: `why` this cannot be honoured.
  [[noreturn]] void refused(std::string_view why) const;

  bool boolean() const;
  // Valid UTF-8 of at most `most` bytes; may hold NUL.
  std::string text(size_t most = SIZE_MAX) const;
  // Whole numbers may be written as 3.0.
  int64_t integer(int64_t least, int64_t most) const;
  // Any 64 bits, written signed or not.
  uint64_t seed() const;
  double number(double least, double most) const;
  std::string_view one_of(std::initializer_list<std::string_view> names) const;
  std::vector<JsonField> items(size_t most) const;
  // An array of at most `most` integers from 0 to 2^31 - 1.
  std::vector<int32_t> ids(size_t most) const;
  // The value as JSON without blanks.
  std::string json() const { return simdjson::minify(element_); }

 private:
  simdjson::dom::element element_;
  std::string path_;
};

// An object of a request. Members are asked for by name, and close() notes the others as ignored.
class JsonObject {
 public:
  static constexpr size_t kMostMembers = 4096;

  // 400 if it is no object, or if a name stands in it twice; 422 for more members than
  // kMostMembers.
  JsonObject(const JsonField& field, IgnoredFields& ignored);

  // Nothing if the member is absent or null.
  std::optional<JsonField> get(std::string_view name);
  // 400 if the member is absent or null.
  JsonField need(std::string_view name);
  // 400 if the member is there: `why` it cannot be honoured.
  void refuse(std::string_view name, std::string_view why);
  bool boolean_or(std::string_view name, bool fallback);
  // All members but null ones, read with this.
  std::vector<std::pair<std::string, JsonField>> all();
  void close();

  std::string path_of(std::string_view name) const;

 private:
  struct Member {
    std::string_view name;
    simdjson::dom::element value;
    bool read = false;
  };
  Member* find(std::string_view name);

  std::string path_;
  std::vector<Member> members_;  // sorted by name
  IgnoredFields* ignored_;
};

// The body of a request. 400 if it is not JSON.
JsonDocument parse_request(std::string_view body);

}  // namespace minke
