#include "compiler/space/flow.h"

#include <catch2/catch.hpp>

#include "compiler/space/protocol.h"

namespace march::space {
namespace {

TEST_CASE("a flow's text form is read and written") {
  for (const char* const text : {
           "tcp 10.20.1.1:40000 > 10.30.0.10:5432",
           "udp [2001:db8::1]:5353 > [2001:db8::2]:53",
           "sctp 10.0.0.1:0 > 10.0.0.2:65535",
           "icmp 10.0.0.1 > 10.0.0.2",
           "icmp 10.0.0.1 > 10.0.0.2 type 0",
           "icmp 10.0.0.1 > 10.0.0.2 type 3/4",
           "icmpv6 2001:db8::1 > 2001:db8::2 type 2",
           "icmpv6 2001:db8::1 > 2001:db8::2",
           "47 10.0.0.1 > 10.0.0.2",
           "tcp 10.0.0.1 > 10.0.0.2 fragment",
           "udp 2001:db8::1 > 2001:db8::2 fragment",
           "icmp 10.0.0.1 > 10.0.0.2 fragment",
       }) {
    const Source source("flow", text);
    const auto flow = ParseFlow(source);
    REQUIRE(flow.ok());
    CHECK(flow->ToString() == text);
  }
}

TEST_CASE("what a flow leaves out has one meaning") {
  const Source tcp("flow", "  6\t10.0.0.1   > [::1]:1 ");
  CHECK_FALSE(ParseFlow(tcp).ok());
  const Source without_port("flow", "6 10.0.0.1 > 10.0.0.2:80");
  CHECK(ParseFlow(without_port)->source_port == kAnySourcePort);
  CHECK(ParseFlow(without_port)->protocol == kTcp);
  const Source typed("flow", "icmp 10.0.0.1 > 10.0.0.2 type 8");
  CHECK(ParseFlow(typed)->ToString() == "icmp 10.0.0.1 > 10.0.0.2");
}

// The words the caret stands under, and the message.
struct Fault {
  const char* text;
  const char* marked;
  const char* message;
};

TEST_CASE("a fault in a flow is marked where it is") {
  for (const Fault& fault : {
           Fault{"", "", "the flow ends too early"},
           Fault{"tcp 10.0.0.1:1 10.0.0.2:2 x", "10.0.0.2:2",
                 "expected > between source and destination"},
           Fault{"tcp 10.0.0.1>10.0.0.2:2", "10.0.0.1>10.0.0.2:2",
                 "the > needs a space on both sides"},
           Fault{"tpc 10.0.0.1 > 10.0.0.2:2", "tpc", "not a protocol"},
           Fault{"256 10.0.0.1 > 10.0.0.2", "256", "not a protocol"},
           Fault{"tcp 10.0.0.256:1 > 10.0.0.2:2", "10.0.0.256", "not an IP address"},
           Fault{"tcp 10.0.0.1:70000 > 10.0.0.2:2", "70000", "not a port"},
           Fault{"tcp 10.0.0.1: > 10.0.0.2:2", ":", "a port must follow the \":\""},
           Fault{"tcp 10.0.0.1 > 10.0.0.2", "10.0.0.2", "the destination needs a port"},
           Fault{"tcp ::1 > ::2", "::2", "the destination needs a port"},
           Fault{"tcp [::1 > [::2]:1", "[::1", "the bracket is never closed"},
           Fault{"tcp [::1]1 > [::2]:1", "1", "expected \":\" and a port behind the address"},
           Fault{"tcp [10.0.0.1]:1 > 10.0.0.2:1", "[10.0.0.1]:1",
                 "brackets are for IPv6 addresses"},
           Fault{"tcp 10.0.0.1 > [::2]:1", "[::2]:1",
                 "source and destination are of different address families"},
           Fault{"icmp 10.0.0.1:5 > 10.0.0.2", "5", "protocol icmp has no ports"},
           Fault{"tcp 10.0.0.1 > 10.0.0.2:80 fragment", "80", "a later fragment carries no ports"},
           Fault{"tcp 10.0.0.1 > 10.0.0.2:80 type 8", "type", "only icmp and icmpv6 have types"},
           Fault{"icmp 10.0.0.1 > 10.0.0.2 type", "", "a number must follow the word type"},
           Fault{"icmp 10.0.0.1 > 10.0.0.2 type 256", "256", "not an ICMP type"},
           Fault{"icmp 10.0.0.1 > 10.0.0.2 fast", "fast", "nothing more can follow here"},
       }) {
    const Source source("flow", fault.text);
    const auto flow = ParseFlow(source);
    CAPTURE(fault.text);
    REQUIRE_FALSE(flow.ok());
    const Diagnostic& diagnostic = flow.diagnostics()[0];
    CHECK(diagnostic.code == Code::kBadFlow);
    CHECK(diagnostic.message == fault.message);
    CHECK(source.text().substr(diagnostic.range.begin,
                               diagnostic.range.end - diagnostic.range.begin) == fault.marked);
  }
}

}  // namespace
}  // namespace march::space
