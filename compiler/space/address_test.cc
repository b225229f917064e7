#include "compiler/space/address.h"

#include <catch2/catch.hpp>

#include "compiler/space/protocol.h"

namespace march::space {
namespace {

TEST_CASE("addresses have one text form") {
  CHECK(Address::Parse("10.1.2.3") == Address{Family::kV4, 0x0A010203});
  CHECK(Address::Parse("2001:DB8:0:0::1")->ToString() == "2001:db8::1");
  CHECK(Address::Parse("0.0.0.0")->ToString() == "0.0.0.0");
  CHECK(Address{Family::kV6, ~Uint128{0}}.ToString() == "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
  for (const char* const text : {"", "10.1", "010.1.2.3", "10.1.2.3.4", "256.0.0.0", "1.2.3.4 ",
                                 "::1%eth0", "[::1]", ":::", "1::2::3", "12345::"}) {
    CAPTURE(text);
    CHECK_FALSE(Address::Parse(text));
  }
  CHECK_FALSE(Address::Parse(std::string_view("10.0.0.1\0", 9)));
}

TEST_CASE("prefixes know their ends at every length") {
  const Address v4 = *Address::Parse("10.1.2.3");
  CHECK(Prefix::Of(v4, 8).ToString() == "10.0.0.0/8");
  CHECK(Prefix::Of(v4, 32).ToString() == "10.1.2.3");
  CHECK(Prefix::Of(v4, 0).ToString() == "0.0.0.0/0");
  CHECK(Prefix::Of(v4, 0).Last() == LastOf(Family::kV4));
  CHECK(Prefix::Of(v4, 31).First() == 0x0A010202);
  CHECK(Prefix::Of(v4, 31).Last() == 0x0A010203);
  const Address v6 = *Address::Parse("2001:db8::1");
  CHECK(Prefix::Of(v6, 0).First() == 0);
  CHECK(Prefix::Of(v6, 0).Last() == LastOf(Family::kV6));
  CHECK(Prefix::Of(v6, 128).First() == Prefix::Of(v6, 128).Last());
}

TEST_CASE("numbers and protocols are read strictly") {
  CHECK(ParseNumber("65535", 65535) == 65535U);
  CHECK(ParseNumber("0", 1) == 0U);
  for (const char* const text :
       {"", "65536", "080", "-1", "+1", " 1", "1 ", "0x1", "99999999999"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseNumber(text, 65535));
  }
  CHECK(ParseProtocol("tcp") == kTcp);
  CHECK(ParseProtocol("58") == kIcmpv6);
  CHECK_FALSE(ParseProtocol("TCP"));
  CHECK_FALSE(ParseProtocol("256"));
  CHECK(ProtocolName(132) == "sctp");
  CHECK(ProtocolName(47) == "47");
}

}  // namespace
}  // namespace march::space
