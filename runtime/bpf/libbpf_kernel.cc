#include "runtime/bpf/libbpf_kernel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/magic.h>
#include <linux/membarrier.h>
#include <net/if.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <map>
#include <thread>
#include <utility>

#include "base/number.h"
#include "runtime/bpf/interfaces.h"
#include "runtime/bpf/libbpf_log.h"
#include "runtime/bpf/loader.h"
#include "runtime/flows/carrier.h"

namespace march::bpf {
namespace {

// bpffs reserves dots in names, interfaces (eth0.100) do not.
std::string PinName(std::string_view interface) {
  std::string name;
  for (const char c : interface) {
    if (c == '.') {
      name += "%2E";
    } else if (c == '%') {
      name += "%25";
    } else {
      name += c;
    }
  }
  return name;
}

std::string InterfaceOf(std::string_view pin_name) {
  std::string name;
  for (std::size_t i = 0; i < pin_name.size(); ++i) {
    const std::string_view rest = pin_name.substr(i, 3);
    if (rest == "%2E" || rest == "%25") {
      name += rest == "%2E" ? '.' : '%';
      i += 2;
    } else {
      name += pin_name[i];
    }
  }
  return name;
}

Outcome<std::vector<std::string>> NamesIn(const std::string& directory) {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error) return KernelRefused("list " + directory, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

bool Exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

Outcome<UniqueFd> OpenPin(const std::string& path) {
  UniqueFd fd(bpf_obj_get(path.c_str()));
  if (!fd.ok()) return KernelRefused("open the pin " + path, errno);
  return fd;
}

Outcome<Done> Pin(int fd, const std::string& path) {
  if (const int error = bpf_obj_pin(fd, path.c_str()); error != 0) {
    return KernelRefused("pin " + path, -error);
  }
  return Done{};
}

Outcome<Done> Unlink(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return KernelRefused("unpin " + path, errno);
  return Done{};
}

bpf_prog_info ProgramInfo(int fd) {
  bpf_prog_info info{};
  std::uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd, &info, &size) != 0) return {};
  return info;
}

// 0 where nothing is pinned.
Outcome<std::uint32_t> ProgramIdOf(const std::string& pin) {
  const UniqueFd fd(bpf_obj_get(pin.c_str()));
  if (!fd.ok() && errno == ENOENT) return 0U;
  if (!fd.ok()) return KernelRefused("open the pin " + pin, errno);
  const std::uint32_t id = ProgramInfo(fd.get()).id;
  if (id == 0) return KernelRefused("look at the pin " + pin, errno);
  return id;
}

// None: the kernel would not say.
std::optional<bpf_xdp_query_opts> QueryXdp(unsigned ifindex) {
  bpf_xdp_query_opts answer{};
  answer.sz = sizeof(answer);
  if (bpf_xdp_query(static_cast<int>(ifindex), 0, &answer) != 0) return std::nullopt;
  return answer;
}

// Its name, for those who may ask for it (CAP_SYS_ADMIN), and its id.
std::string Describe(std::uint32_t id) {
  const UniqueFd fd(bpf_prog_get_fd_by_id(id));
  const bpf_prog_info info = fd.ok() ? ProgramInfo(fd.get()) : bpf_prog_info{};
  const std::string name(info.name, ::strnlen(info.name, sizeof(info.name)));
  return (name.empty() ? "" : "\"" + name + "\" ") + "(id " + std::to_string(id) + ")";
}

// Refusals that mean "this driver, or this driver as configured, has no native XDP".
bool MeansNoNativeXdp(int error) {
  constexpr int kNotSupported = 524;  // ENOTSUPP, which leaks from some drivers
  return error == EOPNOTSUPP || error == EINVAL || error == ERANGE || error == E2BIG ||
         error == kNotSupported;
}

UniqueFd CreateLink(int program, unsigned ifindex, std::uint32_t flags) {
  bpf_link_create_opts options{};
  options.sz = sizeof(options);
  options.flags = flags;
  return UniqueFd(bpf_link_create(program, static_cast<int>(ifindex), BPF_XDP, &options));
}

// Only the kernel's own word makes a link dead: whoever is taken for dead is unpinned.
Link Examine(const std::string& path, const std::string& interface,
             const std::map<std::uint32_t, std::uint64_t>& generation_of_program) {
  Link link{interface, LinkState::kUnknown, std::nullopt, XdpMode::kAuto};
  const auto with = [&](LinkState state) {
    link.state = state;
    return link;
  };
  const UniqueFd fd(bpf_obj_get(path.c_str()));
  if (!fd.ok()) return with(errno == ENOENT ? LinkState::kDead : LinkState::kUnknown);
  bpf_link_info info{};
  std::uint32_t size = sizeof(info);
  if (bpf_obj_get_info_by_fd(fd.get(), &info, &size) != 0 || info.type != BPF_LINK_TYPE_XDP) {
    return link;
  }
  const auto found = generation_of_program.find(info.prog_id);
  if (found != generation_of_program.end()) link.generation = found->second;
  const unsigned ifindex = ::if_nametoindex(interface.c_str());
  if (ifindex == 0 && errno != ENODEV) return link;
  if (ifindex == 0 || info.xdp.ifindex != ifindex) return with(LinkState::kDead);
  // Numbers of interfaces repeat between network namespaces; what runs there settles it.
  const auto now = QueryXdp(ifindex);
  if (!now) return link;
  if (now->drv_prog_id != info.prog_id && now->skb_prog_id != info.prog_id) {
    return with(LinkState::kDead);
  }
  link.mode = now->drv_prog_id == info.prog_id ? XdpMode::kNative : XdpMode::kGeneric;
  return with(LinkState::kAlive);
}

}  // namespace

