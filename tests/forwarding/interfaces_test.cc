// What marchd finds out about interfaces, from real ones, and how it is written down.
#include "runtime/bpf/interfaces.h"

#include <bpf/bpf.h>
#include <net/if.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/forwarding/frame.h"
#include "tests/forwarding/hosts.h"

namespace march::tests {
namespace {

using bpf::Guarded;
using bpf::Surveyed;

Surveyed SurveyOne(const std::string& name, bool fast = true) {
  const std::vector<Guarded> guarded = {{name, fast}};
  return bpf::SurveyInterfaces(guarded).front();
}

void Ethtool(const std::string& arguments) {
  INFO(arguments);
  REQUIRE(std::system(("ethtool " + arguments).c_str()) == 0);
}

TEST_CASE("an interface's MAC and the addresses that others can reach") {
  EnterNetwork();
  const Surveyed out = SurveyOne("out");
  CHECK(out.entry.ifindex == OutIndex());
  CHECK(Bytes(out.entry.mac, out.entry.mac + 6) == kOutMac);
  CHECK(out.entry.mac[6] == 0);
  CHECK(out.entry.ipv4 == 0x0A02FF01);
  CHECK(out.entry.ipv6_hi == 0x20010DB80002FFFF);
  CHECK(out.entry.ipv6_lo == 1);
  // Its other end has none but that of the link.
  const Surveyed other = SurveyOne("other");
  CHECK(other.entry.ifindex == if_nametoindex("other"));
  CHECK(other.entry.ipv4 == 0);
  CHECK((other.entry.ipv6_hi | other.entry.ipv6_lo) == 0);
  CHECK(SurveyOne("none").entry.ifindex == 0);
  CHECK(SurveyOne("none").problem.empty());
}

TEST_CASE("one that is not to be fast only answers") {
  EnterNetwork();
  const Surveyed out = SurveyOne("out", false);
  CHECK(out.entry.flags == MARCH_INTERFACE_PAIRED);
  CHECK(Bytes(out.entry.mac, out.entry.mac + 6) == kOutMac);
  CHECK(out.problem.empty());
}

TEST_CASE("one end of a cable sends as long as the other takes batches") {
  EnterNetwork();
  const std::uint32_t ordinary =
      MARCH_INTERFACE_FAST | MARCH_INTERFACE_LOCAL | MARCH_INTERFACE_PAIRED;
  Ethtool("-K other gro off");
  CHECK(SurveyOne("out").entry.flags == ordinary);
  CHECK(SurveyOne("out").problem ==
        "the other end of out does not take XDP frames, which `ethtool -K INTERFACE gro on` there "
        "enables");
  Ethtool("-K other gro on");
  CHECK(SurveyOne("out").entry.flags == (ordinary | MARCH_INTERFACE_TRANSMITS));
  CHECK(SurveyOne("out").problem.empty());
}

TEST_CASE("the stricter of an interface's rp_filter and that of all holds") {
  EnterNetwork();
  const auto validation = [](const char* all, const char* own) {
    Sysctl("ipv4/conf/all/rp_filter", all);
    Sysctl("ipv4/conf/out/rp_filter", own);
    return SurveyOne("out").entry.flags & (MARCH_INTERFACE_STRICT | MARCH_INTERFACE_LOOSE);
  };
  CHECK(validation("0", "0") == 0);
  CHECK(validation("0", "1") == MARCH_INTERFACE_STRICT);
  CHECK(validation("1", "0") == MARCH_INTERFACE_STRICT);
  // The kernel takes the larger number.
  CHECK(validation("1", "2") == MARCH_INTERFACE_LOOSE);
  CHECK(validation("2", "0") == MARCH_INTERFACE_LOOSE);
  CHECK(validation("0", "0") == 0);
}

std::vector<march_interface> ReadAll(int map) {
  std::vector<march_interface> entries;
  for (std::uint32_t place = 0; place < MARCH_INTERFACES; ++place) {
    march_interface entry{};
    REQUIRE(bpf_map_lookup_elem(map, &place, &entry) == 0);
    if (entry.ifindex != 0) entries.push_back(entry);
  }
  return entries;
}

TEST_CASE("interfaces are found at their places, go when they are gone, and may be too many") {
  march_config config{};
  config.forward.fast = 1;
  Forwarder forwarder(config);
  const int map = forwarder.gateway().state().Find("march_interfaces");
  std::vector<Surveyed> surveyed(MARCH_INTERFACE_PLACES + 1);
  for (std::uint32_t i = 0; i < surveyed.size(); ++i) {
    surveyed[i].entry.ifindex = 250 + i * MARCH_INTERFACES;
  }
  REQUIRE(bpf::WriteInterfaces(map, surveyed).ok());
  const auto written = ReadAll(map);
  REQUIRE(written.size() == MARCH_INTERFACE_PLACES);
  for (std::uint32_t i = 0; i < written.size(); ++i) {
    CHECK(written[i].ifindex == 250 + i * MARCH_INTERFACES);
    CHECK(surveyed[i].problem.empty());
  }
  CHECK(surveyed.back().problem == "too many interfaces have numbers alike");
  surveyed.assign(1, {});
  surveyed[0].entry.ifindex = 255;
  surveyed.resize(3);
  surveyed[1].entry.ifindex = 511;
  REQUIRE(bpf::WriteInterfaces(map, surveyed).ok());
  const auto later = ReadAll(map);
  REQUIRE(later.size() == 2);
  // The last place, and beyond it the first.
  CHECK(later[0].ifindex == 511);
  CHECK(later[1].ifindex == 255);
}

}  // namespace
}  // namespace march::tests
