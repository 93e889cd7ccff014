#pragma once

#include <string>
#include <string_view>

namespace minke {

// `text` for HTML and SVG, inside elements and quoted attributes. Bytes that are not UTF-8 and
// control characters are spelled out.
std::string html_escape(std::string_view text);

// A whole page that needs no network: `title` as text, which is its heading too, then `body`, which
// is HTML. The style that reports share is in it, for light and dark, and behind it `style`, CSS.
std::string html_page(std::string_view title, std::string_view style, std::string_view body);

}  // namespace minke
