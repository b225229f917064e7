#include "runtime/control/http1.h"

#include <catch2/catch.hpp>

namespace march::control {
namespace {

const std::string kGet = "GET / HTTP/1.1\r\nHost: x\r\n";

// "STATUS reason", or "" for an accepted head.
std::string Refused(const std::string& bytes) {
  const auto found = FindHead(bytes);
  if (const auto* refusal = std::get_if<Refusal>(&found)) {
    return std::to_string(refusal->status) + " " + refusal->reason;
  }
  if (std::holds_alternative<Incomplete>(found)) return "incomplete";
  const auto parsed = ParseHead(std::string_view(bytes).substr(0, std::get<std::size_t>(found)));
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) {
    return std::to_string(refusal->status) + " " + refusal->reason;
  }
  return {};
}

std::string RefusedHeader(const std::string& line) {
  return Refused(kGet + line + "\r\n\r\n");
}

TEST_CASE("a good head is taken apart") {
  const std::string bytes =
      "POST /v1/bundles?x=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length:  12\t\r\n"
      "EXPECT: 100-Continue\r\nX-Empty:\r\n\r\nbody";
  const auto found = FindHead(bytes);
  REQUIRE(std::get<std::size_t>(found) == bytes.size() - 4);
  const auto head = std::get<RequestHead>(
      ParseHead(std::string_view(bytes).substr(0, std::get<std::size_t>(found))));
  CHECK(head.method == "POST");
  CHECK(head.target == "/v1/bundles?x=1");
  CHECK(head.content_length == 12);
  CHECK(head.expects_continue);
  REQUIRE(head.headers.size() == 4);
  CHECK(head.headers[0].value == "localhost");
  CHECK(head.headers[1].value == "12");
  CHECK(head.headers[3].value.empty());
}

TEST_CASE("a head that is not all there yet is waited for") {
  const std::string bytes = kGet + "\r\n";
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK(std::holds_alternative<Incomplete>(FindHead(std::string_view(bytes).substr(0, size))));
  }
  CHECK(Refused(bytes).empty());
}

TEST_CASE("line ends are CRLF, all of them") {
  CHECK(Refused("GET / HTTP/1.1\nHost: x\n\n") == "400 a line does not end in CRLF");
  CHECK(Refused("GET / HTTP/1.1\rHost: x") == "400 a line does not end in CRLF");
  CHECK(Refused("GET / HTTP/1.1\r\nHost: x\r\n\n") == "400 a line does not end in CRLF");
  CHECK(Refused("GET / HTTP/1.1\r\nHost: x\r\r\n\r\n") == "400 a line does not end in CRLF");
  CHECK(Refused("\r\nGET / HTTP/1.1\r\n") == "400 the request starts with an empty line");
}

TEST_CASE("the request line has three parts, each in form") {
  CHECK(Refused("GET /\r\n\r\n") == "400 the request line is not METHOD TARGET VERSION");
  CHECK(Refused("GET  / HTTP/1.1\r\n\r\n") == "400 the request line is not METHOD TARGET VERSION");
  CHECK(Refused("GET / HTTP/1.1 \r\n\r\n") == "400 the request line is not METHOD TARGET VERSION");
  CHECK(Refused("G(T / HTTP/1.1\r\n\r\n") == "400 the method is not a token");
  CHECK(Refused(" / HTTP/1.1\r\n\r\n") == "400 the method is not a token");
  CHECK(Refused("GET x HTTP/1.1\r\n\r\n") == "400 the target does not start with /");
  CHECK(Refused("GET http://x/ HTTP/1.1\r\n\r\n") == "400 the target does not start with /");
  CHECK(Refused("GET /\x7F HTTP/1.1\r\n\r\n") ==
        "400 the target has a character that targets may not have");
  CHECK(Refused("GET /#a HTTP/1.1\r\n\r\n") ==
        "400 the target has a character that targets may not have");
  CHECK(Refused("GET /\xC3\xA9 HTTP/1.1\r\n\r\n") ==
        "400 the target has a character that targets may not have");
  CHECK(Refused("GET / http/1.1\r\n\r\n") == "400 the version is not HTTP/1.1");
  CHECK(Refused("GET / HTTP/11.1\r\n\r\n") == "400 the version is not HTTP/1.1");
  CHECK(Refused("GET / HTTP/1.0\r\n\r\n") == "505 only HTTP/1.1 is spoken here");
  CHECK(Refused("GET / HTTP/2.0\r\n\r\n") == "505 only HTTP/1.1 is spoken here");
}

TEST_CASE("headers are in form") {
  CHECK(RefusedHeader("X: a\r\n b") == "400 a header continues on a second line");
  CHECK(RefusedHeader("\tX: a") == "400 a header continues on a second line");
  CHECK(RefusedHeader("X") == "400 a header has no colon");
  CHECK(RefusedHeader("X : a") == "400 a header's name is not a token");
  CHECK(RefusedHeader(": a") == "400 a header's name is not a token");
  CHECK(RefusedHeader("X\xE9: a") == "400 a header's name is not a token");
  const std::string zero("X: a\0b", 6);
  CHECK(RefusedHeader(zero) == "400 a header's value has a character that values may not have");
  CHECK(RefusedHeader("X: \xFF") ==
        "400 a header's value has a character that values may not have");
}

TEST_CASE("what frames a request is never ambiguous") {
  CHECK(RefusedHeader("Transfer-Encoding: chunked") ==
        "501 transfer encodings are not supported; send a Content-Length");
  CHECK(RefusedHeader("transfer-encoding: xchunked") ==
        "501 transfer encodings are not supported; send a Content-Length");
  CHECK(RefusedHeader("Upgrade: h2c") == "501 upgrades are not supported");
  CHECK(RefusedHeader("Content-Length: 1\r\nContent-Length: 1") ==
        "400 there is more than one Content-Length header");
  for (const char* value : {"", "+1", "-1", "1,1", "0x1", "1 1", "18446744073709551616", "1a"}) {
    CHECK(RefusedHeader(std::string("Content-Length: ") + value) ==
          "400 the Content-Length is not a number");
  }
  CHECK(RefusedHeader("Content-Length: 18446744073709551615").empty());
  CHECK(RefusedHeader("Expect: 200-ok") == "417 the only expectation supported is 100-continue");
}

TEST_CASE("there is one Host") {
  CHECK(Refused("GET / HTTP/1.1\r\n\r\n") == "400 the Host header is missing");
  CHECK(RefusedHeader("host: y") == "400 there is more than one Host header");
  CHECK(Refused("GET / HTTP/1.1\r\nHost:\r\n\r\n").empty());
}

TEST_CASE("a head is at most 16 KiB") {
  const std::string fits = kGet + "X: " + std::string(kMaxHeadBytes - kGet.size() - 7, 'a');
  CHECK(Refused(fits + "\r\n\r\n").empty());
  CHECK(Refused(fits + "a\r\n\r\n") == "431 the head is larger than 16384 bytes");
  CHECK(Refused(std::string(kMaxHeadBytes, 'a')) == "431 the head is larger than 16384 bytes");
}

}  // namespace
}  // namespace march::control
