// The edge to the kernel. What marchd has in the kernel is pinned in bpffs and named by generation
// number and interface, so a restarted marchd holds exactly what the one before it held.
//
//   DIRECTORY/generations/N/{prog,tables,counters,config}
//   DIRECTORY/links/INTERFACE
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/outcome.h"
#include "bundle/abi/config.h"
#include "bundle/abi/verdict.h"

namespace march::bpf {

// The generation that drops every packet and counts none.
inline constexpr std::uint64_t kLockdown = 0;

enum class XdpMode { kAuto, kNative, kGeneric };
std::string_view NameOf(XdpMode mode);

// A map that outlives the programs which use it.
struct StateMap {
  std::string name;  // "march_flows"
  int fd = -1;
};

// What one generation loads. Views: owned by the caller, needed only during the call.
struct Image {
  std::string_view object;  // ELF, see LoadProgram
  std::string_view tables;  // words of bundle/abi/tables.h
  std::uint32_t slots = 0;  // of march_counters
  // What the gateway asks for; all zero: every packet is judged by itself.
  march_config config{};
  // Those that `config` needs. Others that the object has are left out of the program.
  std::span<const StateMap> state = {};
};

// An interface that is to enforce. `fast`: packets between two of these are forwarded by the
// program.
struct Guarded {
  std::string name;
  bool fast = false;
};

// kAlive: attached to the interface that bears the name today. kDead: the kernel says that it is
// not. kUnknown: the kernel would not say (out of descriptors or memory, say); it may well enforce.
enum class LinkState { kDead, kAlive, kUnknown };

struct Link {
  std::string interface;
  LinkState state = LinkState::kDead;
  std::optional<std::uint64_t> generation;  // whose program it runs; none if that is not known
  XdpMode mode = XdpMode::kAuto;            // native or generic when alive
};

struct Pins {
  std::vector<std::uint64_t> generations;  // ascending
  std::vector<Link> links;                 // by interface
};

struct Attached {
  XdpMode mode = XdpMode::kAuto;
  std::string native_refusal;  // why kAuto settled for generic, else ""
};

// Errors are kKernelRefused, and kBundleMalformed for an image that cannot be one.
class Kernel {
 public:
  virtual ~Kernel() = default;

  // Checks bpffs, makes the directories, removes what an interrupted load or unload left behind.
  // Fails with kTargetFailed when another marchd holds them. Before anything else.
  virtual Outcome<Done> Prepare() = 0;
  virtual Outcome<Pins> Discover() const = 0;

  // Loads and pins; on failure nothing of the generation is left.
  virtual Outcome<Done> Load(std::uint64_t generation, const Image& image) = 0;
  virtual Outcome<Done> LoadLockdown() = 0;
  // Whether it was loaded with what would be given to it now. True where it cannot be configured.
  virtual bool IsConfigured(std::uint64_t generation) const = 0;
  // Unpins; the kernel frees a generation once no link runs it.
  virtual Outcome<Done> Unload(std::uint64_t generation) = 0;

  virtual bool HasInterface(const std::string& name) const = 0;
  // Attaches a pinned generation to an interface that has no link of ours or a dead one, and pins
  // the link. Any other link of ours, and a program of somebody else, is an error, never replaced.
  virtual Outcome<Attached> Attach(const std::string& interface, XdpMode mode,
                                   std::uint64_t generation) = 0;
  // Atomic for packets: each one sees the old program or the new.
  virtual Outcome<Done> Replace(const std::string& interface, std::uint64_t generation) = 0;
  // Detaches and unpins; no link there is a success.
  virtual Outcome<Done> Detach(const std::string& interface) = 0;

  // Tells the programs what the interfaces are like now, as far as that is any use to them. For
  // each, why it is not fast although it is to be, or "".
  virtual Outcome<std::vector<std::string>> Survey(std::span<const Guarded> interfaces) = 0;

  // Returns when no packet is any more inside a program that was replaced or detached before the
  // call. False: the kernel could not promise it, and a short sleep had to do.
  virtual bool Settle() = 0;

  // Sums over the CPUs, by slot. Empty for kLockdown.
  virtual Outcome<std::vector<march_counter>> ReadCounters(std::uint64_t generation) const = 0;
};

}  // namespace march::bpf
