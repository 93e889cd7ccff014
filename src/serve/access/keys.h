#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "serve/access/clock.h"
#include "serve/access/private_file.h"

namespace minke {

// What a key may do. A role does not include another.
enum class KeyRole {
  kUser,     // ask for replies, and see its own files and batches
  kMetrics,  // read the metrics
};
// "user", "metrics"
std::string_view key_role_name(KeyRole role);
// Throws Error, begun by `where`, for another text.
KeyRole key_role_named(std::string_view name, const std::string& where);

// 0: no limit.
struct KeyLimits {
  int64_t requests_per_minute = 0;
  int64_t tokens_per_minute = 0;
  int64_t tokens_per_day = 0;  // of UTC
  int64_t concurrent_requests = 0;
};

struct ApiKey {
  std::string name;    // 1 to 64 of A-Z a-z 0-9 . _ @ -
  std::string sha256;  // of the text that a client presents; that text is kept nowhere
  std::vector<KeyRole> roles = {KeyRole::kUser};
  KeyLimits limits;
  int64_t created = 0;  // seconds since 1970
  int64_t expires = 0;  // 0: never

  bool may(KeyRole role) const;
};

// A file of keys is one JSON object, {"keys": [{"name": "ann", "sha256": "...", "roles": ["user"],
// "created": 1795350000, "tokens_per_day": 100000}, ...]}, with the fields of ApiKey and KeyLimits;
// numbers may be absent. A field that is not known is an error: a misspelt limit would limit
// nothing. The file must be of mode 0600.

// Throws Error that names the file, the key and the field.
std::vector<ApiKey> read_keys(const std::filesystem::path& path);

// Adds a key to the file, which is made if it is not there, and returns what the client is to
// present: "mk-" and 64 hexadecimal digits, 256 random bits. `key.sha256` is not looked at. Throws
// Error if the name is taken, if a field cannot be, or if the file cannot be used.
std::string add_key(const std::filesystem::path& path, ApiKey key);

// False if there is no key of that name.
bool revoke_key(const std::filesystem::path& path, std::string_view name);

// The keys of a file, renewed when the file changes; looked at no more than once a second. All
// functions may be called from any thread.
class KeyRing {
 public:
  // Throws Error for a file that cannot be used.
  explicit KeyRing(std::filesystem::path path, Clock clock = unix_seconds);

  // Whose key `presented` is; null if it is nobody's or has expired. Every key of the ring is
  // compared in full, whichever it is.
  std::shared_ptr<const ApiKey> find(std::string_view presented);

  // The key of this name; null if there is none or it has expired. For work that a key has left
  // behind, and that goes on only as long as the key is good.
  std::shared_ptr<const ApiKey> named(std::string_view name);

  // Why the file could not be read when it last changed, "" if it could. Until it can, the keys
  // that were read before go on.
  std::string problem() const;

 private:
  using Keys = std::vector<ApiKey>;
  std::shared_ptr<const Keys> current();
  bool has_expired(const ApiKey& key) const;

  std::filesystem::path path_;
  Clock clock_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Keys> keys_;
  FileStamp stamp_;
  double looked_ = 0;
  std::string problem_;
};

}  // namespace minke
