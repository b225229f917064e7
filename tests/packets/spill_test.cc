// Counters beyond what a word of theirs holds (bundle/abi/counters.h), with the generated program
// in the kernel.
#include <bpf/bpf.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "base/print.h"
#include "bundle/abi/counters.h"
#include "compiler/pipeline/pipeline.h"
#include "runtime/bpf/loader.h"
#include "runtime/bpf/witness_run.h"
#include "tests/packets/frames.h"

namespace march {
namespace {

void SkipWithoutPrivileges() {
  if (::geteuid() == 0) return;
  std::cerr << "SKIPPED: running programs in the kernel needs root\n";
  std::exit(77);
}

const pipeline::Compilation& Compiled() {
  static const pipeline::Compilation compilation = [] {
    MemoryFileSystem files;
    const std::string policy =
        std::string(tests::kPacketPolicy) +
        "  watch: { from: [clients], action: deny, priority: 2, audit: true }\n";
    REQUIRE(files.WriteAtomically("p.yaml", policy, 0600).ok());
    return pipeline::Compile(files, "p.yaml", pipeline::Stage::kObject);
  }();
  INFO(TextOf(compilation.diagnostics));
  REQUIRE(compilation.ok());
  return compilation;
}

std::uint32_t SlotOf(std::string_view name) {
  const auto& mappings = Compiled().tables->mappings;
  for (std::uint32_t i = 0; i < mappings.size(); ++i) {
    if (Compiled().policy->mappings.at(mappings[i]).name == name) {
      return MARCH_SLOT_FIRST_MAPPING + i;
    }
  }
  FAIL("there is no mapping " << name);
  return 0;
}

// Decided by the mapping "web", and counted for "watch" too.
std::vector<std::uint8_t> WebFrame() {
  for (const tests::FrameCase& frame : tests::FrameCases()) {
    if (frame.decider == "web") return frame.frame;
  }
  FAIL("no frame is decided by the mapping web");
  return {};
}

bpf::Image ImageOf(const std::string& tables) {
  return {
      Compiled().object->bytes, tables,
      static_cast<std::uint32_t>(MARCH_SLOT_FIRST_MAPPING + Compiled().tables->mappings.size())};
}

// This thread stays on the CPU it is on, and with it whatever it has the kernel run.
class OnOneCpu {
 public:
  OnOneCpu() {
    REQUIRE(::sched_getaffinity(0, sizeof(before_), &before_) == 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    cpu_ = static_cast<std::size_t>(::sched_getcpu());
    CPU_SET(cpu_, &one);
    REQUIRE(::sched_setaffinity(0, sizeof(one), &one) == 0);
  }
  OnOneCpu(const OnOneCpu&) = delete;
  OnOneCpu& operator=(const OnOneCpu&) = delete;
  ~OnOneCpu() { ::sched_setaffinity(0, sizeof(before_), &before_); }

  std::size_t cpu() const { return cpu_; }

 private:
  cpu_set_t before_{};
  std::size_t cpu_ = 0;
};

// The program in the kernel, with its counters open to writing.
class Counting {
 public:
  Counting() : tables_(Compiled().tables->Bytes()), program_(Load(tables_)) {
    const auto all = bpf::SumCounters(program_.counters.get());
    REQUIRE(all.ok());
    slots_ = all->size();
    bpf_map_info info{};
    std::uint32_t info_size = sizeof(info);
    REQUIRE(bpf_obj_get_info_by_fd(program_.counters.get(), &info, &info_size) == 0);
    REQUIRE(info.value_size == sizeof(std::uint64_t));
    bytes_ = info.max_entries * sizeof(std::uint64_t);
    void* memory =
        ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, program_.counters.get(), 0);
    REQUIRE(memory != MAP_FAILED);
    entries_ = static_cast<std::uint64_t*>(memory);
  }
  Counting(const Counting&) = delete;
  Counting& operator=(const Counting&) = delete;
  ~Counting() { ::munmap(entries_, bytes_); }

  std::uint64_t& Word(std::size_t cpu, std::uint32_t slot) {
    return entries_[cpu * MARCH_COUNTER_BLOCK(slots_) + slot];
  }
  std::uint64_t WidePackets(std::size_t cpu, std::uint32_t slot) const {
    return entries_[cpu * MARCH_COUNTER_BLOCK(slots_) + MARCH_COUNTER_WIDE(slots_, slot)];
  }
  int fd() const { return program_.counters.get(); }
  march_counter Sum(std::uint32_t slot) const {
    const auto sum = bpf::SumCounter(fd(), slot);
    REQUIRE(sum.ok());
    return *sum;
  }
  void Send(const std::vector<std::uint8_t>& frame, int times) const {
    bpf_test_run_opts options{};
    options.sz = sizeof(options);
    options.data_in = frame.data();
    options.data_size_in = static_cast<std::uint32_t>(frame.size());
    options.repeat = times;
    REQUIRE(bpf_prog_test_run_opts(program_.prog.get(), &options) == 0);
  }

