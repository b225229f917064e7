#include "runtime/block/prefix.h"

#include <catch2/catch.hpp>

#include "base/print.h"

namespace march::block {
namespace {

std::string Said(const std::string& text) {
  const auto prefix = ParsePrefix(text);
  return prefix.ok() ? prefix->ToString() : TextOf(prefix.diagnostics());
}

TEST_CASE("prefixes are read and written") {
  CHECK(Said("192.0.2.1") == "192.0.2.1");
  CHECK(Said("192.0.2.1/32") == "192.0.2.1");
  CHECK(Said("192.0.2.0/24") == "192.0.2.0/24");
  CHECK(Said("0.0.0.0/0") == "0.0.0.0/0");
  CHECK(Said("2001:DB8:0::/48") == "2001:db8::/48");
  CHECK(Said("2001:db8::1/128") == "2001:db8::1");
  CHECK(Said("2001:db8:0:0:8000::/65") == "2001:db8:0:0:8000::/65");
  CHECK(Said("::/0") == "::/0");
  CHECK(ParsePrefix("10.1.2.3")->lo == 0x0A010203);
  CHECK(ParsePrefix("2001:db8::1")->hi == 0x20010DB800000000);
  CHECK(ParsePrefix("2001:db8::1")->lo == 1);
}

TEST_CASE("what is no prefix is refused, with what to write") {
  CHECK(Said("192.0.2") ==
        "error[M0707]: \"192.0.2\" is no IP address or prefix\n"
        "  hint: write 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/32\n");
  CHECK(Said("192.0.2.1/24") ==
        "error[M0707]: \"192.0.2.1/24\" has bits set behind its length\n"
        "  hint: the prefix is 192.0.2.0/24\n");
  CHECK(Said("2001:db8::1/64") ==
        "error[M0707]: \"2001:db8::1/64\" has bits set behind its length\n"
        "  hint: the prefix is 2001:db8::/64\n");
  CHECK(Said("192.0.2.0/33") ==
        "error[M0707]: \"192.0.2.0/33\" has no possible length\n"
        "  hint: a length is from 0 to 32\n");
  for (const char* text : {"", "/", "/8", "1.2.3.4/", "1.2.3.4/a", "1.2.3.4/08", "1.2.3.4/-1",
                           "1.2.3.4/ 8", "1.2.3.4/999999999999", "01.2.3.4", "::1/129",
                           "fe80::1%eth0", "1.2.3.4-1.2.3.9", " 1.2.3.4"}) {
    INFO(text);
    CHECK_FALSE(ParsePrefix(text).ok());
  }
  CHECK_FALSE(ParsePrefix(std::string_view("1.2.3.4\0", 8)).ok());
}

TEST_CASE("a prefix holds what begins alike and is not shorter") {
  const auto holds = [](const char* a, const char* b) {
    return ParsePrefix(a)->Holds(*ParsePrefix(b));
  };
  CHECK(holds("10.0.0.0/8", "10.255.0.1"));
  CHECK(holds("10.0.0.0/8", "10.0.0.0/8"));
  CHECK_FALSE(holds("10.0.0.0/9", "10.0.0.0/8"));
  CHECK_FALSE(holds("10.0.0.0/8", "11.0.0.0"));
  CHECK(holds("0.0.0.0/0", "1.2.3.4"));
  CHECK_FALSE(holds("0.0.0.0/0", "::1"));
  CHECK(holds("::/0", "::1"));
  CHECK(holds("2001:db8::/65", "2001:db8::7fff:0:0:1"));
  CHECK_FALSE(holds("2001:db8::/65", "2001:db8::8000:0:0:1"));
}

}  // namespace
}  // namespace march::block
