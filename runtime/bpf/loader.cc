#include "runtime/bpf/loader.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "bundle/abi/config.h"
#include "bundle/abi/counters.h"
#include "bundle/abi/tables.h"
#include "bundle/abi/verdict.h"
#include "runtime/bpf/counters.h"
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
         bpf_map__value_size(map) % MARCH_LINE_BYTES == 0 &&
         (bpf_map__map_flags(map) & BPF_F_MMAPABLE) != 0;
}

bool IsCounters(const bpf_map* map) {
  return bpf_map__type(map) == BPF_MAP_TYPE_ARRAY && bpf_map__key_size(map) == 4 &&
         bpf_map__value_size(map) == sizeof(std::uint64_t) &&
         (bpf_map__map_flags(map) & BPF_F_MMAPABLE) != 0 &&
         bpf_map__max_entries(map) % MARCH_COUNTER_BLOCK(MARCH_COUNTER_ROOM) == 0;
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

// Buckets are for limits of the policy's, which are compiled in when it has any, and of the
// gateway's.
bool HasLimits(const bpf_object* object, const march_config& config) {
  const auto& rates = config.abuse.rates;
  const bool has_rate = std::any_of(std::begin(rates), std::end(rates),
                                    [](const march_limit& rate) { return rate.rate != 0; });
  return has_rate || config.abuse.cookies.lines != 0 ||
         btf__find_by_name_kind(bpf_object__btf(object), "march_limit_packet", BTF_KIND_FUNC) >= 0;
}

// Of the gateway's maps, those that this program may touch.
std::vector<StateMap> NeededMaps(const Image& image, const march_config& config) {
  std::vector<StateMap> needed;
  for (const StateMap& map : image.state) {
    if (map.name == "march_limit_buckets" && config.limits.lines == 0) continue;
    needed.push_back(map);
  }
  // Statistics are of what the others are for.
  if (needed.size() == 1 && needed[0].name == "march_statistics") needed.clear();
  return needed;
}

// The gateway's configuration, and its maps or, for those that it has no use for, none. An object
// of an earlier version has less of either.
Outcome<Done> GiveState(bpf_object* object, const Image& image) {
  bpf_map* section = bpf_object__find_map_by_name(object, MARCH_CONFIG_SECTION);
  if (section == nullptr) return Done{};
  march_config config = image.config;
  if (!HasLimits(object, config)) config.limits.lines = 0;
  const std::size_t size = bpf_map__value_size(section);
  if (size > sizeof(config)) return NotOurs("has a configuration of a later version");
  if (const int error = bpf_map__set_initial_value(section, &config, size); error != 0) {
    return KernelRefused("configure the program", -error);
  }
  const std::vector<StateMap> state = NeededMaps(image, config);
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object) {
    const std::string_view name = bpf_map__name(map);
    if (bpf_map__is_internal(map) || name == "march_tables" || name == "march_counters") continue;
    const auto given = std::find_if(state.begin(), state.end(),
                                    [&](const StateMap& each) { return each.name == name; });
    if (given != state.end() && name == "march_flows" &&
        bpf_map__max_entries(map) != MARCH_FLOW_FORM) {
      return NotOurs("keeps connections in the form of another version; compile the policy again");
    }
    const int error = given == state.end() ? bpf_map__set_autocreate(map, false)
                                           : bpf_map__reuse_fd(map, given->fd);
    if (error != 0) return KernelRefused("give the program its map " + std::string(name), -error);
  }
  return Done{};
}

std::uint32_t Cpus() {
  static const auto cpus = static_cast<std::uint32_t>(std::max(libbpf_num_possible_cpus(), 1));
  return cpus;
}

// march_counters in our memory, for reading.
class CounterView {
 public:
  static Outcome<CounterView> Of(int fd) {
    bpf_map_info info{};
    std::uint32_t info_size = sizeof(info);
    if (const int error = bpf_obj_get_info_by_fd(fd, &info, &info_size); error != 0) {
      return KernelRefused("ask about the counters", -error);
    }
    if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != sizeof(std::uint64_t) ||
        info.max_entries % MARCH_COUNTER_BLOCK(Cpus()) != 0) {
      return KernelRefused("read the counters", EINVAL);
    }
    CounterView view;
    view.slots_ = info.max_entries / MARCH_COUNTER_BLOCK(Cpus());
    view.bytes_ = info.max_entries * sizeof(std::uint64_t);
    void* memory = ::mmap(nullptr, view.bytes_, PROT_READ, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return KernelRefused("map the counters into memory", errno);
    view.words_ = static_cast<const std::uint64_t*>(memory);
    return view;
  }
  CounterView(CounterView&& other) noexcept
      : words_(std::exchange(other.words_, nullptr)), slots_(other.slots_), bytes_(other.bytes_) {}
  CounterView& operator=(CounterView&&) = delete;
  ~CounterView() {
    if (words_ != nullptr) ::munmap(const_cast<std::uint64_t*>(words_), bytes_);
  }

