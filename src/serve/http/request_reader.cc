#include "serve/http/request_reader.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>

#include "base/core/check.h"
#include "base/core/error.h"
#include "serve/http/http_text.h"

namespace minke {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;

// Browsers send about 20.
constexpr size_t kMostHeaders = 100;
// "0\r\n\r\n", the least that follows wherever the line of a chunk may begin. The parser is not
// asked before: it expects as much once it has seen the last chunk's line.
constexpr size_t kLeastChunkBytes = 5;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// Where two values would leave it open which one holds.
bool is_single(std::string_view name) {
  constexpr std::string_view kSingle[] = {"host",          "content-length", "transfer-encoding",
                                          "authorization", "content-type",   "origin",
                                          "expect"};
  return std::find(std::begin(kSingle), std::end(kSingle), name) != std::end(kSingle);
}

bool has_dot_dot(std::string_view path) {
  return path.find("/../") != std::string_view::npos || path.ends_with("/..");
}

// Takes what Beast's parser finds in a request.
class RequestParser final : public http::basic_parser<true> {
 public:
  HttpRequest request;
  std::string authority;
  std::optional<HttpFault> fault;  // more precise than the error that the parser returns
  bool http10 = false;

  void set_fault(int status, std::string code, std::string message) {
    fault = HttpFault{status, std::move(code), std::move(message)};
  }

 private:
  using View = boost::beast::string_view;

  void refuse(error_code& ec, int status, std::string code, std::string message) {
    set_fault(status, std::move(code), std::move(message));
    ec = http::error::bad_field;
  }

  void on_request_impl(http::verb, View method, View target, int version, error_code& ec) override {
    request.method = view(method);
    http10 = version == 10;
    take_target(view(target), ec);
  }

  void take_target(std::string_view target, error_code& ec) {
    const std::string shown = printable(target);
    const size_t scheme = target.find("://");
    if (target.front() != '/' && scheme != std::string_view::npos) {
      const std::string name = lower_ascii(target.substr(0, scheme));
      target.remove_prefix(scheme + 3);
      const size_t end = std::min(target.find_first_of("/?"), target.size());
      authority = target.substr(0, end);
      target.remove_prefix(end);
      if ((name != "http" && name != "https") || authority.empty()) {
        return refuse(ec, 400, "bad_target",
                      fmt::format("expected a path as the request's target, found \"{}\"", shown));
      }
    }
    const size_t question = std::min(target.find('?'), target.size());
    std::string_view path = target.substr(0, question);
    request.query = target.substr(std::min(question + 1, target.size()));
    if (path.empty() && !authority.empty()) path = "/";
    const bool asterisk = path == "*" && request.method == "OPTIONS";
    std::optional<std::string> decoded = percent_decoded(path);
    if (!decoded || (!asterisk && !path.starts_with('/')) || has_dot_dot(*decoded) ||
        target.find('#') != std::string_view::npos) {
      return refuse(ec, 400, "bad_target",
                    fmt::format("expected a path that begins with \"/\", in percent-encoded UTF-8 "
                                "without control characters, \"..\" or \"#\"; found \"{}\"",
                                shown));
    }
    request.path = *std::move(decoded);
  }

  void on_response_impl(int, View, int, error_code&) override {}

  void on_field_impl(http::field, View name_view, View value_view, error_code& ec) override {
    // Trailers come behind the body and are of no use here.
    if (is_header_done()) return;
    const std::string name = lower_ascii(view(name_view));
    const std::string_view value = trim_blanks(view(value_view));
    auto& headers = request.headers;
    const auto same = std::find_if(headers.begin(), headers.end(),
                                   [&](const auto& entry) { return entry.first == name; });
    if (same != headers.end()) {
      if (is_single(name)) {
        return refuse(ec, 400, "bad_header",
                      fmt::format("expected one {} header, found several", name));
      }
      same->second += name == "cookie" ? "; " : ", ";
      same->second += value;
      return;
    }
    if (headers.size() == kMostHeaders) {
      return refuse(ec, 431, "headers_too_large",
                    fmt::format("expected at most {} headers", kMostHeaders));
    }
    headers.emplace_back(name, value);
    check_framing(name, value, ec);
  }

