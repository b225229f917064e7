#include "runtime/bpf/state_maps.h"

#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "bundle/abi/block.h"
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
};

// struct march_scratch of bpf-templates/xdp/connections.h.
constexpr std::uint32_t kScratchBytes = sizeof(march_key) + 72;

// Of all maps that there may be.
constexpr std::array kNames = {"march_block_filter", "march_blocks",  "march_flow_buckets",
                               "march_flows",        "march_scratch", "march_own_addresses",
                               "march_statistics"};

constexpr std::uint32_t kWordBytes = sizeof(std::uint64_t);

constexpr Form kSecret = {"secret", BPF_MAP_TYPE_ARRAY, sizeof(march_config::secret), 1, 0};

std::vector<Form> FormsOf(const march_config& config) {
  std::vector<Form> forms;
  const auto buckets = config.flows.established + config.flows.fresh;
  if (config.flows.established != 0) {
    forms.push_back({"march_flow_buckets", BPF_MAP_TYPE_ARRAY, sizeof(march_flow_bucket), buckets,
                     BPF_F_MMAPABLE});
    forms.push_back({"march_flows", BPF_MAP_TYPE_ARRAY, sizeof(march_flow),
                     buckets * MARCH_FLOW_LANES, BPF_F_MMAPABLE});
    forms.push_back({"march_scratch", BPF_MAP_TYPE_PERCPU_ARRAY, kScratchBytes, 1, 0});
  }
  if (config.abuse.blocks != 0) {
    forms.push_back({"march_block_filter", BPF_MAP_TYPE_ARRAY,
                     MARCH_BLOCK_FILTER_WORDS(config.abuse.blocks) * kWordBytes, 1,
                     BPF_F_MMAPABLE});
    forms.push_back({"march_blocks", BPF_MAP_TYPE_ARRAY, sizeof(march_block_line),
                     MARCH_BLOCK_LINES(config.abuse.blocks), BPF_F_MMAPABLE});
  }
  if ((config.abuse.screens & MARCH_SCREEN_SPOOFED) != 0) {
    forms.push_back({"march_own_addresses", BPF_MAP_TYPE_ARRAY, sizeof(march_own_line),
                     MARCH_OWN_LINES, BPF_F_MMAPABLE});
  }
  if (!forms.empty()) {
    forms.push_back({"march_statistics", BPF_MAP_TYPE_PERCPU_ARRAY, kWordBytes,
                     MARCH_STATISTICS, 0});
  }
  return forms;
}

bool HasForm(int fd, const Form& form) {
  bpf_map_info info{};
  std::uint32_t size = sizeof(info);
  return bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == form.type &&
         info.key_size == sizeof(std::uint32_t) && info.value_size == form.value_size &&
         info.max_entries == form.entries && info.map_flags == form.flags;
}

Outcome<UniqueFd> Make(const Form& form) {
  bpf_map_create_opts options{};
  options.sz = sizeof(options);
  options.map_flags = form.flags;
  UniqueFd fd(bpf_map_create(form.type, form.name, sizeof(std::uint32_t), form.value_size,
                             form.entries, &options));
  if (!fd.ok()) {
    return KernelRefused(
        "make the map " + std::string(form.name), errno,
        errno == ENOMEM ? "a smaller table in the configuration needs less memory" : "");
  }
  return fd;
}

// `is_new`: it was made, since none was pinned; `is_other`: since another one was.
struct Opened {
  UniqueFd fd;
  bool is_new = false;
  bool is_other = false;
};

Outcome<Opened> OpenOrMake(const std::string& directory, const Form& form) {
  const std::string path = directory.empty() ? "" : directory + "/" + form.name;
  Opened opened;
  if (!path.empty()) {
    opened.fd = UniqueFd(bpf_obj_get(path.c_str()));
    if (opened.fd.ok() && HasForm(opened.fd.get(), form)) return opened;
    if (!opened.fd.ok() && errno != ENOENT) return KernelRefused("open " + path, errno);
    opened.is_other = opened.fd.ok();
    if (opened.is_other && ::unlink(path.c_str()) != 0)
      return KernelRefused("remove " + path, errno);
  }
  auto made = Make(form);
  if (!made.ok()) return std::move(made).diagnostics();
  opened.fd = std::move(made).value();
  opened.is_new = true;
  if (!path.empty() && bpf_obj_pin(opened.fd.get(), path.c_str()) != 0) {
    return KernelRefused("pin " + path, errno);
  }
  return opened;
}

// The secret of what is in the maps.
Outcome<Done> ReadSecret(const std::string& directory, march_config& config) {
  const auto secret = OpenOrMake(directory, kSecret);
  if (!secret.ok()) return secret.diagnostics();
  const std::uint32_t key = 0;
  if (bpf_map_lookup_elem(secret->fd.get(), &key, &config.secret) != 0) {
    return KernelRefused("read the secret", errno);
  }
  // It is zero after a crash between making and filling it, too.
  if (config.secret[0] != 0) return Done{};
  do {
    if (::getrandom(&config.secret, sizeof(config.secret), 0) != sizeof(config.secret)) {
      return KernelRefused("choose a secret", errno);
    }
  } while (config.secret[0] == 0);
  if (bpf_map_update_elem(secret->fd.get(), &key, &config.secret, BPF_ANY) != 0) {
    return KernelRefused("keep the secret", errno);
  }
  return Done{};
}

}  // namespace

Outcome<StateMaps> StateMaps::Open(const std::string& directory, const march_config& config) {
  StateMaps state;
  state.config_ = config;
  if (auto read = ReadSecret(directory, state.config_); !read.ok()) {
    return std::move(read).diagnostics();
  }
  const std::vector<Form> forms = FormsOf(config);
  for (const char* name : kNames) {
    const bool needed = std::any_of(forms.begin(), forms.end(), [&](const Form& form) {
      return form.name == std::string(name);
    });
    if (!needed && !directory.empty()) ::unlink((directory + "/" + name).c_str());
  }
  for (const Form& form : forms) {
    auto opened = OpenOrMake(directory, form);
    if (!opened.ok()) return std::move(opened).diagnostics();
    if (opened->is_other) state.replaced_.emplace_back(form.name);
    state.maps_.push_back({form.name, std::move(opened->fd)});
  }
  return state;
}

std::vector<StateMap> StateMaps::maps() const {
  std::vector<StateMap> maps;
  maps.reserve(maps_.size());
  for (const Owned& map : maps_) maps.push_back({map.name, map.fd.get()});
  return maps;
}

int StateMaps::Find(const std::string& name) const {
  const auto found =
      std::find_if(maps_.begin(), maps_.end(), [&](const Owned& map) { return map.name == name; });
  return found == maps_.end() ? -1 : found->fd.get();
}

}  // namespace march::bpf
