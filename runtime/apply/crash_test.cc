// Kills and failures at every single step: some generation enforces, and no packet is lost from the
// counts or found twice.
#include <catch2/catch.hpp>
#include <memory>

#include "runtime/apply/test_world.h"

namespace march::apply {
namespace {

const std::string kOld = MakeBundle("old", 1);
const std::string kNew = MakeBundle("new", 2);

std::unique_ptr<Applier> Started(World& world) {
  auto applier = std::make_unique<Applier>(world.config, world.kernel, world.files, world.log);
  REQUIRE(applier->Start().ok());
  return applier;
}

// The old generation is in force and has seen packets.
void EnforceOld(World& world) {
  REQUIRE(Started(world)->Accept(kOld).ok());
  world.Traffic();
}

template <class Function>
bool IsKilledIn(Function&& function) {
  try {
    function();
    return false;
  } catch (const Killed&) {
    return true;
  }
}

void CheckCounts(const World& world, const Applier& applier) {
  const auto snapshot = applier.Observe();
  REQUIRE(snapshot.ok());
  CHECK(World::Counted(*snapshot) == world.expected);
}

// Exactly one of the two policies runs, everywhere, and nothing else is left in the kernel.
void CheckOneInForce(World& world, const Applier& applier) {
  const auto labels = world.RunningLabels();
  REQUIRE(labels.size() == 1);
  CHECK((labels.contains("old") || labels.contains("new")));
  CHECK(world.kernel.Discover()->links.size() == 2);
  CHECK(world.kernel.Discover()->generations.size() == 1);
  CHECK(applier.Observe()->enforcement == telemetry::Enforcement::kEnforcing);
  CHECK(applier.Observe()->problem.empty());
}

void CheckBothBundlesStillApply(World& world, Applier& applier) {
  REQUIRE(applier.Accept(kNew).ok());
  CHECK(world.RunningLabels() == std::set<std::string>{"new"});
  const auto older = applier.Accept(kOld);
  REQUIRE_FALSE(older.ok());
  CHECK(older.diagnostics().front().code == Code::kBundleOldSerial);
  world.Traffic();
  CheckOneInForce(world, applier);
  CheckCounts(world, applier);
}

TEST_CASE("killed at any step of a swap, marchd finds one generation and every count") {
  int steps = 0;
  for (bool killed = true; killed; ++steps) {
    World world;
    EnforceOld(world);
    {
      const auto applier = Started(world);
      world.Arm(Fault::kKill, steps);
      killed = IsKilledIn([&] { static_cast<void>(applier->Accept(kNew)); });
      world.Disarm();
    }
    INFO("killed before: " << world.fired_at);
    world.Traffic();
    const auto applier = Started(world);
    CheckOneInForce(world, *applier);
    CheckCounts(world, *applier);
    CheckBothBundlesStillApply(world, *applier);
  }
  CHECK(steps > 7);
}

TEST_CASE("killed during a swap and again at any step of the start after it") {
  for (int first = 0; first < 12; ++first) {
    bool killed = true;
    for (int second = 0; killed; ++second) {
      World world;
      EnforceOld(world);
      {
        const auto applier = Started(world);
        world.Arm(Fault::kKill, first);
        IsKilledIn([&] { static_cast<void>(applier->Accept(kNew)); });
        world.Disarm();
      }
      world.Arm(Fault::kKill, second);
      killed = IsKilledIn([&] {
        static_cast<void>(Applier(world.config, world.kernel, world.files, world.log).Start());
      });
      world.Disarm();
      INFO("killed at step " << first << " and then before: " << world.fired_at);
      const auto applier = Started(world);
      CheckOneInForce(world, *applier);
      CheckCounts(world, *applier);
    }
  }
}

TEST_CASE("killed at any step of a swap, with a reboot after it") {
  bool killed = true;
  for (int step = 0; killed; ++step) {
    World world;
    EnforceOld(world);
    {
      const auto applier = Started(world);
      world.Arm(Fault::kKill, step);
      killed = IsKilledIn([&] { static_cast<void>(applier->Accept(kNew)); });
      world.Disarm();
    }
    world.kernel.Reboot();
    const auto applier = Started(world);
    CheckOneInForce(world, *applier);
  }
}

TEST_CASE("killed at any step of the very first bundle") {
  bool killed = true;
  for (int step = 0; killed; ++step) {
    World world;
    {
      const auto applier = Started(world);
      world.Arm(Fault::kKill, step);
      killed = IsKilledIn([&] { static_cast<void>(applier->Accept(kOld)); });
      world.Disarm();
    }
    const auto applier = Started(world);
    CheckCounts(world, *applier);
    REQUIRE(applier->Accept(kOld).ok());
    CheckOneInForce(world, *applier);
    CheckCounts(world, *applier);
  }
}

TEST_CASE("killed at any step of ending enforcement") {
  bool killed = true;
  for (int step = 0; killed; ++step) {
    World world;
    EnforceOld(world);
    {
      const auto applier = Started(world);
      world.Arm(Fault::kKill, step);
      killed = IsKilledIn([&] { static_cast<void>(applier->Withdraw()); });
      world.Disarm();
    }
    const auto applier = Started(world);
    CheckOneInForce(world, *applier);
    CheckCounts(world, *applier);
    CheckBothBundlesStillApply(world, *applier);
  }
}

TEST_CASE("a failure at any step of a swap leaves the old generation or completes the new") {
  for (const Fault fault : {Fault::kFail, Fault::kFailAlthoughDone}) {
    for (int step = 0;; ++step) {
      World world;
      EnforceOld(world);
      auto applier = Started(world);
      world.Arm(fault, step);
      const auto applied = applier->Accept(kNew);
      world.Disarm();
      if (!world.fired) {
        CHECK(step > 5);
        break;
      }
      INFO("failed: " << world.fired_at);
      CHECK(world.RunningLabels() == std::set<std::string>{applied.ok() ? "new" : "old"});
      CheckCounts(world, *applier);
      // What could not be cleaned up at once is cleaned up at leisure.
      applier->Reconcile();
      CheckOneInForce(world, *applier);
      CheckCounts(world, *applier);
      applier = Started(world);
      CHECK(world.RunningLabels() == std::set<std::string>{applied.ok() ? "new" : "old"});
      CheckCounts(world, *applier);
      CheckBothBundlesStillApply(world, *applier);
    }
  }
}

TEST_CASE("when everything fails from some step on, nothing is lost once it works again") {
  for (const bool restart : {false, true}) {
    for (int step = 0;; ++step) {
      World world;
      EnforceOld(world);
      auto applier = Started(world);
      world.Arm(Fault::kFailFromHereOn, step);
      static_cast<void>(applier->Accept(kNew));
      world.Disarm();
      if (!world.fired) break;
      INFO("failing from: " << step << ", restart: " << restart);
      CheckCounts(world, *applier);
      if (restart) {
        applier = Started(world);
      } else {
        applier->Reconcile();
      }
      CheckOneInForce(world, *applier);
      CheckCounts(world, *applier);
      CheckBothBundlesStillApply(world, *applier);
    }
  }
}

}  // namespace
}  // namespace march::apply