  void check_framing(std::string_view name, std::string_view value, error_code& ec) {
    if (name == "content-length" &&
        (value.empty() || value.find_first_not_of("0123456789") != std::string_view::npos)) {
      return refuse(
          ec, 400, "bad_header",
          fmt::format("Content-Length: expected a number, found \"{}\"", printable(value)));
    }
    if (name != "transfer-encoding") return;
    if (http10) {
      return refuse(ec, 400, "bad_header", "expected no Transfer-Encoding in HTTP/1.0");
    }
    if (lower_ascii(value) != "chunked") {
      refuse(
          ec, 501, "unsupported_transfer_encoding",
          fmt::format("Transfer-Encoding: expected \"chunked\", found \"{}\"", printable(value)));
    }
  }

  void on_header_impl(error_code& ec) override {
    if (!http10 && request.header("host").empty()) {
      return refuse(ec, 400, "bad_header", "expected a Host header");
    }
    if (const std::string_view expect = request.header("expect");
        !expect.empty() && lower_ascii(expect) != "100-continue") {
      refuse(ec, 417, "unsupported_expectation",
             fmt::format("Expect: expected \"100-continue\", found \"{}\"", printable(expect)));
    }
  }

  void on_body_init_impl(const boost::optional<uint64_t>&, error_code&) override {}

  size_t on_body_impl(View bytes, error_code&) override {
    request.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }

  void on_chunk_header_impl(uint64_t, View, error_code&) override {}

  size_t on_chunk_body_impl(uint64_t, View bytes, error_code& ec) override {
    return on_body_impl(bytes, ec);
  }

  void on_finish_impl(error_code&) override {}
};

}  // namespace

struct RequestReader::Impl {
  explicit Impl(const RequestLimits& limits_of) : limits(limits_of) {
    CHECK(limits.header_bytes >= 256 && limits.header_bytes < (1 << 30) && limits.body_bytes >= 0);
    parser.eager(true);
    parser.header_limit(static_cast<uint32_t>(limits.header_bytes) + 1);
    parser.body_limit(static_cast<uint64_t>(limits.body_bytes));
  }

  void fail_with(int status, std::string code, std::string message) {
    stage = Stage::kFailed;
    parser.set_fault(status, std::move(code), std::move(message));
  }

  void fail_with(const error_code& ec) {
    stage = Stage::kFailed;
    if (parser.fault) return;
    if (ec == http::error::body_limit) {
      fail_with(413, "request_too_large",
                fmt::format("expected a body of at most {} bytes", limits.body_bytes));
    } else if (ec == http::error::need_more || ec == http::error::partial_message) {
      fail_with(400, "bad_request", "expected an HTTP request");
    } else {
      fail_with(400, "bad_request", fmt::format("expected an HTTP request: {}", ec.message()));
    }
  }

  // Looks at the bytes of the head that have not been looked at. True once it is there.
  bool scan_head(std::string_view input);
  size_t add_head(std::string_view input);
  size_t add_body(std::string_view input);

  RequestLimits limits;
  RequestParser parser;
  Stage stage = Stage::kHead;
  bool started = false;
  size_t blank = 0;       // bytes of empty lines before the request
  size_t scanned = 0;     // of the head
  size_t line_start = 0;  // where the line begins that is being scanned
};

bool RequestReader::Impl::scan_head(std::string_view input) {
  for (; scanned < input.size(); ++scanned) {
    const char c = input[scanned];
    const auto byte = static_cast<unsigned char>(c);
    const bool behind_cr = scanned > 0 && input[scanned - 1] == '\r';
    if (scanned >= static_cast<size_t>(limits.header_bytes)) {
      fail_with(431, "headers_too_large",
                fmt::format("expected a head of at most {} bytes", limits.header_bytes));
      return false;
    }
    if (behind_cr != (c == '\n')) {
      fail_with(400, "bad_request", "expected lines that end in CR LF");
      return false;
    }
    if (c == '\n') {
      const bool last = scanned == line_start + 1;
      line_start = scanned + 1;
      if (!last) continue;
      ++scanned;
      return true;
    }
    if ((byte < 0x20 && c != '\t' && c != '\r') || byte == 0x7f) {
      fail_with(400, "bad_request", "expected an HTTP request, found a control character");
      return false;
    }
    if (scanned == line_start && (c == ' ' || c == '\t')) {
      fail_with(400, "bad_request", "expected no line that begins with a space");
      return false;
    }
  }
  return false;
}

