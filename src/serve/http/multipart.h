#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace minke {

// A field of a form that came as multipart/form-data (RFC 7578).
struct FormPart {
  std::string name;
  std::optional<std::string> filename;  // of a part that is a file
  std::string content_type;             // as the part says, "" if it does not
  std::string_view content;             // lies in the body that was read
};

struct FormLimits {
  size_t parts = 32;
  size_t header_bytes = 4096;  // of one part
};

// The parts of `body`, in their order; names may stand more than once. `content_type`: of the
// request. Nothing may stand before the first boundary, and at most a line break behind the last.
// Throws Error for all that is not such a form: another content type, a body that is cut off or has
// the boundary within a part, a part without a name, more parts or longer headers than `limits`.
std::vector<FormPart> read_form(std::string_view content_type, std::string_view body,
                                const FormLimits& limits = {});

}  // namespace minke
