// A gateway in memory for the applier's tests: kernel, disk, traffic, and faults at any step.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/file_system.h"
#include "bundle/abi/tables.h"
#include "bundle/bundle.h"
#include "bundle/mappings.h"
#include "runtime/apply/applier.h"
#include "runtime/bpf/fake_kernel.h"

namespace march::apply {

// The process dies.
struct Killed {};

enum class Fault { kKill, kFail, kFailAlthoughDone, kFailFromHereOn };

inline const bundle::PrivateKey& TestKey() {
  static const bundle::PrivateKey key({1, 2, 3});
  return key;
}

// A bundle whose program the fake kernel can tell apart by `label`, and whose first mapping has it
// for a name.
inline std::string MakeBundle(const std::string& label, std::uint64_t serial,
                              const std::string& cluster = "default",
                              const std::string& minimum_kernel = "5.15",
                              const std::string& minimum_kernel_for = "") {
  bundle::MappingTable names;
  names.default_action = "deny";
  names.mappings = {{label, "allow", 0, "p.yaml:1"}, {label + "-more", "deny", 0, "p.yaml:2"}};
  bundle::Contents contents;
  contents.cluster = cluster;
  contents.serial = serial;
  contents.mappings = names.mappings.size();
  contents.tool_version = "0.1.0";
  contents.minimum_kernel = minimum_kernel;
  contents.minimum_kernel_for = minimum_kernel_for;
  contents.files = {
      {std::string(bundle::kPolicyPrefix) + "p.yaml", label},
      {std::string(bundle::kXdpObjectPath), label},
      {std::string(bundle::kClassifierPath), std::string(sizeof(march_tables_header), '\0')},
      {std::string(bundle::kMappingsPath), bundle::WriteMappings(names)},
      {std::string(bundle::kSlowPathPath), "{}"}};
  return *bundle::Pack(contents, {TestKey()});
}

class World {
 public:
  World() : files(*this) {
    kernel.interfaces["a"] = {1, true, ""};
    kernel.interfaces["b"] = {2, true, ""};
    kernel.before = [this](const std::string& operation) {
      return Step(operation) != Verdict::kProceed;
    };
    config.state_directory = "/state";
    config.interfaces = {{"a", bpf::XdpMode::kAuto}, {"b", bpf::XdpMode::kAuto}};
    config.trust.keys = {TestKey().Public()};
    config.trust.cluster = "default";
    config.kernel_release = "5.15.0-100-generic";
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // The fault happens at the `step`-th changing operation from now on, counted from 0.
  void Arm(Fault fault, int step) {
    fault_ = fault;
    remaining_ = step;
    fired = false;
  }
  void Disarm() { remaining_.reset(); }

  // One packet on every interface; what is counted is expected to be found again.
  void Traffic() {
    for (const auto& [name, interface] : kernel.interfaces) {
      const auto generation = kernel.Deliver(name, MARCH_SLOT_FIRST_MAPPING, 100);
      if (generation && *generation != bpf::kLockdown) ++expected[kernel.ObjectOf(*generation)];
    }
  }

  std::set<std::string> RunningLabels() {
    std::set<std::string> labels;
    const auto pins = kernel.Discover();
    for (const bpf::Link& link : pins->links) {
      if (link.state != bpf::LinkState::kAlive) continue;
      labels.insert(*link.generation == bpf::kLockdown ? "lockdown"
                                                       : kernel.ObjectOf(*link.generation));
    }
    return labels;
  }

  static std::map<std::string, std::uint64_t> Counted(const telemetry::Snapshot& snapshot) {
    std::map<std::string, std::uint64_t> counts;
    for (const auto& row : snapshot.mappings) {
      if (row.count.packets > 0) counts[row.name] += row.count.packets;
    }
    for (const auto& row : snapshot.retired) counts[row.name] += row.count.packets;
    if (snapshot.retired_rest.packets > 0) counts["rest"] = snapshot.retired_rest.packets;
    return counts;
  }

  // The disk, with faults.
  class Files final : public FileSystem {
   public:
    explicit Files(World& world) : world_(world) {}
    Kind KindOf(const std::string& path) const override { return memory.KindOf(path); }
    Outcome<std::string> Read(const std::string& path, std::uint64_t limit) const override {
      return memory.Read(path, limit);
    }
    Outcome<std::vector<std::string>> List(const std::string& path) const override {
      return memory.List(path);
    }
    Outcome<Done> WriteAtomically(const std::string& path, const std::string& content,
                                  unsigned mode) override {
      const Verdict verdict = world_.Step("write " + path);
      if (verdict == Verdict::kFail) return Broken(path);
      static_cast<void>(memory.WriteAtomically(path, content, mode));
      return verdict == Verdict::kProceed ? Outcome<Done>(Done{}) : Broken(path);
    }
    Outcome<Done> RewriteAtomically(const std::string& path, const std::string& content) override {
      return WriteAtomically(path, content, 0);
    }
    Outcome<Done> Remove(const std::string& path) override {
      const Verdict verdict = world_.Step("remove " + path);
      if (verdict == Verdict::kFail) return Broken(path);
      static_cast<void>(memory.Remove(path));
      return verdict == Verdict::kProceed ? Outcome<Done>(Done{}) : Broken(path);
    }

    MemoryFileSystem memory;

   private:
    static Outcome<Done> Broken(const std::string& path) {
      return MakeDiagnostic(Code::kCannotWrite, {}, "cannot write " + path + ": disk on fire");
    }
    World& world_;
  };

  bpf::FakeKernel kernel;
  Files files;
  Config config;
  std::string log_text;
  telemetry::Logger log{[this](const std::string& line) { log_text += line; }};
  std::map<std::string, std::uint64_t> expected;  // packets by label
  bool fired = false;
  std::string fired_at;

 private:
  enum class Verdict { kProceed, kFail, kDoneAndFail };

  Verdict Step(const std::string& operation) {
    Traffic();
    if (!remaining_ || --*remaining_ >= 0) return Verdict::kProceed;
    fired = true;
    fired_at = operation;
    if (fault_ == Fault::kKill) {
      Disarm();
      throw Killed{};
    }
    if (fault_ != Fault::kFailFromHereOn) Disarm();
    return fault_ == Fault::kFailAlthoughDone ? Verdict::kDoneAndFail : Verdict::kFail;
  }

  Fault fault_ = Fault::kKill;
  std::optional<int> remaining_;
};

}  // namespace march::apply
