#include "learn/train/report/html_page.h"

#include <fmt/format.h>

#include "base/core/error.h"

namespace minke {
namespace {

constexpr std::string_view kStyle =
    R"(body{font:1rem/1.5 system-ui,sans-serif;max-width:66rem;margin:0 auto;padding:1rem;
  color:#1b1b1b;background:#fff}
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}}
h1{font-size:1.4rem;overflow-wrap:anywhere}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{vertical-align:top;font-weight:400}
thead th{font-weight:600}.wide{overflow-x:auto}summary{cursor:pointer}
)";

}  // namespace

std::string html_escape(std::string_view text) {
  // printable() takes what is no text; lines and tabs are text here.
  std::string escaped, line;
  const auto flush = [&] {
    for (const char c : printable(line, line.size())) {
      switch (c) {
        case '&':
          escaped += "&amp;";
          break;
        case '<':
          escaped += "&lt;";
          break;
        case '>':
          escaped += "&gt;";
          break;
        case '"':
          escaped += "&quot;";
          break;
        case '\'':
          escaped += "&#39;";
          break;
        default:
          escaped += c;
      }
    }
    line.clear();
  };
  for (const char c : text) {
    if (c == '\n' || c == '\t') {
      flush();
      escaped += c;
    } else {
      line += c;
    }
  }
  flush();
  return escaped;
}

std::string html_page(std::string_view title, std::string_view style, std::string_view body) {
  const std::string safe = html_escape(title);
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n"
      "<style>\n{}{}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n{}</main>\n</body>\n</html>\n",
      safe, kStyle, style, safe, body);
}

}  // namespace minke
