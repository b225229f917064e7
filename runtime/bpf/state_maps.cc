#include "runtime/bpf/state_maps.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <numeric>
#include <string_view>
#include <utility>

#include "bundle/abi/block.h"
#include "bundle/abi/interface.h"
#include "bundle/abi/tables.h"
#include "runtime/bpf/loader.h"

namespace march::bpf {
namespace {

struct Form {
  const char* name;
  bpf_map_type type;
  std::uint32_t value_size;
  std::uint32_t entries;
  std::uint32_t flags;
  std::uint32_t key_size = sizeof(std::uint32_t);
};

// Of all maps that there may be.
constexpr const char* kBuckets = "march_flow_buckets";
constexpr const char* kFlows = "march_flows";
constexpr std::array kNames = {"march_answered",
                               "march_block_filter",
                               "march_blocks",
                               "march_event_budgets",
                               "march_events",
                               kBuckets,
                               kFlows,
                               "march_interfaces",
                               "march_limit_buckets",
                               "march_next_hops",
                               "march_own_addresses",
                               "march_real_sources",
                               "march_refreshed",
                               "march_scratch",
                               "march_statistics"};

// How to find in the maps what is in them: the secret that it was hashed with, and the sizes of the
// two tables that share an array and their form.
struct Layout {
  decltype(march_config::secret) secret = {0, 0};
  std::uint32_t established = 0;
  std::uint32_t fresh = 0;
  std::uint32_t form = MARCH_FLOW_FORM;
  std::uint32_t reserved = 0;

