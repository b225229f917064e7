#include "runtime/bpf/loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

#include "bundle/abi/tables.h"
#include "runtime/bpf/libbpf_log.h"

namespace march::bpf {
namespace {

struct CloseObject {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};
using Object = std::unique_ptr<bpf_object, CloseObject>;

Diagnostic NotOurs(const std::string& message) {
  return MakeDiagnostic(Code::kBundleMalformed, {}, "the BPF object " + message,
                        "compile the bundle again with marchctl");
}

bool IsTables(const bpf_map* map) {
  return bpf_map__type(map) == BPF_MAP_TYPE_ARRAY && bpf_map__key_size(map) == 4 &&
         bpf_map__value_size(map) == 8 && (bpf_map__map_flags(map) & BPF_F_MMAPABLE) != 0;
}

bool IsCounters(const bpf_map* map) {
  return bpf_map__type(map) == BPF_MAP_TYPE_PERCPU_ARRAY && bpf_map__key_size(map) == 4 &&
         bpf_map__value_size(map) == sizeof(march_counter);
}

Outcome<Done> Fill(int fd, std::string_view tables) {
  void* memory = ::mmap(nullptr, tables.size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return KernelRefused("map the tables into memory", errno);
  std::memcpy(memory, tables.data(), tables.size());
  ::munmap(memory, tables.size());
  if (const int error = bpf_map_freeze(fd); error != 0) {
    return KernelRefused("freeze the tables", -error);
  }
  return Done{};
}

// The object closes its own descriptors; ours must outlive it.
UniqueFd Duplicate(int fd) {
  return UniqueFd(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

std::size_t Cpus() {
  return static_cast<std::size_t>(std::max(libbpf_num_possible_cpus(), 1));
}

march_counter Sum(const march_counter* per_cpu, std::size_t cpus) {
  march_counter sum{0, 0};
  for (std::size_t i = 0; i < cpus; ++i) {
    sum.packets += per_cpu[i].packets;
    sum.bytes += per_cpu[i].bytes;
  }
  return sum;
}

}  // namespace

Diagnostic KernelRefused(const std::string& what, int error, std::string hint) {
  if (hint.empty() && (error == EPERM || error == EACCES)) {
    hint = "marchd needs CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON";
  }
  return MakeDiagnostic(Code::kKernelRefused, {},
                        "cannot " + what + ": " + std::generic_category().message(error),
                        std::move(hint));
}

Outcome<Program> LoadProgram(const Image& image) {
  if (image.tables.size() < sizeof(march_tables_header) || image.tables.size() % 8 != 0 ||
      image.tables.size() / 8 > UINT32_MAX) {
    return MakeDiagnostic(Code::kBundleMalformed, {},
                          "the classifier tables have an impossible size");
  }
  if (image.slots < MARCH_SLOT_FIRST_MAPPING || image.slots > MARCH_MAX_SLOTS) {
    return MakeDiagnostic(Code::kBundleMalformed, {}, "more mappings than a program can count");
  }
  LibbpfLog log;
  bpf_object_open_opts options{};
  options.sz = sizeof(options);
  options.object_name = "march";
  const Object object(bpf_object__open_mem(image.object.data(), image.object.size(), &options));
  if (object == nullptr) return NotOurs("cannot be read: " + log.Tail());

  bpf_program* program = bpf_object__find_program_by_name(object.get(), "march_xdp");
  bpf_map* tables = bpf_object__find_map_by_name(object.get(), "march_tables");
  bpf_map* counters = bpf_object__find_map_by_name(object.get(), "march_counters");
  if (program == nullptr || bpf_program__type(program) != BPF_PROG_TYPE_XDP) {
    return NotOurs("has no XDP program march_xdp");
  }
  if (tables == nullptr || !IsTables(tables)) return NotOurs("has no usable map march_tables");
  if (counters == nullptr || !IsCounters(counters)) {
    return NotOurs("has no usable map march_counters");
  }
  bpf_map__set_max_entries(tables, static_cast<std::uint32_t>(image.tables.size() / 8));
  bpf_map__set_max_entries(counters, image.slots);
  // libbpf raises RLIMIT_MEMLOCK by itself where the kernel still charges BPF memory to it.
  if (const int error = bpf_object__load(object.get()); error != 0) {
    Diagnostic refused = KernelRefused("load the program", -error);
    if (const std::string tail = log.Tail(); !tail.empty()) refused.message += ": " + tail;
    return refused;
  }
  if (auto filled = Fill(bpf_map__fd(tables), image.tables); !filled.ok()) {
    return std::move(filled).diagnostics();
  }
  Program loaded{Duplicate(bpf_program__fd(program)), Duplicate(bpf_map__fd(tables)),
                 Duplicate(bpf_map__fd(counters))};
  if (!loaded.prog.ok() || !loaded.tables.ok() || !loaded.counters.ok()) {
    return KernelRefused("keep the program", errno);
  }
  return loaded;
}

Outcome<UniqueFd> LoadDropAll() {
  std::array<bpf_insn, 2> instructions{};
  instructions[0].code = BPF_ALU64 | BPF_MOV | BPF_K;  // r0 = XDP_DROP
  instructions[0].imm = XDP_DROP;
  instructions[1].code = BPF_JMP | BPF_EXIT;
  UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_XDP, "march_lockdown", "GPL", instructions.data(),
                                 instructions.size(), nullptr));
  if (!program.ok()) return KernelRefused("load the lockdown program", errno);
  return program;
}

Outcome<std::vector<march_counter>> SumCounters(int counters_fd) {
  bpf_map_info info{};
  std::uint32_t info_size = sizeof(info);
  if (const int error = bpf_obj_get_info_by_fd(counters_fd, &info, &info_size); error != 0) {
    return KernelRefused("ask about the counters", -error);
  }
  if (info.type != BPF_MAP_TYPE_PERCPU_ARRAY || info.value_size != sizeof(march_counter)) {
    return KernelRefused("read the counters", EINVAL);
  }
  constexpr std::uint32_t kBatch = 1024;
  const std::size_t cpus = Cpus();
  std::vector<std::uint32_t> keys(kBatch);
  std::vector<march_counter> values(kBatch * cpus);
  std::vector<march_counter> sums;
  sums.reserve(info.max_entries);
  std::uint32_t cursor = 0;
  for (bool more = true; more && sums.size() < info.max_entries;) {
    std::uint32_t count = kBatch;
    const int error = bpf_map_lookup_batch(counters_fd, sums.empty() ? nullptr : &cursor, &cursor,
                                           keys.data(), values.data(), &count, nullptr);
    if (error != 0 && error != -ENOENT) return KernelRefused("read the counters", -error);
    for (std::size_t i = 0; i < count; ++i) sums.push_back(Sum(&values[i * cpus], cpus));
    more = error == 0 && count > 0;
  }
  if (sums.size() != info.max_entries) return KernelRefused("read all counters", EIO);
  return sums;
}

Outcome<march_counter> SumCounter(int counters_fd, std::uint32_t slot) {
  std::vector<march_counter> values(Cpus());
  if (const int error = bpf_map_lookup_elem(counters_fd, &slot, values.data()); error != 0) {
    return KernelRefused("read counter " + std::to_string(slot), -error);
  }
  return Sum(values.data(), values.size());
}

}  // namespace march::bpf