 private:
  static bpf::Program Load(const std::string& tables) {
    auto program = bpf::LoadProgram(ImageOf(tables));
    INFO((program.ok() ? "" : TextOf(program.diagnostics())));
    REQUIRE(program.ok());
    return std::move(program).value();
  }

  std::string tables_;
  bpf::Program program_;
  std::size_t slots_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t* entries_ = nullptr;
};

TEST_CASE("the program's words spill at the edge, with either parity, and sums stay exact") {
  SkipWithoutPrivileges();
  Counting counting;
  const OnOneCpu here;
  const std::uint32_t web = SlotOf("web");
  const std::uint32_t watch = SlotOf("watch");
  const std::vector<std::uint8_t> frame = WebFrame();
  march_counter expected[2] = {};
  for (std::uint64_t spills = 1; spills <= 4; ++spills) {
    // As if so many frames had come, so that "watch" spills one frame before "web".
    for (const std::uint32_t slot : {web, watch}) {
      std::uint64_t& word = counting.Word(here.cpu(), slot);
      const std::uint64_t jump =
          MARCH_SPILL_PACKETS - 3 - march_word_packets(word) + (slot == watch ? 1 : 0);
      const std::uint64_t bytes = jump * 1500;
      word += jump * MARCH_WORD_PACKET + bytes;
      expected[slot == watch].packets += jump;
      expected[slot == watch].bytes += bytes;
    }
    for (int sent = 0; sent <= 5; ++sent) {
      CAPTURE(spills, sent);
      for (const std::uint32_t slot : {web, watch}) {
        const march_counter sum = counting.Sum(slot);
        CHECK(sum.packets == expected[slot == watch].packets);
        CHECK(sum.bytes == expected[slot == watch].bytes);
        const bool spilled = sent >= (slot == watch ? 2 : 3);
        CHECK(counting.WidePackets(here.cpu(), slot) == (spills - (spilled ? 0 : 1)) << 21);
      }
      if (sent == 5) break;
      counting.Send(frame, 1);
      for (march_counter& counter : expected) {
        ++counter.packets;
        counter.bytes += frame.size();
      }
    }
  }
}

TEST_CASE("who reads while the program counts millions of frames sees each with its bytes") {
  SkipWithoutPrivileges();
  Counting counting;
  const std::uint32_t web = SlotOf("web");
  const std::vector<std::uint8_t> frame = WebFrame();
  constexpr int kFrames = (1 << 22) + 5;
  std::atomic<bool> done = false;
  int wrong = 0;
  std::thread reader([&] {
    std::uint64_t last = 0;
    while (!done) {
      const auto sums = bpf::SumCounter(counting.fd(), web);
      if (!sums.ok() || sums->bytes != sums->packets * frame.size() || sums->packets < last) {
        ++wrong;
        continue;
      }
      last = sums->packets;
    }
  });
  counting.Send(frame, kFrames);
  done = true;
  reader.join();
  CHECK(wrong == 0);
  for (const std::uint32_t slot : {web, SlotOf("watch")}) {
    CHECK(counting.Sum(slot).packets == kFrames);
    CHECK(counting.Sum(slot).bytes == std::uint64_t{kFrames} * frame.size());
  }
}

TEST_CASE("the feeder sees one packet where a word spills") {
  SkipWithoutPrivileges();
  const auto feeder = pipeline::CompileFeeder();
  REQUIRE(feeder);
  const std::string tables = Compiled().tables->Bytes();
  auto run = bpf::WitnessRun::Load(ImageOf(tables), feeder->bytes);
  INFO((run.ok() ? "" : TextOf(run.diagnostics())));
  REQUIRE(run.ok());
  const OnOneCpu here;
  march_witness witness{};
  witness.family = 4;
  witness.protocol = 6;
  witness.action = MARCH_ACTION_ALLOW;
  witness.slot = SlotOf("web");
  witness.audit = SlotOf("watch");
  const std::uint8_t source[] = {10, 1, 0, 5};
  const std::uint8_t destination[] = {10, 2, 0, 10};
  const std::uint8_t ports[] = {0x9C, 0x40, 0, 80};
  std::memcpy(witness.source, source, sizeof(source));
  std::memcpy(witness.destination, destination, sizeof(destination));
  std::memcpy(&witness.ports, ports, sizeof(ports));
  const std::vector<march_witness> witnesses(bpf::WitnessRun::kMostAtOnce, witness);
  for (std::size_t sent = 0; sent <= 2 * MARCH_SPILL_PACKETS; sent += witnesses.size()) {
    const auto misses = run->Run(witnesses);
    REQUIRE(misses.ok());
    CHECK(misses->empty());
  }
  witness.audit = 0;  // but the audit counts it
  const auto misses = run->Run({&witness, 1});
  REQUIRE(misses.ok());
  CHECK(misses->size() == 1);
}

}  // namespace
}  // namespace march
