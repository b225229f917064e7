// Every frame of frames.cc through the native reader and walker, and through the kernel.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <iostream>
#include <set>

#include "base/print.h"
#include "bundle/mappings.h"
#include "compiler/classify/native_walk.h"
#include "compiler/pipeline/pipeline.h"
#include "compiler/prove/native_reader.h"
#include "runtime/bpf/test_run.h"
#include "tests/packets/frames.h"

namespace march {
namespace {

constexpr std::uint32_t kXdpDrop = 1;
constexpr std::uint32_t kXdpPass = 2;

const pipeline::Compilation& Compiled() {
  static const pipeline::Compilation compilation = [] {
    MemoryFileSystem files;
    REQUIRE(files.WriteAtomically("p.yaml", tests::kPacketPolicy, 0600).ok());
    return pipeline::Compile(files, "p.yaml", pipeline::Stage::kObject);
  }();
  INFO(TextOf(compilation.diagnostics));
  REQUIRE(compilation.ok());
  return compilation;
}

std::string NameOf(std::uint32_t slot) {
  if (slot < MARCH_SLOT_FIRST_MAPPING) return std::string(bundle::SlotName(slot));
  const std::uint32_t mapping = Compiled().tables->mappings.at(slot - MARCH_SLOT_FIRST_MAPPING);
  return Compiled().policy->mappings.at(mapping).name;
}

TEST_CASE("the native reader and walker judge every frame as they must") {
  const auto& words = Compiled().tables->words;
  std::set<std::string, std::less<>> deciders;
  for (const tests::FrameCase& frame : tests::FrameCases()) {
    INFO(frame.name);
    // A copy of the exact size, so that a sanitizer sees one byte too far.
    const std::vector<std::uint8_t> bytes(frame.frame);
    march_key key{};
    std::uint32_t slot = march_native_read(bytes.data(), bytes.size(), &key);
    bool passes = slot == MARCH_SLOT_ARP || slot == MARCH_SLOT_NEIGHBOUR;
    if (slot == MARCH_NATIVE_JUDGE) {
      std::uint32_t audit = 0;
      const std::uint32_t verdict = march_native_classify(words.data(), words.size(), &key, &audit);
      slot = MARCH_VERDICT_SLOT(verdict);
      passes = MARCH_VERDICT_ACTION(verdict) == MARCH_ACTION_ALLOW;
    }
    CHECK(NameOf(slot) == frame.decider);
    CHECK(passes == frame.passes);
    deciders.insert(frame.decider);
  }
  // Every slot of a packet by itself was met, but the one that only a broken table leads to.
  CHECK(deciders.contains(bundle::SlotName(MARCH_SLOT_DEFAULT)));
  for (std::uint32_t slot = MARCH_SLOT_ARP; slot <= MARCH_SLOT_FRAGMENT; ++slot) {
    INFO(slot);
    CHECK(deciders.contains(bundle::SlotName(slot)));
  }
}

TEST_CASE("the kernel judges and counts every frame as it must") {
  if (geteuid() != 0) {
    std::cerr << "SKIPPED: running programs in the kernel needs root\n";
    std::exit(77);
  }
  const auto& compilation = Compiled();
  const std::string tables = compilation.tables->Bytes();
  const auto slots =
      static_cast<std::uint32_t>(MARCH_SLOT_FIRST_MAPPING + compilation.policy->mappings.size());
  auto program = bpf::TestRun::Load({compilation.object->bytes, tables, slots});
  INFO((program ? "" : TextOf(program.diagnostics())));
  REQUIRE(program.ok());
  for (const tests::FrameCase& frame : tests::FrameCases()) {
    INFO(frame.name);
    const auto before = program->ReadAll();
    const auto result =
        program->Run({reinterpret_cast<const char*>(frame.frame.data()), frame.frame.size()});
    const auto after = program->ReadAll();
    if (!result) FAIL(TextOf(result.diagnostics()));
    CHECK(result->xdp_action == (frame.passes ? kXdpPass : kXdpDrop));
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
      const bool decided = NameOf(slot) == frame.decider;
      const std::string name = NameOf(slot);
      CAPTURE(name);
      CHECK(after->at(slot).packets - before->at(slot).packets == (decided ? 1 : 0));
      CHECK(after->at(slot).bytes - before->at(slot).bytes == (decided ? frame.frame.size() : 0));
    }
  }
}

}  // namespace
}  // namespace march
