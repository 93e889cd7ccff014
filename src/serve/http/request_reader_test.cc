#include "serve/http/request_reader.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/core/rng.h"
#include "serve/http/http_text.h"

namespace minke {
namespace {

using Stage = RequestReader::Stage;

constexpr RequestLimits kLimits = {1024, 64};

// What becomes of bytes that come in pieces of the sizes that `next` gives.
template <typename Next>
std::string outcome(std::string_view bytes, Next next, const RequestLimits& limits = kLimits) {
  RequestReader reader(limits);
  std::string pending;
  for (;;) {
    pending.erase(0, reader.add(pending));
    if (reader.stage() == Stage::kHeadDone) continue;
    if (reader.stage() == Stage::kFailed) {
      const HttpFault& fault = reader.fault();
      return fmt::format("{} {}: {}", fault.status, fault.code, fault.message);
    }
    if (reader.stage() == Stage::kDone) break;
    if (bytes.empty()) return "incomplete";
    const size_t size = std::min<size_t>(std::max<size_t>(next(), 1), bytes.size());
    pending += bytes.substr(0, size);
    bytes.remove_prefix(size);
  }
  const bool http10 = reader.http10();
  const bool keep_alive = reader.keep_alive();
  const HttpRequest request = reader.take();
  std::string text =
      fmt::format("{}|{}|{}|{}|{}|{}", request.method, request.path, request.query, request.body,
                  http10 ? "1.0" : "1.1", keep_alive ? "keep" : "close");
  for (const auto& [name, value] : request.headers) text += fmt::format("|{}={}", name, value);
  return text + "|left " + pending + std::string(bytes);
}

std::string whole(std::string_view bytes, const RequestLimits& limits = kLimits) {
  return outcome(
      bytes, [&] { return bytes.size(); }, limits);
}

int status_of(std::string_view bytes) {
  const std::string text = whole(bytes);
  return text.size() > 4 && text[3] == ' ' && text[0] >= '4' ? std::stoi(text.substr(0, 3)) : 0;
}

constexpr std::string_view kGood[] = {
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\n\r\nGET /%C3%A9%20b?q=%41 HTTP/1.1\r\nHost: a\r\nX-Two: 1\r\nx-two:  2 \r\n\r\nmore",
    "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /",
    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    "3;name=\"v\"\r\nabc\r\n02\r\nde\r\n0\r\nX-Sum: 1\r\nHost: other\r\n\r\nnext",
    "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET /old HTTP/1.0\r\n\r\n",
    "GET http://A.example:80/p?q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"};

TEST(RequestReader, reads_what_is_there) {
  EXPECT_EQ(whole(kGood[0]), "GET|/|||1.1|keep|host=a|left ");
  EXPECT_EQ(whole(kGood[1]), "GET|/\u00e9 b|q=%41||1.1|keep|host=a|x-two=1, 2|left more");
  EXPECT_EQ(whole(kGood[2]), "POST|/x||hello|1.1|keep|host=a|content-length=5|left GET /");
  EXPECT_EQ(whole(kGood[3]), "POST|/x||abcde|1.1|keep|host=a|transfer-encoding=chunked|left next");
  EXPECT_EQ(whole(kGood[4]), "POST|/x|||1.1|keep|host=a|transfer-encoding=chunked|left ");
  EXPECT_EQ(whole(kGood[5]), "GET|/old|||1.0|close|left ");
  EXPECT_EQ(whole(kGood[6]), "GET|/p|q||1.1|close|host=a|connection=close|left ");
  EXPECT_EQ(whole(kGood[7]), "OPTIONS|*|||1.1|keep|host=a|left ");
}

struct Bad {
  int status;
  std::string_view bytes;
};

constexpr std::string_view kNul("GET /a\0b HTTP/1.1\r\n", 20);

constexpr Bad kBad[] = {
    {400, "GET / HTTP/1.1\n\n"},
    {400, "GET / HTTP/1.1\rHost: a\r\n\r\n"},
    {400, "\x16\x03\x01\x02"},
    {400, kNul},
    {400, "GET /\r\n\r\n"},
    {400, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"},
    {400, "G(T / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, " GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a\r\n: 1\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n folded\r\n\r\n"},
    {400, "GET / HTTP/1.1\r\nHost: a\r\nX: a\x01z\r\n\r\n"},
    {400, "GET /%0d%0aSet-Cookie:x HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET /%4 HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET /%ff HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET /a/%2e%2e/b HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET /.. HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET /#part HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET name HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET http:///p HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx"},
    {400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\nx"},
    {400,
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
    {501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
    {501, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
    {417, "POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n"},
    {400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n"},
    {400,
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcde\r\n0\r\n\r\n"},
    {400,
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "fffffffffffffffff\r\nabc\r\n"},
    {413, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n41\r\nx"},
    {413,
     "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
     "8000000000000000\r\n"},
    {413, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 65\r\n\r\n"}};

TEST(RequestReader, refuses_what_could_be_read_in_two_ways) {
  for (const Bad& bad : kBad) EXPECT_EQ(status_of(bad.bytes), bad.status) << bad.bytes;
}

TEST(RequestReader, the_outcome_does_not_depend_on_the_pieces) {
  Rng rng(7);
  const auto check = [&](std::string_view bytes) {
    const std::string expected = whole(bytes);
    // What follows a fault may have been looked at or not, but a request ends where it ends.
    EXPECT_EQ(outcome(bytes, [] { return 1; }), expected) << bytes;
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(outcome(bytes, [&] { return rng.next() % 9; }), expected) << bytes;
    }
  };
  for (const std::string_view bytes : kGood) check(bytes);
  for (const Bad& bad : kBad) check(bad.bytes);
}

TEST(RequestReader, bounds_every_part_of_a_request) {
  const std::string line = "GET /" + std::string(2000, 'a');
  EXPECT_EQ(status_of(line), 431);
  std::string headers = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 150; ++i) headers += fmt::format("X{}: 1\r\n", i);
  EXPECT_EQ(status_of(headers), 431);
  EXPECT_EQ(whole(headers + "\r\n", {1 << 16, 0}).substr(0, 3), "431");
  const std::string chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_EQ(status_of(chunked + "1;" + std::string(2000, 'x')), 431);
  EXPECT_EQ(status_of(chunked + "0\r\n" + std::string(2000, 'x')), 431);
  EXPECT_EQ(status_of(chunked + "0\r\nX: " + std::string(1100, 'x') + "\r\n\r\n"), 431);
  std::string blank;
  for (int i = 0; i < 1000; ++i) blank += "\r\n";
  EXPECT_EQ(status_of(blank), 400);
  EXPECT_EQ(status_of(chunked + "20\r\n" + std::string(32, 'x') + "\r\n21\r\n"), 413);
}

TEST(RequestReader, stops_between_head_and_body) {
  RequestReader reader(kLimits);
  const std::string head =
      "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
  EXPECT_EQ(reader.add(head + "xy"), head.size());
  EXPECT_EQ(reader.stage(), Stage::kHeadDone);
  EXPECT_TRUE(reader.expects_continue());
  EXPECT_EQ(reader.add("xy"), 2U);
  EXPECT_EQ(reader.stage(), Stage::kDone);
}

TEST(HttpText, queries_are_decoded) {
  const QueryParameters query = parse_query("a=1&b=x+y%26&&c&a=2&=e");
  const QueryParameters expected = {{"a", "1"}, {"b", "x y&"}, {"c", ""}, {"a", "2"}, {"", "e"}};
  EXPECT_EQ(query, expected);
  EXPECT_EQ(query_value(query, "a"), "1");
  EXPECT_EQ(query_value(query, "d"), std::nullopt);
  for (const char* bad : {"a=%", "a=%1", "a=%0a", "%ff=1"}) {
    EXPECT_THROW(parse_query(bad), std::exception) << bad;
  }
}

TEST(HttpText, dates_are_those_of_rfc_9110) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace minke
