#include "runtime/apply/applier.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <memory>

#include "runtime/apply/test_world.h"
#include "runtime/bpf/kernel_release.h"

namespace march::apply {
namespace {

using telemetry::Enforcement;

std::unique_ptr<Applier> Started(World& world) {
  auto applier = std::make_unique<Applier>(world.config, world.kernel, world.files, world.log);
  REQUIRE(applier->Start().ok());
  return applier;
}

std::string Refused(Applier& applier, const std::string& bytes, Code code) {
  const auto applied = applier.Accept(bytes);
  REQUIRE_FALSE(applied.ok());
  CHECK(IsRefusal(applied.diagnostics()));
  CHECK(applied.diagnostics().front().code == code);
  return applied.diagnostics().front().message;
}

TEST_CASE("a gateway without a policy passes everything and says so") {
  World world;
  const auto applier = Started(world);
  CHECK(world.RunningLabels().empty());
  CHECK(applier->Observe()->enforcement == Enforcement::kNoPolicy);
  CHECK(applier->Observe()->problem == "no policy was accepted yet");
  CHECK(world.log_text.find("event=not_enforcing") != std::string::npos);
}

TEST_CASE("a gateway without a policy drops everything when it is told to") {
  World world;
  world.config.drop_without_policy = true;
  const auto applier = Started(world);
  CHECK(world.RunningLabels() == std::set<std::string>{"lockdown"});
  CHECK(applier->Observe()->enforcement == Enforcement::kLockdown);
  REQUIRE(applier->Accept(MakeBundle("x", 1)).ok());
  CHECK(world.RunningLabels() == std::set<std::string>{"x"});
  CHECK(world.kernel.Discover()->generations == std::vector<std::uint64_t>{1});
}

TEST_CASE("a bundle is applied once, and again only when it differs") {
  World world;
  const auto applier = Started(world);
  const auto first = applier->Accept(MakeBundle("x", 7));
  REQUIRE(first.ok());
  CHECK(first->changed);
  CHECK(first->generation == 1);
  CHECK(first->serial == 7);
  REQUIRE(first->interfaces.size() == 2);
  CHECK(first->interfaces[0].mode == "native");
  const auto again = applier->Accept(MakeBundle("x", 7));
  REQUIRE(again.ok());
  CHECK_FALSE(again->changed);
  CHECK(again->generation == 1);
  const auto other = applier->Accept(MakeBundle("y", 7));
  REQUIRE(other.ok());
  CHECK(other->generation == 2);
  CHECK(applier->Observe()->swaps == 2);
}

TEST_CASE("what cannot be trusted is refused and changes nothing") {
  World world;
  const auto applier = Started(world);
  REQUIRE(applier->Accept(MakeBundle("x", 5)).ok());
  CHECK(Refused(*applier, MakeBundle("y", 4), Code::kBundleOldSerial) ==
        "the bundle's serial 4 is lower than 5, which was accepted before");
  Refused(*applier, MakeBundle("y", 6, "other"), Code::kBundleWrongCluster);
  Refused(*applier, "garbage", Code::kBundleMalformed);
  CHECK(world.RunningLabels() == std::set<std::string>{"x"});
  CHECK(applier->Observe()->refused == 3);
  CHECK(applier->Observe()->highest_serial == 5);
}

TEST_CASE("a bundle that asks for a newer kernel changes nothing") {
  World world;
  const auto applier = Started(world);
  REQUIRE(applier->Accept(MakeBundle("x", 1)).ok());
  const auto applied = applier->Accept(MakeBundle("y", 2, "default", "6.1"));
  REQUIRE_FALSE(applied.ok());
  REQUIRE(applied.diagnostics().size() == 1);
  CHECK(applied.diagnostics()[0].code == Code::kKernelTooOld);
  CHECK(applied.diagnostics()[0].message ==
        "the bundle asks for Linux 6.1, this is 5.15.0-100-generic");
  CHECK(applied.diagnostics()[0].hint == "upgrade the gateway's kernel");
  const auto named = applier->Accept(MakeBundle("y", 2, "default", "6.1", "large tables"));
  REQUIRE_FALSE(named.ok());
  CHECK(named.diagnostics()[0].message ==
        "the bundle asks for Linux 6.1 (large tables), this is 5.15.0-100-generic");
  CHECK(named.diagnostics()[0].hint ==
        "upgrade the gateway's kernel, or compile a policy without large tables");
  // It is no fault of the bundle, which other gateways may take.
  CHECK_FALSE(IsRefusal(applied.diagnostics()));
  CHECK(world.RunningLabels() == std::set<std::string>{"x"});
  CHECK(world.kernel.Discover()->generations == std::vector<std::uint64_t>{1});
  CHECK(applier->Observe()->highest_serial == 1);
  CHECK(world.log_text.find("event=not_applied") != std::string::npos);

  world.config.kernel_release = "6.1.0-56-cloud-amd64";
  const auto upgraded = Started(world);
  CHECK(upgraded->Accept(MakeBundle("y", 2, "default", "6.1")).ok());
  CHECK(world.RunningLabels() == std::set<std::string>{"y"});
}

TEST_CASE("after a boot with an older kernel, an older generation is in force") {
  World world;
  world.config.kernel_release = "6.1.0";
  {
    const auto applier = Started(world);
    REQUIRE(applier->Accept(MakeBundle("x", 1)).ok());
    REQUIRE(applier->Accept(MakeBundle("y", 2, "default", "6.1")).ok());
  }
  world.kernel.Reboot();
  world.config.kernel_release = "5.15.0";
  const auto applier = Started(world);
  CHECK(world.RunningLabels() == std::set<std::string>{"x"});
  CHECK(world.log_text.find("the bundle asks for Linux 6.1, this is 5.15.0") != std::string::npos);
}

TEST_CASE("releases are compared by their first two numbers") {
  CHECK(bpf::IsOlderThan("5.15.0", "6.1"));
  CHECK(bpf::IsOlderThan("5.9.1-generic", "5.15"));
  CHECK_FALSE(bpf::IsOlderThan("5.15", "5.15"));
  CHECK_FALSE(bpf::IsOlderThan("5.15.0-1-amd64", "5.15"));
  CHECK_FALSE(bpf::IsOlderThan("6.1.0-56-cloud-amd64", "5.15"));
  CHECK_FALSE(bpf::IsOlderThan("10.0", "6.1"));
  // What says nothing is no reason to refuse.
  CHECK_FALSE(bpf::IsOlderThan("", "6.1"));
  CHECK_FALSE(bpf::IsOlderThan("linux", "6.1"));
  CHECK_FALSE(bpf::IsOlderThan("5", "6.1"));
  CHECK_FALSE(bpf::IsOlderThan("5.15", ""));
}

TEST_CASE("a bundle that fails does not raise the serial") {
  World world;
  const auto applier = Started(world);
  REQUIRE(applier->Accept(MakeBundle("x", 1)).ok());
  world.Arm(Fault::kFail, 1);  // loading the program
  CHECK_FALSE(applier->Accept(MakeBundle("y", 9)).ok());
  CHECK(world.fired_at == "load");
  CHECK(applier->Observe()->highest_serial == 1);
  CHECK(applier->Accept(MakeBundle("z", 2)).ok());
}

TEST_CASE("somebody else's program is an error that leaves no interface half done") {
  World world;
  world.kernel.interfaces["b"].foreign_program = "theirs";
  const auto applier = Started(world);
  const auto applied = applier->Accept(MakeBundle("x", 1));
  REQUIRE_FALSE(applied.ok());
  CHECK_FALSE(IsRefusal(applied.diagnostics()));
  CHECK(world.RunningLabels().empty());
  CHECK(world.kernel.Discover()->generations.empty());
}

TEST_CASE("without native XDP, auto settles for generic and says so; native insists") {
  World world;
  world.kernel.interfaces["a"].has_native = false;
  auto applier = Started(world);
  REQUIRE(applier->Accept(MakeBundle("x", 1)).ok());
  CHECK(applier->Observe()->interfaces[0].mode == "generic");
  CHECK(applier->Observe()->interfaces[1].mode == "native");
  CHECK(world.log_text.find("event=generic_xdp interface=a") != std::string::npos);

  World strict;
  strict.kernel.interfaces["a"].has_native = false;
  strict.config.interfaces[0].mode = bpf::XdpMode::kNative;
  CHECK_FALSE(Started(strict)->Accept(MakeBundle("x", 1)).ok());
}

TEST_CASE("a restart takes over without touching a link") {
  World world;
  REQUIRE(Started(world)->Accept(MakeBundle("x", 1)).ok());
  world.Traffic();
  world.kernel.before = [](const std::string& operation) -> bool {
    if (operation != "survey") FAIL("a takeover must not " << operation);
    return false;
  };
  const auto applier = Started(world);
  CHECK(World::Counted(*applier->Observe()) == world.expected);
  CHECK(applier->Observe()->serial == 1);
}

TEST_CASE("a restart with another configuration loads the bundle in force once more") {
  World world;
  REQUIRE(Started(world)->Accept(MakeBundle("x", 1)).ok());
  world.kernel.configuration = 1;
  const auto applier = Started(world);
  world.Traffic();
  CHECK(applier->Observe()->generation == 2);
  CHECK(applier->Observe()->serial == 1);
  CHECK(World::Counted(*applier->Observe()) == world.expected);
  CHECK(world.kernel.IsConfigured(2));
  CHECK(Started(world)->Observe()->generation == 2);
}

TEST_CASE("what cannot be loaded with another configuration goes on with the old one") {
  World world;
  REQUIRE(Started(world)->Accept(MakeBundle("x", 1)).ok());
  world.kernel.configuration = 1;
  world.kernel.before = [](const std::string& operation) { return operation == "load"; };
  const auto applier = Started(world);
  CHECK(applier->Observe()->generation == 1);
  CHECK(world.RunningLabels() == std::set<std::string>{"x"});
  CHECK(world.log_text.find("not_reconfigured") != std::string::npos);
}

TEST_CASE("after a reboot the stored bundle is verified and enforced again") {
  World world;
  REQUIRE(Started(world)->Accept(MakeBundle("x", 1)).ok());
  world.kernel.Reboot();
  Started(world);
  CHECK(world.RunningLabels() == std::set<std::string>{"x"});
}

TEST_CASE("a damaged generation gives way to an older one, and none at all to lockdown") {
  World world;
  {
    const auto applier = Started(world);
    REQUIRE(applier->Accept(MakeBundle("x", 1)).ok());
    REQUIRE(applier->Accept(MakeBundle("y", 2)).ok());
  }
  world.kernel.Reboot();
  static_cast<void>(
      world.files.memory.WriteAtomically("/state/generations/2/bundle.march", "damaged", 0600));
  CHECK(Started(world)->Observe()->generation == 1);
  CHECK(world.RunningLabels() == std::set<std::string>{"x"});

  world.kernel.Reboot();
  static_cast<void>(
      world.files.memory.WriteAtomically("/state/generations/1/bundle.march", "damaged", 0600));
  const auto applier = Started(world);
  CHECK(world.RunningLabels() == std::set<std::string>{"lockdown"});
  CHECK(applier->Observe()->problem ==
        "no stored generation can be put in force: every packet is dropped");
  // Rollback protection outlives the damage, and a good bundle ends the lockdown.
  Refused(*applier, MakeBundle("z", 1), Code::kBundleOldSerial);
  REQUIRE(applier->Accept(MakeBundle("z", 2)).ok());
  CHECK(world.RunningLabels() == std::set<std::string>{"z"});
}

TEST_CASE("a lost state.json costs counts, not the rollback protection") {
  World world;
  REQUIRE(Started(world)->Accept(MakeBundle("x", 8)).ok());
  static_cast<void>(world.files.memory.WriteAtomically("/state/state.json", "{", 0600));
  const auto applier = Started(world);
  Refused(*applier, MakeBundle("y", 7), Code::kBundleOldSerial);
}

TEST_CASE("without state.json, what else is left keeps the gateway closed and the serials high") {
  World world;
  REQUIRE(Started(world)->Accept(MakeBundle("x", 8)).ok());
  world.kernel.Reboot();
  REQUIRE(world.files.memory.Remove("/state/state.json").ok());
  REQUIRE(world.files.memory.Remove("/state/current").ok());
  auto applier = Started(world);
  CHECK(world.RunningLabels() == std::set<std::string>{"x"});
  CHECK(world.log_text.find("event=state_lost") != std::string::npos);
  Refused(*applier, MakeBundle("y", 7), Code::kBundleOldSerial);

  world.kernel.Reboot();
  REQUIRE(world.files.memory.Remove("/state/state.json").ok());
  REQUIRE(world.files.memory.Remove("/state/current").ok());
  REQUIRE(world.files.memory.WriteAtomically("/state/generations/1/bundle.march", "damaged", 0600)
              .ok());
  Started(world);
  CHECK(world.RunningLabels() == std::set<std::string>{"lockdown"});
}

TEST_CASE("the serial in force counts even before it is written down") {
  World world;
  const auto applier = Started(world);
  REQUIRE(applier->Accept(MakeBundle("x", 1)).ok());
  // Stored, loaded, two replacements, `current`; then state.json cannot be written any more.
  world.Arm(Fault::kFailFromHereOn, 5);
  CHECK(applier->Accept(MakeBundle("y", 9)).ok());
  CHECK(world.fired_at == "write /state/state.json");
  Refused(*applier, MakeBundle("z", 8), Code::kBundleOldSerial);
}

TEST_CASE("an interface that cannot be fast although it is to be is told of, once") {
  World world;
  world.config.interfaces[0].fast = true;
  world.kernel.interfaces["a"].transmits = false;
  const auto applier = Started(world);
  REQUIRE(applier->Accept(MakeBundle("x", 1)).ok());
  applier->Reconcile();
  const auto slow = applier->Observe();
  CHECK_FALSE(slow->interfaces[0].fast);
  CHECK(slow->interfaces[0].slow == "a does not transmit");
  CHECK(slow->problem.empty());
  const std::size_t told = world.log_text.find("event=interface_slow");
  CHECK(told != std::string::npos);
  CHECK(world.log_text.find("event=interface_slow", told + 1) == std::string::npos);
  world.kernel.interfaces["a"].transmits = true;
  applier->Reconcile();
  CHECK(applier->Observe()->interfaces[0].fast);
  CHECK(applier->Observe()->interfaces[0].slow.empty());
  CHECK_FALSE(applier->Observe()->interfaces[1].fast);
}

TEST_CASE("an interface of which the kernel does not tell is left alone") {
  World world;
  auto applier = Started(world);
  REQUIRE(applier->Accept(MakeBundle("x", 1)).ok());
  world.kernel.interfaces["b"].tells = false;
  const std::vector<std::string> changing = {"attach", "detach", "unload"};
  world.kernel.before = [&](const std::string& operation) -> bool {
    CHECK(std::find(changing.begin(), changing.end(), operation) == changing.end());
    return false;
  };
  applier->Reconcile();
  CHECK(applier->Observe()->problem == "the kernel does not say what runs on b");
  applier = Started(world);
  CHECK(world.kernel.Deliver("b", MARCH_SLOT_DEFAULT, 1) == 1);
  // A new policy reaches it all the same, and the old program's counts wait until it is settled.
  REQUIRE(applier->Accept(MakeBundle("y", 2)).ok());
  CHECK(world.kernel.Deliver("b", MARCH_SLOT_DEFAULT, 1) == 2);
  CHECK(world.kernel.Discover()->generations == std::vector<std::uint64_t>{1, 2});
  world.kernel.before = nullptr;
  world.kernel.interfaces["b"].tells = true;
  applier->Reconcile();
  CHECK(applier->Observe()->problem.empty());
  CHECK(world.kernel.Discover()->generations == std::vector<std::uint64_t>{2});
}

TEST_CASE("a damaged `current` never opens the gateway") {
  World world;
  REQUIRE(Started(world)->Accept(MakeBundle("x", 1)).ok());
  world.kernel.Reboot();
  static_cast<void>(world.files.memory.WriteAtomically("/state/current", "what", 0600));
  Started(world);
  CHECK(world.RunningLabels() == std::set<std::string>{"x"});
}

TEST_CASE("an interface that was made anew is attached anew") {
  World world;
  const auto applier = Started(world);
  REQUIRE(applier->Accept(MakeBundle("x", 1)).ok());
  world.kernel.interfaces.erase("b");
  applier->Reconcile();
  CHECK(applier->Observe()->problem == "there is no interface b");
  // Its absence does not hold up the others.
  REQUIRE(applier->Accept(MakeBundle("y", 2)).ok());
  world.kernel.interfaces["b"] = {9, true, ""};
  applier->Reconcile();
  CHECK(applier->Observe()->problem.empty());
  CHECK(world.kernel.Deliver("b", MARCH_SLOT_DEFAULT, 1) == 2);
}

TEST_CASE("an interface that is no longer configured is let go") {
  World world;
  REQUIRE(Started(world)->Accept(MakeBundle("x", 1)).ok());
  world.config.interfaces.pop_back();
  Started(world);
  REQUIRE(world.kernel.Discover()->links.size() == 1);
  CHECK(world.kernel.Discover()->links[0].interface == "a");
}

TEST_CASE("counts outlive their mapping, and an action never takes over another's") {
  World world;
  const auto applier = Started(world);
  REQUIRE(applier->Accept(MakeBundle("x", 1)).ok());
  world.Traffic();
  REQUIRE(applier->Accept(MakeBundle("y", 2)).ok());
  const auto snapshot = applier->Observe();
  REQUIRE(snapshot->retired.size() == 1);
  CHECK(snapshot->retired[0].name == "x");
  CHECK(snapshot->retired[0].action == "allow");
  CHECK(World::Counted(*snapshot) == world.expected);
}

TEST_CASE("the last five generations stay on disk") {
  World world;
  const auto applier = Started(world);
  for (std::uint64_t serial = 1; serial <= 7; ++serial) {
    REQUIRE(applier->Accept(MakeBundle("x" + std::to_string(serial), serial)).ok());
  }
  CHECK(*world.files.List("/state/generations") ==
        std::vector<std::string>{"3", "4", "5", "6", "7"});
}

TEST_CASE("a kernel without membarrier is told of") {
  World world;
  world.kernel.can_settle = false;
  Started(world);
  CHECK(world.log_text.find("event=counts_inexact") != std::string::npos);
}

TEST_CASE("retired names are limited, their counts are not lost") {
  Ledger ledger;
  for (std::size_t i = 0; i < kMaxRetired + 10; ++i) {
    ledger.mappings[{"m" + std::to_string(1'000'000 + i), "allow"}] = {1, 100};
  }
  bundle::MappingTable names;
  names.mappings = {{"m1000000", "allow", 0, ""}};
  ledger.LimitRetired(&names);
  CHECK(ledger.mappings.size() == kMaxRetired + 1);
  CHECK(ledger.rest == telemetry::Count{9, 900});
}

TEST_CASE("what exceeds a limit counts for its mapping, behind all mappings") {
  bundle::MappingTable names;
  names.default_action = "deny";
  names.mappings = {{"a", "allow", 0, "", false},
                    {"b", "allow", 0, "", true},
                    {"c", "reject", 0, "", false},
                    {"d", "allow", 0, "", true}};
  std::vector<march_counter> counters(MARCH_SLOT_FIRST_MAPPING + 7, march_counter{0, 0});
  counters[MARCH_SLOT_LIMIT] = {9, 90};
  counters[MARCH_SLOT_FIRST_MAPPING + 2] = {3, 30};
  counters[MARCH_SLOT_FIRST_MAPPING + 4] = {4, 40};
  counters[MARCH_SLOT_FIRST_MAPPING + 5] = {5, 50};
  counters[MARCH_SLOT_FIRST_MAPPING + 6] = {6, 60};
  Ledger ledger;
  ledger.Add(&names, counters);
  CHECK(ledger.slots == std::map<std::string, telemetry::Count>{{"limit", {9, 90}}});
  CHECK(ledger.mappings == std::map<NameAndAction, telemetry::Count>{
                               {{"b", std::string(telemetry::kAboveLimit)}, {4, 40}},
                               {{"c", "reject"}, {3, 30}},
                               {{"d", std::string(telemetry::kAboveLimit)}, {5, 50}}});
  CHECK(ledger.rest == telemetry::Count{6, 60});
}

TEST_CASE("state survives being written and read") {
  State state;
  state.highest_serial = UINT64_MAX;
  state.last_generation = 4;
  state.folded = {2, 3};
  state.ledger.slots["arp"] = {1, 2};
  state.ledger.defaults["deny"] = {3, 4};
  state.ledger.mappings[{"a \"b\"", "allow"}] = {5, 6};
  state.ledger.rest = {7, 8};
  const auto read = ReadStateJson(WriteStateJson(state));
  REQUIRE(read.ok());
  CHECK(*read == state);
  CHECK(ReadStateJson("[]").diagnostics().front().code == Code::kStateDamaged);
}

}  // namespace
}  // namespace march::apply
