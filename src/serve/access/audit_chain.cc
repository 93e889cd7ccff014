#include "serve/access/audit_chain.h"

#include <nlohmann/json.hpp>

#include "base/core/check.h"
#include "base/core/error.h"
#include "base/core/json.h"
#include "base/core/utf8.h"
#include "serve/access/clock.h"
#include "serve/access/hash.h"

namespace minke {
namespace {

using Json = nlohmann::ordered_json;

// Stands in a line once before its content: within JSON strings, quotation marks have a backslash.
constexpr std::string_view kHashMark = R"(,"hash":")";

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json begin_line(const AuditLink& previous, double time) {
  return Json{{"n", previous.number + 1}, {"prev", previous.hash}, {"time", utc_time(time)}};
}

AuditText end_line(const AuditLink& previous, const Json& fields, std::string_view content) {
  std::string line = dump(fields);
  line.pop_back();  // the brace
  const std::string hash = sha256_hex(line);
  line = fmt::format("{}{}{}\"{}}}", line, kHashMark, hash, content);
  return {std::move(line), {.number = previous.number + 1, .hash = hash}};
}

std::string content_text(std::string_view prompt, std::string_view answer) {
  return fmt::format(R"(,"prompt":{},"answer":{})", dump(Json(prompt)), dump(Json(answer)));
}

// The string in `key`, "" if there is none.
std::string_view member(const JsonDocument& line, std::string_view key) {
  std::string_view text;
  return line.root()[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

void check_content(const JsonDocument& line, std::string_view content, const std::string& where) {
  const std::string_view prompt = member(line, "prompt");
  const std::string_view answer = member(line, "answer");
  if (content != content_text(prompt, answer)) {
    fail(where, "expected nothing, or a prompt and an answer, behind the hash, found \"{}\"",
         printable(content));
  }
  if (sha256_hex(prompt) != member(line, "prompt_sha256")) {
    fail(where, "the prompt is not the one that was written: its hash differs");
  }
  if (sha256_hex(answer) != member(line, "answer_sha256")) {
    fail(where, "the answer is not the one that was written: its hash differs");
  }
}

}  // namespace

std::string content_sha256(std::string_view text) {
  return sha256_hex(utf8_sanitized(text));
}

AuditText audit_line(const AuditLink& previous, const AuditRecord& record, bool content) {
  CHECK(!content || record.prompt_sha256.empty());
  const std::string prompt = utf8_sanitized(record.prompt);
  const std::string answer = utf8_sanitized(record.answer);
  Json fields = begin_line(previous, record.time);
  fields["event"] = "request";
  fields["id"] = record.id;
  fields["key"] = record.key;
  fields["user"] = record.user;
  fields["peer"] = record.peer;
  fields["endpoint"] = record.endpoint;
  fields["model"] = record.model;
  fields["prompt_tokens"] = record.prompt_tokens;
  fields["completion_tokens"] = record.completion_tokens;
  fields["cached_tokens"] = record.cached_tokens;
  fields["seconds"] = record.seconds;
  fields["status"] = record.status;
  fields["prompt_sha256"] =
      record.prompt_sha256.empty() ? sha256_hex(prompt) : record.prompt_sha256;
  fields["answer_sha256"] = sha256_hex(answer);
  return end_line(previous, fields, content ? content_text(prompt, answer) : "");
}

AuditText audit_torn_line(const AuditLink& previous, double time, std::string_view bytes,
                          std::string_view file) {
  Json fields = begin_line(previous, time);
  fields["event"] = "torn";
  fields["file"] = file;
  fields["bytes"] = bytes.size();
  fields["sha256"] = sha256_hex(bytes);
  return end_line(previous, fields, "");
}

AuditLine read_audit_line(std::string_view line, const std::string& where) {
  const size_t mark = line.find(kHashMark);
  const size_t hash_at = mark + kHashMark.size();
  if (mark == std::string_view::npos || hash_at + kSha256Digits + 2 > line.size() ||
      line[hash_at + kSha256Digits] != '"' || line.back() != '}') {
    fail(where, "expected a record with a hash, found \"{}\"", printable(line));
  }
  const std::string_view hash = line.substr(hash_at, kSha256Digits);
  const std::string found = sha256_hex(line.substr(0, mark));
  if (found != hash) {
    fail(where, "the record was changed: expected hash {}, found {}", printable(hash), found);
  }
  const JsonDocument document = JsonDocument::parse(line, where);
  AuditLine result;
  result.link.hash = hash;
  result.previous = member(document, "prev");
  if (document.root()["n"].get(result.link.number) != simdjson::SUCCESS || result.link.number < 1 ||
      !is_sha256_hex(result.previous)) {
    fail(where, "expected the record's number and the hash before it, found \"{}\"",
         printable(line));
  }
  const size_t content_at = hash_at + kSha256Digits + 1;
  const std::string_view content = line.substr(content_at, line.size() - content_at - 1);
  if (!content.empty()) check_content(document, content, where);
  return result;
}

}  // namespace minke
