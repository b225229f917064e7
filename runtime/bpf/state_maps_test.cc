// What is pinned for longer than a generation: on a bpffs in a mount namespace of the test's own.
#include "runtime/bpf/state_maps.h"

#include <bpf/bpf.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "base/print.h"
#include "runtime/flows/carrier.h"
#include "runtime/flows/flow_table.h"

namespace march::bpf {
namespace {

using flows::FlowTable;

constexpr flows::Tick kNow = 1000;
constexpr std::uint32_t kFlows = 300;

[[noreturn]] void Skip(const std::string& why) {
  std::cerr << "\nSKIPPED: the real kernel was NOT tested: " << why << "\n\n";
  std::exit(77);
}

// An empty directory for pins.
std::string Directory() {
  static const bool is_mounted = [] {
    if (::geteuid() != 0) Skip("this needs root");
    if (::unshare(CLONE_NEWNS) != 0) Skip("namespaces cannot be made here");
    if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) Skip("mounts are shared");
    if (::mount("bpf", "/mnt", "bpf", 0, nullptr) != 0) Skip("bpffs cannot be mounted");
    return true;
  }();
  REQUIRE(is_mounted);
  static int number = 0;
  const std::string directory = "/mnt/" + std::to_string(++number);
  std::filesystem::create_directory(directory);
  return directory;
}

march_config Sizes(std::uint32_t established, std::uint32_t fresh) {
  march_config config{};
  config.flows.established = established / MARCH_FLOW_LANES;
  config.flows.fresh = fresh / MARCH_FLOW_LANES;
  for (std::uint32_t& timeout : config.flows.timeouts) timeout = 100;
  return config;
}

StateMaps Opened(const std::string& directory, const march_config& config) {
  auto state = StateMaps::Open(directory, config);
  INFO((state.ok() ? "" : TextOf(state.diagnostics())));
  REQUIRE(state.ok());
  return std::move(state).value();
}

FlowTable TableOf(const StateMaps& state) {
  auto table =
      FlowTable::Map(state.Find("march_flow_buckets"), state.Find("march_flows"), state.config());
  REQUIRE(table.ok());
  return std::move(table).value();
}

void Fill(FlowTable& table) {
  const march_native_flows native = table.native();
  for (std::uint32_t i = 0; i < kFlows; ++i) {
    march_flow flow{};
    flow.src_lo = i;
    flow.l4 = MARCH_FLOW_L4(1000, 80, 6U, MARCH_KIND_PORTS, 4U);
    flow.judged = MARCH_FLOW_JUDGED(1, 40, MARCH_FLOW_ESTABLISHED);
    REQUIRE(march_native_insert_flow(&native, &flow, kNow + 50, kNow) != MARCH_NATIVE_NO_FLOW);
  }
}

TEST_CASE("what is pinned is found again, with the secret that it was hashed with") {
  const std::string directory = Directory();
  const march_config config = Sizes(1024, 512);
  const StateMaps first = Opened(directory, config);
  CHECK(first.config().secret[0] != 0);
  CHECK_FALSE(first.former());
  FlowTable table = TableOf(first);
  Fill(table);
  const StateMaps second = Opened(directory, config);
  CHECK(second.config().secret[0] == first.config().secret[0]);
  CHECK(second.config().secret[1] == first.config().secret[1]);
  CHECK(second.replaced().empty());
  CHECK_FALSE(second.former());
  CHECK(TableOf(second).Count(kNow).established == kFlows);
  CHECK(Opened(Directory(), config).config().secret[0] != first.config().secret[0]);
}

TEST_CASE("connections move when their tables get other sizes, also if the sum stays") {
  for (const march_config& wanted : {Sizes(4096, 512), Sizes(1024, 2048), Sizes(512, 1024)}) {
    const std::string directory = Directory();
    {
      const StateMaps before = Opened(directory, Sizes(1024, 512));
      FlowTable table = TableOf(before);
      Fill(table);
    }
    {
      StateMaps state = Opened(directory, wanted);
      CHECK(state.replaced().size() == 2);
      REQUIRE(state.former());
      FlowTable to = TableOf(state);
      CHECK(to.Count(kNow).established == 0);
      const auto from = FlowTable::Map(state.former()->buckets.get(), state.former()->flows.get(),
                                       state.former()->config);
      REQUIRE(from.ok());
      CHECK(from->Count(kNow).established == kFlows);
      const flows::Carried carried = flows::CarryFlows(*from, to, kNow);
      CHECK(carried.flows == kFlows);
      CHECK(carried.lost == 0);
      state.ForgetFormer();
      CHECK_FALSE(state.former());
    }
    const StateMaps after = Opened(directory, wanted);
    CHECK_FALSE(after.former());
    const flows::Living living = TableOf(after).Count(kNow);
    CHECK(living.established + living.fresh == kFlows);
    CHECK(living.established > 290);
  }
}

TEST_CASE("connections of another form are not taken for ours") {
  const std::string directory = Directory();
  const march_config config = Sizes(1024, 512);
  {
    const StateMaps before = Opened(directory, config);
    FlowTable table = TableOf(before);
    Fill(table);
  }
  {
    const UniqueFd layout(bpf_obj_get((directory + "/layout").c_str()));
    struct {
      std::uint64_t secret[2];
      std::uint32_t established, fresh, form, reserved;
    } value{};
    const std::uint32_t key = 0;
    REQUIRE(bpf_map_lookup_elem(layout.get(), &key, &value) == 0);
    REQUIRE(value.form == MARCH_FLOW_FORM);
    value.form -= 1;
    REQUIRE(bpf_map_update_elem(layout.get(), &key, &value, BPF_ANY) == 0);
  }
  // Neither as they are, nor where their tables get another size.
  const std::uint32_t established = GENERATE(1024U, 4096U);
  const StateMaps after = Opened(directory, Sizes(established, 512));
  CHECK(after.replaced().size() == 2);
  CHECK_FALSE(after.former());
  CHECK(TableOf(after).Count(kNow).established == 0);
}

TEST_CASE("where no connections are kept any more, none are left") {
  const std::string directory = Directory();
  {
    const StateMaps before = Opened(directory, Sizes(1024, 512));
    FlowTable table = TableOf(before);
    Fill(table);
  }
  const StateMaps none = Opened(directory, Sizes(0, 0));
  CHECK(none.Find("march_flows") == -1);
  CHECK_FALSE(none.former());
  CHECK_FALSE(std::filesystem::exists(directory + "/march_flows"));
  const StateMaps again = Opened(directory, Sizes(1024, 512));
  CHECK_FALSE(again.former());
  CHECK(TableOf(again).Count(kNow).established == 0);
}

}  // namespace
}  // namespace march::bpf