std::string_view NameOf(XdpMode mode) {
  switch (mode) {
    case XdpMode::kNative:
      return "native";
    case XdpMode::kGeneric:
      return "generic";
    case XdpMode::kAuto:
      break;
  }
  return "auto";
}

LibbpfKernel::LibbpfKernel(std::string directory, const march_config& config)
    : directory_(std::move(directory)), config_(config) {}

std::string LibbpfKernel::GenerationDirectory(std::uint64_t generation) const {
  return directory_ + "/generations/" + std::to_string(generation);
}

std::string LibbpfKernel::LinkPath(const std::string& interface) const {
  return directory_ + "/links/" + PinName(interface);
}

Outcome<Done> LibbpfKernel::Prepare() {
  std::filesystem::path existing = directory_;
  while (existing.has_relative_path() && !std::filesystem::exists(existing)) {
    existing = existing.parent_path();
  }
  struct statfs status{};
  if (::statfs(existing.c_str(), &status) != 0) {
    return KernelRefused("look at " + existing.string(), errno);
  }
  if (static_cast<unsigned long>(status.f_type) != BPF_FS_MAGIC) {
    return MakeDiagnostic(Code::kKernelRefused, {}, existing.string() + " is not on a bpffs",
                          "mount -t bpf bpf " + existing.string());
  }
  for (const char* folder : {"/generations", "/links", "/state"}) {
    std::error_code error;
    std::filesystem::create_directories(directory_ + folder, error);
    if (error) return KernelRefused("make " + directory_ + folder, error.value());
  }
  lock_ = UniqueFd(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_.ok()) return KernelRefused("open " + directory_, errno);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return MakeDiagnostic(Code::kTargetFailed, {}, "another marchd uses " + directory_,
                          "one directory of pins serves one marchd");
  }
  auto state = StateMaps::Open(directory_ + "/state", config_);
  if (!state.ok()) return std::move(state).diagnostics();
  state_ = std::move(state).value();
  if (config_.forward.fast != 0) routing_.emplace();
  const auto names = NamesIn(directory_ + "/generations");
  if (!names.ok()) return names.diagnostics();
  for (const std::string& name : *names) {
    const auto number = ReadNumber<std::uint64_t>(name);
    if (!number || Exists(GenerationDirectory(*number) + "/prog")) continue;
    if (auto removed = Unload(*number); !removed.ok()) return removed;
  }
  return then_(state_);
}

Outcome<Pins> LibbpfKernel::Discover() const {
  Pins pins;
  const auto generations = NamesIn(directory_ + "/generations");
  if (!generations.ok()) return generations.diagnostics();
  std::map<std::uint32_t, std::uint64_t> generation_of_program;
  for (const std::string& name : *generations) {
    const auto number = ReadNumber<std::uint64_t>(name);
    if (!number) continue;
    const auto id = ProgramIdOf(GenerationDirectory(*number) + "/prog");
    if (!id.ok()) return id.diagnostics();
    if (*id == 0) continue;
    pins.generations.push_back(*number);
    generation_of_program[*id] = *number;
  }
  std::sort(pins.generations.begin(), pins.generations.end());
  const auto links = NamesIn(directory_ + "/links");
  if (!links.ok()) return links.diagnostics();
  for (const std::string& name : *links) {
    const std::string interface = InterfaceOf(name);
    pins.links.push_back(Examine(LinkPath(interface), interface, generation_of_program));
  }
  return pins;
}

