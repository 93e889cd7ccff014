#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace minke {

// One request, as the audit log remembers it.
struct AuditRecord {
  double time = 0;   // seconds since 1970
  std::string id;    // of the request, as its answer says
  std::string key;   // name of the key
  std::string user;  // that the client named, "" if it did not
  std::string peer;  // address of the client, "" if nobody waited for the answer
  std::string endpoint;
  std::string model;
  int64_t prompt_tokens = 0, completion_tokens = 0, cached_tokens = 0;
  double seconds = 0;
  int status = 0;
  std::string prompt, answer;      // remembered as hashes; themselves only where that is asked for
  std::string prompt_sha256 = {};  // content_sha256(prompt), where that itself was let go
};

// A place in a chain: the record that was written last.
struct AuditLink {
  int64_t number = 0;  // from 1; 0: the chain is empty
  std::string hash = std::string(64, '0');
};

// A line of an audit log, without its newline, is one JSON object:
//   {"n":7,"prev":"<hash of record 6>","time":...,<fields>,"hash":"<hash>"<content>}
// The hash is SHA-256 of the line's bytes before `,"hash":`. <content> is nothing, or
// ,"prompt":...,"answer":... of what the hashes prompt_sha256 and answer_sha256 among the fields
// were made: it can be taken away later without breaking the chain. Bytes that are not UTF-8 are
// replaced by U+FFFD before they are hashed.

// The hash of a prompt or an answer, as hexadecimal digits.
std::string content_sha256(std::string_view text);

struct AuditText {
  std::string line;
  AuditLink link;  // the place that the line has in the chain
};

// The line that follows `previous`. With `content` the record must have its prompt.
AuditText audit_line(const AuditLink& previous, const AuditRecord& record, bool content);

// The line that says that `bytes`, an end of the log that was not a whole line, were set apart in
// the file called `file`.
AuditText audit_torn_line(const AuditLink& previous, double time, std::string_view bytes,
                          std::string_view file);

// The number and hash that a line says of itself, and the hash of the one before.
struct AuditLine {
  AuditLink link;
  std::string previous;
};
// Throws Error, begun by `where`, for a line that is none, that does not have the hash it says, or
// whose content does not have the hashes it says.
AuditLine read_audit_line(std::string_view line, const std::string& where);

}  // namespace minke
