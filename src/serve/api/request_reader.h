#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <simdjson.h>

#include "base/core/json.h"

namespace minke {

// Requests are read field by field, and what is wrong is an ApiFailure whose `param` is the way to
// the field ("messages[2].content"): 400 for malformed JSON, a missing field or a value of the
// wrong type, and for fields of the format that this server cannot honour; ValueStatus for values
// of the right type that are out of range, too long or of no known name. null means that the field
// is absent.

// Formats differ in it: see the table of statuses in docs/api.md.
enum class ValueStatus : int { kBadRequest = 400, kUnprocessable = 422 };

// Fields that a request has and nobody reads. Clients learn of them from a header.
class IgnoredFields {
 public:
  // Array indices are left out, so that each kind of field is told once: "messages[].name".
  void add(std::string_view path);
  bool empty() const { return names_.empty(); }
  const std::vector<std::string>& names() const { return names_; }
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
  JsonField(simdjson::dom::element element, std::string path, ValueStatus status)
      : element_(element), path_(std::move(path)), status_(status) {}

  const std::string& path() const { return path_; }
  bool is_string() const { return element_.is_string(); }
  bool is_array() const { return element_.is_array(); }
  bool is_object() const { return element_.is_object(); }
  simdjson::dom::element element() const { return element_; }

  // 400: `what` was expected here.
  [[noreturn]] void expected(std::string_view what) const;
  // ValueStatus: the type is right, `what` was expected.
  [[noreturn]] void invalid(std::string_view what) const;
  // 400: `why` this cannot be honoured.
  [[noreturn]] void refused(std::string_view why) const;
  // 400: `what` has the type that the member "type" of this object says, which is not supported.
  [[noreturn]] void refused_type(std::string_view what) const;

  // A member of this object; nothing if it is absent or null.
  std::optional<JsonField> get(std::string_view name) const;
  // 400 if the member is absent or null.
  JsonField need(std::string_view name) const;
  // The members of this object that are not null.
  std::vector<std::pair<std::string, JsonField>> members(size_t most) const;

  bool boolean() const;
  // Valid UTF-8 of at most `most` bytes; may hold NUL.
  std::string text(size_t most = SIZE_MAX) const;
  std::string text(size_t least, size_t most) const;
  // Whole numbers may be written as 3.0.
  int64_t integer(int64_t least, int64_t most) const;
  // Any 64 bits, written signed or not.
  uint64_t seed() const;
  double number(double least, double most) const;
  std::string_view one_of(std::initializer_list<std::string_view> names) const;
  // A name of 1 to `most` letters, digits, "_" and "-".
  std::string name(size_t most) const;
  std::vector<JsonField> items(size_t most) const;
  // An array of at most `most` integers from 0 to 2^31 - 1.
  std::vector<int32_t> ids(size_t most) const;
  // This object as JSON without blanks.
  std::string object_json() const;

 private:
  friend class JsonObject;
  [[noreturn]] void fail_value(const std::string& message) const;
  simdjson::dom::object object() const;
  JsonField member(std::string_view name, simdjson::dom::element value) const;
  JsonField item(size_t index, simdjson::dom::element value) const;

  simdjson::dom::element element_;
  std::string path_;  // "": the request itself
  ValueStatus status_;
};

// An object of a request. Members are asked for by name, and close() notes the others as ignored.
class JsonObject {
 public:
  static constexpr size_t kMostMembers = 4096;

  // 400 if it is no object; ValueStatus for more members than kMostMembers.
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

  JsonField field_;
  std::vector<Member> members_;  // sorted by name
  IgnoredFields* ignored_;
};

// The body of a request, in which no field stands twice: what is read of one that does depends on
// the reader, so that two programs in a row may see different requests.
class RequestBody {
 public:
  // 400 if it is not JSON or if a field stands in it twice.
  static RequestBody parse(std::string_view body, ValueStatus status = ValueStatus::kUnprocessable);

  JsonField root() const { return {document_.root(), "", status_}; }

 private:
  RequestBody(JsonDocument document, ValueStatus status)
      : document_(std::move(document)), status_(status) {}

  JsonDocument document_;
  ValueStatus status_;
};

}  // namespace minke