Outcome<Done> LibbpfKernel::Load(std::uint64_t generation, const Image& image) {
  const std::vector<StateMap> state = state_.maps();
  Image configured = image;
  configured.config = ConfigOf(generation);
  configured.state = state;
  auto program = LoadProgram(configured);
  if (!program.ok()) return std::move(program).diagnostics();
  if (auto cleared = Unload(generation); !cleared.ok()) return cleared;
  const std::string directory = GenerationDirectory(generation);
  if (::mkdir(directory.c_str(), 0700) != 0) return KernelRefused("make " + directory, errno);
  // The program comes last: where it is pinned, the generation is complete.
  auto pinned = Pin(program->tables.get(), directory + "/tables");
  if (pinned.ok()) pinned = Pin(program->counters.get(), directory + "/counters");
  if (pinned.ok() && program->config.ok()) {
    pinned = Pin(program->config.get(), directory + "/config");
  }
  if (pinned.ok()) pinned = Pin(program->prog.get(), directory + "/prog");
  // As shortly before it is attached as may be.
  if (pinned.ok()) pinned = CarryConnections();
  if (!pinned.ok()) static_cast<void>(Unload(generation));
  return pinned;
}

Outcome<Done> LibbpfKernel::CarryConnections() {
  const auto& former = state_.former();
  if (!former) return Done{};
  auto from = flows::FlowTable::Map(former->buckets.get(), former->flows.get(), former->config);
  if (!from.ok()) return std::move(from).diagnostics();
  auto to = flows::FlowTable::Map(state_.Find("march_flow_buckets"), state_.Find("march_flows"),
                                  state_.config());
  if (!to.ok()) return std::move(to).diagnostics();
  flows::CarryFlows(*from, *to, flows::CurrentTick());
  return Done{};
}

// Whether a link runs a program that was loaded with another configuration, or might.
bool LibbpfKernel::RunsOtherConfiguration() const {
  const auto pins = Discover();
  if (!pins.ok()) return true;
  return std::any_of(pins->links.begin(), pins->links.end(), [&](const Link& link) {
    return link.state != LinkState::kDead && (!link.generation || !IsConfigured(*link.generation));
  });
}

march_config LibbpfKernel::ConfigOf(std::uint64_t generation) const {
  march_config config = state_.config();
  config.flows.generation = static_cast<std::uint32_t>(generation);
  return config;
}

bool LibbpfKernel::IsConfigured(std::uint64_t generation) const {
  const auto map = OpenPin(GenerationDirectory(generation) + "/config");
  if (!map.ok()) return true;
  bpf_map_info info{};
  std::uint32_t info_size = sizeof(info);
  if (bpf_obj_get_info_by_fd(map->get(), &info, &info_size) != 0) return true;
  march_config wanted = ConfigOf(generation);
  std::vector<char> bytes(std::max<std::size_t>(info.value_size, sizeof(wanted)));
  const std::uint32_t key = 0;
  if (bpf_map_lookup_elem(map->get(), &key, bytes.data()) != 0) return false;
  march_config given{};
  std::memcpy(&given, bytes.data(), std::min<std::size_t>(info.value_size, sizeof(given)));
  // A program without limits is told of none.
  if (given.limits.lines == 0) wanted.limits.lines = 0;
  return info.value_size <= sizeof(wanted) && std::memcmp(&given, &wanted, info.value_size) == 0;
}

Outcome<Done> LibbpfKernel::LoadLockdown() {
  auto program = LoadDropAll();
  if (!program.ok()) return std::move(program).diagnostics();
  if (auto cleared = Unload(kLockdown); !cleared.ok()) return cleared;
  const std::string directory = GenerationDirectory(kLockdown);
  if (::mkdir(directory.c_str(), 0700) != 0) return KernelRefused("make " + directory, errno);
  return Pin(program->get(), directory + "/prog");
}

Outcome<Done> LibbpfKernel::Unload(std::uint64_t generation) {
  const std::string directory = GenerationDirectory(generation);
  for (const char* name : {"/prog", "/config", "/counters", "/tables"}) {
    if (auto unpinned = Unlink(directory + name); !unpinned.ok()) return unpinned;
  }
  if (::rmdir(directory.c_str()) != 0 && errno != ENOENT) {
    return KernelRefused("remove " + directory, errno);
  }
  return Done{};
}

bool LibbpfKernel::HasInterface(const std::string& name) const {
  return ::if_nametoindex(name.c_str()) != 0;
}