  std::size_t slots() const { return slots_; }
  // Over the CPUs. A packet that is counted meanwhile is seen with its bytes or not at all.
  march_counter Sum(std::size_t slot) const {
    march_counter sum{0, 0};
    for (std::size_t cpu = 0; cpu < Cpus(); ++cpu) {
      const march_counter counter =
          ReadCounter(words_ + cpu * MARCH_COUNTER_BLOCK(slots_), slots_, slot);
      sum.packets += counter.packets;
      sum.bytes += counter.bytes;
    }
    return sum;
  }

 private:
  CounterView() = default;

  const std::uint64_t* words_ = nullptr;
  std::size_t slots_ = 0;
  std::size_t bytes_ = 0;
};

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
  if (image.tables.size() < sizeof(march_tables_header) ||
      image.tables.size() % MARCH_LINE_BYTES != 0 ||
      image.tables.size() / MARCH_LINE_BYTES > UINT32_MAX) {
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
  if (image.tables.size() > bpf_map__value_size(tables)) {
    return NotOurs("has no room for the tables");
  }
  const std::uint64_t entries = std::uint64_t{bpf_map__max_entries(counters)} * Cpus();
  if (MARCH_COUNTER_BLOCK(std::uint64_t{image.slots}) > bpf_map__max_entries(counters) ||
      entries > UINT32_MAX) {
    return NotOurs("has no room for the counters");
  }
  bpf_map__set_max_entries(counters, static_cast<std::uint32_t>(entries));
  if (auto given = GiveState(object.get(), image); !given.ok()) {
    return std::move(given).diagnostics();
  }
  const auto start = std::chrono::steady_clock::now();
  // libbpf raises RLIMIT_MEMLOCK by itself where the kernel still charges BPF memory to it.
  if (const int error = bpf_object__load(object.get()); error != 0) {
    Diagnostic refused = KernelRefused("load the program", -error);
    if (const std::string tail = log.Tail(); !tail.empty()) refused.message += ": " + tail;
    return refused;
  }
  const auto load_time = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  if (auto filled = Fill(bpf_map__fd(tables), image.tables); !filled.ok()) {
    return std::move(filled).diagnostics();
  }
  Program loaded{Duplicate(bpf_program__fd(program)),
                 Duplicate(bpf_map__fd(tables)),
                 Duplicate(bpf_map__fd(counters)),
                 {},
                 load_time};
  if (const bpf_map* config = bpf_object__find_map_by_name(object.get(), MARCH_CONFIG_SECTION)) {
    loaded.config = Duplicate(bpf_map__fd(config));
    if (!loaded.config.ok()) return KernelRefused("keep the program's configuration", errno);
  }
  if (!loaded.prog.ok() || !loaded.tables.ok() || !loaded.counters.ok()) {
    return KernelRefused("keep the program", errno);
  }
  return loaded;
}

Outcome<UniqueFd> LoadDropAll(const std::string& what) {
  std::array<bpf_insn, 2> instructions{};
  instructions[0].code = BPF_ALU64 | BPF_MOV | BPF_K;  // r0 = XDP_DROP
  instructions[0].imm = XDP_DROP;
  instructions[1].code = BPF_JMP | BPF_EXIT;
  UniqueFd program(bpf_prog_load(BPF_PROG_TYPE_XDP, "march_lockdown", "GPL", instructions.data(),
                                 instructions.size(), nullptr));
  if (!program.ok()) return KernelRefused(what, errno);
  return program;
}

Outcome<std::vector<march_counter>> SumCounters(int counters_fd) {
  const auto view = CounterView::Of(counters_fd);
  if (!view) return view.diagnostics();
  std::vector<march_counter> sums;
  sums.reserve(view->slots());
  for (std::size_t slot = 0; slot < view->slots(); ++slot) sums.push_back(view->Sum(slot));
  return sums;
}

Outcome<march_counter> SumCounter(int counters_fd, std::uint32_t slot) {
  const auto view = CounterView::Of(counters_fd);
  if (!view) return view.diagnostics();
  if (slot >= view->slots()) {
    return KernelRefused("read counter " + std::to_string(slot), ENOENT);
  }
  return view->Sum(slot);
}

}  // namespace march::bpf
