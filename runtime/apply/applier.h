// The state machine of marchd: which generation is in force, and how another comes to be.
//
// The kernel decides what is in force: the program its links run. `current` on disk records it for
// the next boot, when the kernel has forgotten. Every step is ordered so that a process killed
// between any two leaves the old generation or the new in force, with every count found once:
//
//   store the bundle -> load and pin -> update the links -> write `current`
//     -> wait until nothing runs the old program -> fold its counters into state.json -> unpin it
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/outcome.h"
#include "bundle/bundle.h"
#include "bundle/mappings.h"
#include "runtime/apply/store.h"
#include "runtime/bpf/kernel.h"
#include "runtime/telemetry/log.h"
#include "runtime/telemetry/snapshot.h"

namespace march::apply {

struct Interface {
  std::string name;
  bpf::XdpMode mode = bpf::XdpMode::kAuto;
  bool fast = false;  // bpf::Guarded
};

struct Config {
  std::string state_directory;
  std::vector<Interface> interfaces;
  bundle::Trust trust;
  bool drop_without_policy = false;
  // Of the kernel that runs (bpf::KernelRelease); a bundle may ask for a newer one.
  std::string kernel_release;
};

struct Applied {
  bool changed = false;  // false: these very bytes were in force already
  std::uint64_t generation = 0;
  std::uint64_t serial = 0;
  std::string policy_digest;
  std::vector<telemetry::InterfaceState> interfaces;
};

// Whether an error of Accept is the bundle's fault (do not send it again) or the gateway's.
bool IsRefusal(const Diagnostics& diagnostics);

// Not thread-safe. Refers to its edges; they must outlive it.
class Applier {
 public:
  Applier(Config config, bpf::Kernel& kernel, FileSystem& files, telemetry::Logger& log);

  // Takes over what is in force, or puts the last good generation in force, or locks down. Once,
  // and before anything else. Fails only where nothing could be decided at all.
  Outcome<Done> Start();

  // Puts a bundle in force. On failure the old generation is in force as before. Refusals: those of
  // bundle::Verify and kBundleOldSerial. kKernelTooOld is the gateway's fault, not the bundle's.
  Outcome<Applied> Accept(std::string_view bytes);

  // Attaches to interfaces that came back and retries what failed. Call it every few seconds.
  void Reconcile();

  // Tells the programs what interfaces and routes are like now. Reconcile does it too.
  void Survey();

  // Ends enforcement: detaches everywhere, keeps the counts.
  Outcome<Done> Withdraw();

  Outcome<telemetry::Snapshot> Observe() const;

  // The one in force; none without a policy and in lockdown.
  std::optional<std::uint64_t> CurrentNumber() const;
  // What the slots of a generation stand for; null if its bundle is no longer stored. Good until
  // the next change.
  const bundle::MappingTable* MappingsOf(std::uint64_t generation) const {
    return NamesOf(generation);
  }
  // The bytes of a bundle that was accepted; the last few are kept. Error: kCannotRead.
  Outcome<std::string> StoredBundle(std::uint64_t generation) const;

 private:
  // What is known of a generation besides its number; all empty if its bundle is lost.
  struct Generation {
    std::uint64_t number = 0;
    bundle::Manifest manifest;
    std::string digest;  // of the bundle's bytes
  };
  struct Undo {
    std::string interface;
    std::optional<std::uint64_t> generation;  // to run again; none: to detach
  };

  // start.cc
  bool RecoverState();
  Outcome<Done> CheckKernel(const bundle::Manifest& manifest) const;
  std::vector<std::uint64_t> Candidates(const bpf::Pins& pins) const;
  void Adopt(std::uint64_t generation);
  Outcome<Done> LoadStored(std::uint64_t generation);
  Outcome<Done> EnterLockdown(const bpf::Pins& pins);
  void Reconfigure();

  // accept.cc
  std::uint64_t NextNumber(const bpf::Pins& pins) const;
  Outcome<Done> Switch(std::uint64_t generation, const bpf::Pins& pins, std::vector<Undo>& undo);
  void PutBack(const std::vector<Undo>& undo);
  Outcome<Applied> Install(std::string_view bytes, const bundle::Bundle& bundle);
  Applied Answer(bool changed) const;

  // applier.cc
  std::optional<std::uint64_t> InForce() const;
  bool Steer(const Interface& interface, const bpf::Link* link, std::uint64_t generation);
  void Note(const std::string& interface, std::string mode, std::string problem);
  Outcome<Done> Tidy();
  void Settle();
  const bundle::MappingTable* NamesOf(std::uint64_t generation) const;

  Config config_;
  bpf::Kernel& kernel_;
  telemetry::Logger& log_;
  Store store_;
  State state_;                            // what state.json holds
  std::optional<std::uint64_t> recorded_;  // what `current` holds
  std::optional<Generation> current_;
  bool lockdown_ = false;
  std::string lockdown_reason_;
  mutable std::map<std::uint64_t, std::optional<bundle::MappingTable>> names_;
  std::map<std::string, telemetry::InterfaceState> interfaces_;
  std::uint64_t swaps_ = 0;
  std::uint64_t refused_ = 0;
};

const bpf::Link* FindLink(const bpf::Pins& pins, const std::string& interface);

}  // namespace march::apply