Outcome<Attached> LibbpfKernel::Attach(const std::string& interface, XdpMode mode,
                                       std::uint64_t generation) {
  const LibbpfLog log;
  const unsigned ifindex = ::if_nametoindex(interface.c_str());
  if (ifindex == 0) {
    return MakeDiagnostic(Code::kKernelRefused, {}, "there is no interface " + interface,
                          "`ip link` lists the interfaces");
  }
  auto program = OpenPin(GenerationDirectory(generation) + "/prog");
  if (!program.ok()) return std::move(program).diagnostics();
  if (Examine(LinkPath(interface), interface, {}).state != LinkState::kDead) {
    return MakeDiagnostic(Code::kKernelRefused, {},
                          "a link of marchd's may still be attached to " + interface);
  }
  // A pin that is left here belongs to an interface that is gone.
  if (auto cleared = Detach(interface); !cleared.ok()) return std::move(cleared).diagnostics();
  const auto now = QueryXdp(ifindex);
  if (!now) return KernelRefused("ask what runs on " + interface, errno);
  if (now->attach_mode != XDP_ATTACHED_NONE) {
    return MakeDiagnostic(
        Code::kKernelRefused, {},
        interface + " already runs the XDP program " + Describe(now->prog_id) +
            ", which is not marchd's",
        "remove it first, for example with `ip link set dev " + interface + " xdp off`");
  }
  Attached attached;
  UniqueFd link;
  if (mode != XdpMode::kGeneric) {
    attached.mode = XdpMode::kNative;
    link = CreateLink(program->get(), ifindex, XDP_FLAGS_DRV_MODE);
    const int error = link.ok() ? 0 : errno;
    if (!link.ok() && (mode == XdpMode::kNative || !MeansNoNativeXdp(error))) {
      return KernelRefused("attach to " + interface + " in native mode", error,
                           MeansNoNativeXdp(error) ? "`xdp: generic` works with every driver" : "");
    }
    if (!link.ok()) attached.native_refusal = std::generic_category().message(error);
  }
  if (!link.ok()) {
    attached.mode = XdpMode::kGeneric;
    link = CreateLink(program->get(), ifindex, XDP_FLAGS_SKB_MODE);
    if (!link.ok()) return KernelRefused("attach to " + interface + " in generic mode", errno);
  }
  // Should the pin fail, closing the link detaches it again.
  auto pinned = Pin(link.get(), LinkPath(interface));
  if (!pinned.ok()) return std::move(pinned).diagnostics();
  return attached;
}

Outcome<Done> LibbpfKernel::Replace(const std::string& interface, std::uint64_t generation) {
  auto link = OpenPin(LinkPath(interface));
  if (!link.ok()) return std::move(link).diagnostics();
  auto program = OpenPin(GenerationDirectory(generation) + "/prog");
  if (!program.ok()) return std::move(program).diagnostics();
  if (const int error = bpf_link_update(link->get(), program->get(), nullptr); error != 0) {
    return KernelRefused("replace the program on " + interface, -error);
  }
  return Done{};
}

Outcome<Done> LibbpfKernel::Detach(const std::string& interface) {
  // Unlinking a pin detaches too, but some time later.
  const UniqueFd link(bpf_obj_get(LinkPath(interface).c_str()));
  if (link.ok()) static_cast<void>(bpf_link_detach(link.get()));
  return Unlink(LinkPath(interface));
}

Outcome<std::vector<std::string>> LibbpfKernel::Survey(std::span<const Guarded> interfaces) {
  std::vector<std::string> problems(interfaces.size());
  const int map = state_.Find("march_interfaces");
  if (map < 0) return problems;
  std::vector<Surveyed> surveyed = SurveyInterfaces(interfaces);
  const PlainRouting routing = LookAtRouting();
  TellRouting(routing, RoutingWatch::Clock::now().time_since_epoch(), surveyed);
  told_routing_.reset();
  if (auto written = WriteInterfaces(map, surveyed); !written.ok()) {
    return std::move(written).diagnostics();
  }
  if (routing_) told_routing_ = routing;
  for (std::size_t i = 0; i < surveyed.size(); ++i) {
    if (interfaces[i].fast) problems[i] = std::move(surveyed[i].problem);
  }
  return problems;
}

PlainRouting LibbpfKernel::LookAtRouting() {
  return routing_ ? routing_->Look(RoutingWatch::Clock::now()) : PlainRouting{};
}

bool LibbpfKernel::HasOtherRouting() {
  return routing_ && told_routing_ != LookAtRouting();
}

bool LibbpfKernel::Settle() {
  const bool is_settled = WaitForPrograms();
  // What came while the links were updated.
  if (state_.former() && CarryConnections().ok() && !RunsOtherConfiguration()) {
    state_.ForgetFormer();
  }
  return is_settled;
}

bool LibbpfKernel::WaitForPrograms() {
  // MEMBARRIER_CMD_GLOBAL is synchronize_rcu() made callable. An XDP program runs inside one RCU
  // read-side section (its softirq), and a link update publishes the new program before it returns:
  // after one grace period no CPU can still be in the old one, and its counters stand still.
  if (::syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) == 0) return true;
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  return false;
}

Outcome<std::vector<march_counter>> LibbpfKernel::ReadCounters(std::uint64_t generation) const {
  if (generation == kLockdown) return std::vector<march_counter>{};
  auto counters = OpenPin(GenerationDirectory(generation) + "/counters");
  if (!counters.ok()) return std::move(counters).diagnostics();
  return SumCounters(counters->get());
}

}  // namespace march::bpf