  bool HasSizesOf(const march_config& config) const {
    return form == MARCH_FLOW_FORM && established == config.flows.established &&
           fresh == config.flows.fresh;
  }
};

constexpr Form kLayout = {"layout", BPF_MAP_TYPE_ARRAY, sizeof(Layout), 1, 0};

std::vector<Form> FormsOf(const march_config& config) {
  std::vector<Form> forms;
  const auto buckets = config.flows.established + config.flows.fresh;
  if (config.flows.established != 0) {
    forms.push_back(
        {kBuckets, BPF_MAP_TYPE_ARRAY, sizeof(march_flow_bucket), buckets, BPF_F_MMAPABLE});
    forms.push_back({kFlows, BPF_MAP_TYPE_ARRAY, sizeof(march_flow), buckets * MARCH_FLOW_LANES,
                     BPF_F_MMAPABLE});
    forms.push_back({"march_scratch", BPF_MAP_TYPE_PERCPU_ARRAY, MARCH_SCRATCH_BYTES, 1, 0});
  }
  if (config.events.intervals[MARCH_EVENT_DROP] != 0 ||
      config.events.intervals[MARCH_EVENT_ALLOW] != 0) {
    forms.push_back({"march_events", BPF_MAP_TYPE_RINGBUF, 0, MARCH_EVENT_RING_BYTES, 0, 0});
    forms.push_back({"march_event_budgets", BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(march_event_budget),
                     MARCH_EVENT_KINDS, 0});
  }
  if (config.forward.fast != 0) {
    forms.push_back({"march_next_hops", BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(march_next_hops),
                     1U << MARCH_NEXT_HOP_BITS, 0});
    forms.push_back({"march_refreshed", BPF_MAP_TYPE_ARRAY, sizeof(std::uint32_t),
                     1U << MARCH_REFRESH_BITS, 0});
  }
  if (config.reject.interval != 0) {
    forms.push_back({"march_answered", BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(std::uint64_t), 1, 0});
  }
  if (config.forward.fast != 0 || config.reject.interval != 0 || config.abuse.cookies.lines != 0) {
    forms.push_back({"march_interfaces", BPF_MAP_TYPE_ARRAY, sizeof(march_interface),
                     MARCH_INTERFACES, BPF_F_MMAPABLE});
  }
  if (config.abuse.blocks != 0) {
    forms.push_back({"march_block_filter", BPF_MAP_TYPE_ARRAY,
                     static_cast<std::uint32_t>(MARCH_BLOCK_FILTER_WORDS(config.abuse.blocks) *
                                                sizeof(std::uint64_t)),
                     1, BPF_F_MMAPABLE});
    forms.push_back({"march_blocks", BPF_MAP_TYPE_ARRAY, sizeof(march_block_line),
                     MARCH_BLOCK_LINES(config.abuse.blocks), BPF_F_MMAPABLE});
  }
  if (config.abuse.cookies.lines != 0) {
    forms.push_back({"march_real_sources", BPF_MAP_TYPE_ARRAY, sizeof(march_real_line),
                     config.abuse.cookies.lines, BPF_F_MMAPABLE});
  }
  if ((config.abuse.screens & MARCH_SCREEN_SPOOFED) != 0) {
    forms.push_back({"march_own_addresses", BPF_MAP_TYPE_ARRAY, sizeof(march_own_line),
                     MARCH_OWN_LINES, BPF_F_MMAPABLE});
  }
  if (config.limits.lines != 0) {
    forms.push_back({"march_limit_buckets", BPF_MAP_TYPE_ARRAY, sizeof(march_bucket_line),
                     config.limits.lines, BPF_F_MMAPABLE});
  }
  if (!forms.empty()) {
    forms.push_back({"march_statistics", BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(std::uint64_t),
                     MARCH_STATISTICS, 0});
  }
  return forms;
}

bool HasForm(int fd, const Form& form) {
  bpf_map_info info{};
  std::uint32_t size = sizeof(info);
  return bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == form.type &&
         info.key_size == form.key_size && info.value_size == form.value_size &&
         info.max_entries == form.entries && info.map_flags == form.flags;
}

Outcome<UniqueFd> Make(const Form& form) {
  bpf_map_create_opts options{};
  options.sz = sizeof(options);
  options.map_flags = form.flags;
  UniqueFd fd(
      bpf_map_create(form.type, form.name, form.key_size, form.value_size, form.entries, &options));
  if (!fd.ok()) {
    return KernelRefused(
        "make the map " + std::string(form.name), errno,
        errno == ENOMEM ? "a smaller table in the configuration needs less memory" : "");
  }
  return fd;
}

// `is_other`: another one was pinned, and is not any more.
struct Opened {
  UniqueFd fd;
  bool is_other = false;
};

// `anew`: even if one of this form is pinned.
Outcome<Opened> OpenOrMake(const std::string& directory, const Form& form, bool anew = false) {
  const std::string path = directory.empty() ? "" : directory + "/" + form.name;
  Opened opened;
  if (!path.empty()) {
    opened.fd = UniqueFd(bpf_obj_get(path.c_str()));
    if (opened.fd.ok() && !anew && HasForm(opened.fd.get(), form)) return opened;
    if (!opened.fd.ok() && errno != ENOENT) return KernelRefused("open " + path, errno);
    opened.is_other = opened.fd.ok();
  }
  auto made = Make(form);
  if (!made.ok()) return std::move(made).diagnostics();
  opened.fd = std::move(made).value();
  if (opened.is_other && ::unlink(path.c_str()) != 0) return KernelRefused("remove " + path, errno);
  if (!path.empty() && bpf_obj_pin(opened.fd.get(), path.c_str()) != 0) {
    return KernelRefused("pin " + path, errno);
  }
  return opened;
}

Outcome<Done> WriteLayout(int fd, const Layout& layout) {
  const std::uint32_t key = 0;
  if (bpf_map_update_elem(fd, &key, &layout, BPF_ANY) != 0) {
    return KernelRefused("keep the secret", errno);
  }
  return Done{};
}

// With a secret: that of what is in the maps, or a new one. It is zero after a crash between making
// the map and filling it, too.
Outcome<Layout> ReadLayout(int fd) {
  Layout layout;
  const std::uint32_t key = 0;
  if (bpf_map_lookup_elem(fd, &key, &layout) != 0) {
    return KernelRefused("read the secret", errno);
  }
  while (layout.secret[0] == 0) {
    if (::getrandom(&layout.secret, sizeof(layout.secret), 0) != sizeof(layout.secret)) {
      return KernelRefused("choose a secret", errno);
    }
  }
  return layout;
}

// What is pinned with this layout.
std::optional<StateMaps::Connections> OpenConnections(const std::string& directory,
                                                      const Layout& layout) {
  if (layout.form != MARCH_FLOW_FORM) return std::nullopt;
  StateMaps::Connections connections;
  std::copy_n(layout.secret, 2, connections.config.secret);
  connections.config.flows.established = layout.established;
  connections.config.flows.fresh = layout.fresh;
  for (const Form& form : FormsOf(connections.config)) {
    const std::string_view name = form.name;
    if (name != kBuckets && name != kFlows) continue;
    UniqueFd fd(bpf_obj_get((directory + "/" + form.name).c_str()));
    if (!fd.ok() || !HasForm(fd.get(), form)) return std::nullopt;
    (name == kBuckets ? connections.buckets : connections.flows) = std::move(fd);
  }
  if (!connections.buckets.ok() || !connections.flows.ok()) return std::nullopt;
  return connections;
}

}  // namespace

Outcome<StateMaps> StateMaps::Open(const std::string& directory, const march_config& config) {
  StateMaps state;
  state.config_ = config;
  const auto layout_map = OpenOrMake(directory, kLayout);
  if (!layout_map.ok()) return layout_map.diagnostics();
  auto layout = ReadLayout(layout_map->fd.get());
  if (!layout.ok()) return std::move(layout).diagnostics();
  std::copy_n(layout->secret, 2, state.config_.secret);
  const bool keeps_sizes = layout->HasSizesOf(config);
  if (!keeps_sizes && !directory.empty()) state.former_ = OpenConnections(directory, *layout);
  const std::vector<Form> forms = FormsOf(config);
  for (const char* name : kNames) {
    const bool needed = std::any_of(forms.begin(), forms.end(), [&](const Form& form) {
      return form.name == std::string(name);
    });
    if (!needed && !directory.empty()) ::unlink((directory + "/" + name).c_str());
  }
  for (const Form& form : forms) {
    const std::string_view name = form.name;
    const bool anew = !keeps_sizes && (name == kBuckets || name == kFlows);
    auto opened = OpenOrMake(directory, form, anew);
    if (!opened.ok()) return std::move(opened).diagnostics();
    if (opened->is_other) state.replaced_.emplace_back(form.name);
    state.maps_.push_back({form.name, std::move(opened->fd)});
  }
  // Last: a crash before this makes the maps anew, one after it finds them as they are.
  layout->established = config.flows.established;
  layout->fresh = config.flows.fresh;
  layout->form = MARCH_FLOW_FORM;
  if (auto written = WriteLayout(layout_map->fd.get(), *layout); !written.ok()) {
    return std::move(written).diagnostics();
  }
  if (config.flows.established == 0) state.former_.reset();
  return state;
}

std::vector<StateMap> StateMaps::maps() const {
  std::vector<StateMap> maps;
  maps.reserve(maps_.size());
  for (const Owned& map : maps_) maps.push_back({map.name, map.fd.get()});
  return maps;
}

Outcome<std::vector<std::uint64_t>> StateMaps::ReadStatistics() const {
  std::vector<std::uint64_t> sums(MARCH_STATISTICS);
  const int map = Find("march_statistics");
  if (map < 0) return sums;
  std::vector<std::uint64_t> of_cpus(
      static_cast<std::size_t>(std::max(libbpf_num_possible_cpus(), 1)));
  for (std::uint32_t which = 0; which < MARCH_STATISTICS; ++which) {
    if (bpf_map_lookup_elem(map, &which, of_cpus.data()) != 0) {
      return KernelRefused("read the statistics", errno);
    }
    sums[which] = std::accumulate(of_cpus.begin(), of_cpus.end(), std::uint64_t{0});
  }
  return sums;
}

int StateMaps::Find(const std::string& name) const {
  const auto found =
      std::find_if(maps_.begin(), maps_.end(), [&](const Owned& map) { return map.name == name; });
  return found == maps_.end() ? -1 : found->fd.get();
}

}  // namespace march::bpf
