#include "runtime/block/blocks.h"

#include <catch2/catch.hpp>
#include <memory>

#include "base/print.h"

namespace march::block {
namespace {

// A gateway with a block list, which can be restarted.
struct World {
  MemoryFileSystem files;
  std::int64_t now = 1000;
  std::string log_text;
  telemetry::Logger log{[this](const std::string& line) { log_text += line; }};
  std::string in_force;
  int published = 0;
  std::uint32_t capacity = 8;
  std::unique_ptr<Blocks> blocks;

  World() { Restart(); }
  void Restart() {
    blocks =
        std::make_unique<Blocks>("/state/blocks", capacity, files, log, [this] { return now; });
    blocks->Start([this](const std::vector<Prefix>& prefixes) {
      ++published;
      in_force.clear();
      for (const Prefix& prefix : prefixes) in_force += prefix.ToString() + " ";
    });
  }
  std::string Add(const std::string& list, std::optional<std::uint64_t> seconds = {},
                  const std::string& comment = {}) {
    const auto added = blocks->Add(list, seconds, comment);
    if (!added.ok()) return TextOf(added.diagnostics());
    return std::to_string(added->added) + "+" + std::to_string(added->renewed);
  }
};

TEST_CASE("what is added is in force, once, in order, and after a restart") {
  World world;
  CHECK(world.in_force.empty());
  CHECK(world.Add("192.0.2.7\n2001:db8::/32\n10.0.0.0/8\n192.0.2.7 # last\n") == "3+0");
  CHECK(world.in_force == "10.0.0.0/8 192.0.2.7 2001:db8::/32 ");
  CHECK(world.Add("10.0.0.0/8\n10.0.0.1\n", {}, "by hand") == "1+1");
  CHECK(world.in_force == "10.0.0.0/8 10.0.0.1 192.0.2.7 2001:db8::/32 ");
  for (int i = 0; i < 2; ++i) {
    CHECK(world.blocks->list().at(0).comment == "by hand");
    CHECK(world.blocks->list().at(2).comment == "last");
    world.Restart();
    CHECK(world.in_force == "10.0.0.0/8 10.0.0.1 192.0.2.7 2001:db8::/32 ");
  }
  const auto removed = world.blocks->Remove("10.0.0.0/8\n10.0.0.2\n");
  REQUIRE(removed.ok());
  CHECK(removed->removed == 1);
  REQUIRE(removed->missing.size() == 1);
  CHECK(removed->missing.front().ToString() == "10.0.0.2");
  CHECK(world.in_force == "10.0.0.1 192.0.2.7 2001:db8::/32 ");
  world.Restart();
  CHECK(world.in_force == "10.0.0.1 192.0.2.7 2001:db8::/32 ");
  CHECK(world.blocks->RemoveAll()->removed == 3);
  CHECK(world.in_force.empty());
  world.Restart();
  CHECK(world.in_force.empty());
}

TEST_CASE("an entry is on the list until its time is over") {
  World world;
  CHECK(world.Add("192.0.2.1\n192.0.2.2\n", 10) == "2+0");
  CHECK(world.Add("192.0.2.3\n") == "1+0");
  CHECK(world.Add("192.0.2.2\n", 20) == "0+1");
  const int before = world.published;
  world.now = 1009;
  world.blocks->Expire();
  CHECK(world.published == before);
  world.now = 1010;
  world.blocks->Expire();
  CHECK(world.in_force == "192.0.2.2 192.0.2.3 ");
  world.blocks->Expire();
  CHECK(world.published == before + 1);
  world.now = 1019;
  world.Restart();
  CHECK(world.in_force == "192.0.2.2 192.0.2.3 ");
  // While marchd was away, too.
  world.now = 1020;
  world.Restart();
  CHECK(world.in_force == "192.0.2.3 ");
  CHECK(world.Add("192.0.2.4", std::uint64_t{1} << 63) == "1+0");
  CHECK(world.blocks->list().back().until > world.now);
}

TEST_CASE("what is wrong changes nothing") {
  World world;
  CHECK(world.Add("192.0.2.1") == "1+0");
  CHECK(world.Add("192.0.2.2\nx\n").starts_with("error[M0707]: line 2"));
  CHECK(world.Add("192.0.2.2", {}, "a\nb").starts_with("error[M0707]: the comment"));
  CHECK_FALSE(world.blocks->Remove("x").ok());
  CHECK(world.in_force == "192.0.2.1 ");
}

TEST_CASE("the list has room for so many") {
  World world;
  std::string seven;
  for (int i = 0; i < 7; ++i) seven += "192.0.2." + std::to_string(i) + "\n";
  CHECK(world.Add(seven) == "7+0");
  CHECK(world.Add("192.0.2.7\n192.0.2.8\n") ==
        "error[M0708]: the block list has room for 8 entries, not for 9\n"
        "  hint: make room for more in marchd's configuration: abuse, block_list\n");
  CHECK(world.Add("192.0.2.0\n192.0.2.7\n") == "1+1");
  world.capacity = 4;
  world.Restart();
  CHECK(world.in_force == "192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.3 ");
  CHECK(world.log_text.find("4 entries of the block list are not in force") != std::string::npos);
}

TEST_CASE("a damaged file costs what is damaged, and is said") {
  World world;
  REQUIRE(world.files.WriteAtomically("/state/blocks", "192.0.2.1 0\nrubbish\n", 0600).ok());
  world.Restart();
  CHECK(world.in_force == "192.0.2.1 ");
  CHECK(world.log_text.find("block_list_damaged file=/state/blocks lines=1") != std::string::npos);
}

}  // namespace
}  // namespace march::block
