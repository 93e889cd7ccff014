#pragma once

#include <string>
#include <string_view>

namespace minke {

// `token` as a part of a JSON pointer, and back.
std::string pointer_escaped(std::string_view token);
std::string pointer_unescaped(std::string_view token);

// A fragment of a URI without its %xx.
std::string fragment_decoded(std::string_view text);

// A JSON pointer as errors write it: "schema.a.b".
std::string schema_place(std::string_view pointer);

}  // namespace minke
