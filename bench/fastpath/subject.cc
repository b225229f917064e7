#include "bench/fastpath/subject.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "base/print.h"
#include "bench/embedded.h"
#include "compiler/clang/bpf_object.h"

namespace march::bench {
namespace {

// As in feeder.bpf.c.
struct BenchPacket4 {
  std::uint8_t source[4];
  std::uint8_t destination[4];
  std::uint8_t ports[4];
  std::uint8_t protocol;
  std::uint8_t reserved[3];
};
struct BenchPacket6 {
  std::uint8_t source[16];
  std::uint8_t destination[16];
  std::uint8_t ports[4];
  std::uint8_t protocol;
  std::uint8_t reserved[3];
};
struct BenchState {
  std::uint32_t next;
  std::uint32_t mask;
  std::uint32_t family;
  std::uint32_t reserved;
};

[[noreturn]] void Fail(const std::string& what) {
  std::cerr << "bench: cannot " << what << ": " << std::strerror(errno) << "\n";
  std::exit(1);
}

void Put(std::uint8_t* at, space::Uint128 value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) {
    at[i] = static_cast<std::uint8_t>(value >> (8 * (size - 1 - i)));
  }
}

template <class Wire>
void WriteTrace(int map, const std::vector<tests::Packet>& trace, std::size_t count) {
  const std::size_t bytes = (count * sizeof(Wire) + 4095) / 4096 * 4096;
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  if (memory == MAP_FAILED) Fail("map the trace");
  auto* packets = static_cast<Wire*>(memory);
  for (std::size_t i = 0; i < count; ++i) {
    const tests::Packet& packet = trace[i % trace.size()];
    Wire& wire = packets[i];
    Put(wire.source, packet.source, sizeof(wire.source));
    Put(wire.destination, packet.destination, sizeof(wire.destination));
    Put(wire.ports, packet.source_port, 2);
    Put(wire.ports + 2, packet.destination_port, 2);
    wire.protocol = packet.protocol;
  }
  ::munmap(memory, bytes);
}

// 74 bytes with room for either family's headers and those of TCP.
std::vector<std::uint8_t> Frame(space::Family family) {
  std::vector<std::uint8_t> frame(74, 0);
  const bool v4 = family == space::Family::kV4;
  Put(frame.data() + 12, v4 ? 0x0800 : 0x86DD, 2);
  if (v4) {
    frame[14] = 0x45;
    Put(frame.data() + 16, 60, 2);
    frame[22] = 64;
    frame[46] = 0x50;
  } else {
    frame[14] = 0x60;
    Put(frame.data() + 18, 20, 2);
    frame[21] = 64;
    frame[66] = 0x50;
  }
  return frame;
}

}  // namespace

void Object::Close::operator()(bpf_object* object) const {
  bpf_object__close(object);
}

Object::Object(std::string_view name) {
  for (const auto& file : EmbeddedPrograms()) {
    if (file.name != name) continue;
    const auto object = clang::CompileBpf({std::string(file.text)});
    if (!object) {
      PrintText(object.diagnostics(), std::cerr);
      std::exit(1);
    }
    object_.reset(bpf_object__open_mem(object->bytes.data(), object->bytes.size(), nullptr));
    if (object_ == nullptr) Fail("open " + std::string(name));
    return;
  }
  Fail("find " + std::string(name));
}

void Object::Resize(const char* map, std::uint32_t entries) {
  bpf_map__set_max_entries(bpf_object__find_map_by_name(object_.get(), map), std::max(entries, 1U));
}

void Object::Load() {
  if (bpf_object__load(object_.get()) != 0) Fail("load a program");
}

int Object::Program(const char* name) const {
  return bpf_program__fd(bpf_object__find_program_by_name(object_.get(), name));
}

int Object::Map(const char* name) const {
  return bpf_map__fd(bpf_object__find_map_by_name(object_.get(), name));
}

Feeder::Feeder(space::Family family, const std::vector<tests::Packet>& trace)
    : family_(family), object_("feeder.bpf.c") {
  const std::size_t count = std::bit_ceil(trace.size());
  mask_ = static_cast<std::uint32_t>(count - 1);
  const char* map = family == space::Family::kV4 ? "bench_trace4" : "bench_trace6";
  object_.Resize(map, static_cast<std::uint32_t>(count));
  object_.Load();
  if (family == space::Family::kV4) {
    WriteTrace<BenchPacket4>(object_.Map(map), trace, count);
  } else {
    WriteTrace<BenchPacket6>(object_.Map(map), trace, count);
  }
}

double Feeder::Measure(int program, std::uint32_t packets) {
  const std::uint32_t zero = 0;
  const BenchState state{0, mask_, static_cast<std::uint32_t>(family_), 0};
  if (bpf_map_update_elem(object_.Map("bench_program"), &zero, &program, BPF_ANY) != 0) {
    Fail("install the program");
  }
  if (bpf_map_update_elem(object_.Map("bench_state"), &zero, &state, BPF_ANY) != 0) {
    Fail("reset the trace");
  }
  const std::vector<std::uint8_t> frame = Frame(family_);
  bpf_test_run_opts options{};
  options.sz = sizeof(options);
  options.data_in = frame.data();
  options.data_size_in = static_cast<std::uint32_t>(frame.size());
  options.repeat = static_cast<int>(packets);
  // The kernel's own figure is in whole nanoseconds.
  const auto start = std::chrono::steady_clock::now();
  if (bpf_prog_test_run_opts(object_.Program("bench_feed"), &options) != 0) Fail("run");
  const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - start;
  return took.count() / packets;
}

}  // namespace march::bench