size_t RequestReader::Impl::add_head(std::string_view input) {
  size_t used = 0;
  if (!started) {
    // RFC 9112, 2.2: empty lines before a request are not part of it.
    while (input.substr(used).starts_with("\r\n")) used += 2;
    blank += used;
    if (blank > static_cast<size_t>(limits.header_bytes)) {
      fail_with(400, "bad_request", "expected a request, found empty lines");
      return used;
    }
    input.remove_prefix(used);
    if (input.empty() || input == "\r") return used;
    started = true;
  }
  if (!scan_head(input)) return used;
  error_code ec;
  const size_t parsed = parser.put({input.data(), scanned}, ec);
  if (ec || parsed != scanned) {
    fail_with(ec);
    return used + scanned;
  }
  CHECK(parser.is_header_done());
  stage = Stage::kHeadDone;
  return used + parsed;
}

// Chunks are given to the parser through a window, so that the limit of their lines and trailers
// holds in whichever pieces they come.
size_t RequestReader::Impl::add_body(std::string_view input) {
  const size_t least = parser.chunked() ? kLeastChunkBytes : 1;
  const size_t window =
      parser.chunked() ? static_cast<size_t>(limits.header_bytes) : std::string_view::npos;
  size_t used = 0;
  for (;;) {
    const std::string_view part = input.substr(used, window);
    if (part.size() < least) return used;
    error_code ec;
    const size_t taken = parser.put({part.data(), part.size()}, ec);
    used += taken;
    if (ec && ec != http::error::need_more) {
      fail_with(ec);
      return used;
    }
    if (parser.is_done()) {
      stage = Stage::kDone;
      return used;
    }
    if (taken > 0) continue;
    if (part.size() == window) {
      fail_with(431, "headers_too_large",
                fmt::format("expected a chunk's line, and all trailers, of at most {} bytes",
                            limits.header_bytes));
    }
    return used;
  }
}

RequestReader::RequestReader(const RequestLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestReader::~RequestReader() = default;
RequestReader::RequestReader(RequestReader&&) noexcept = default;
RequestReader& RequestReader::operator=(RequestReader&&) noexcept = default;

size_t RequestReader::add(std::string_view input) {
  if (impl_->stage == Stage::kHead) return impl_->add_head(input);
  if (impl_->stage == Stage::kHeadDone) {
    impl_->stage = impl_->parser.is_done() ? Stage::kDone : Stage::kBody;
  }
  return impl_->stage == Stage::kBody ? impl_->add_body(input) : 0;
}

RequestReader::Stage RequestReader::stage() const {
  return impl_->stage;
}

bool RequestReader::started() const {
  return impl_->started;
}

const HttpFault& RequestReader::fault() const {
  CHECK(impl_->stage == Stage::kFailed);
  return *impl_->parser.fault;
}

const HttpRequest& RequestReader::request() const {
  return impl_->parser.request;
}

bool RequestReader::http10() const {
  return impl_->parser.http10;
}

bool RequestReader::keep_alive() const {
  return impl_->parser.is_header_done() && impl_->parser.keep_alive();
}

bool RequestReader::has_body() const {
  return !impl_->parser.is_done();
}

bool RequestReader::expects_continue() const {
  return !impl_->parser.http10 && has_body() && !impl_->parser.request.header("expect").empty();
}

std::string_view RequestReader::authority() const {
  return impl_->parser.authority;
}

HttpRequest RequestReader::take() {
  CHECK(impl_->stage == Stage::kDone);
  return std::move(impl_->parser.request);
}

}  // namespace minke
