// Engines decide flows. They are built on nothing in common but the policy, and must never differ:
// the model reads the policy as a person would, the tables walk what the compiler emitted, and the
// kernel (cli/kernel_engine.h) runs the generated program.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/outcome.h"
#include "compiler/classify/tables.h"
#include "compiler/model/policy.h"
#include "compiler/prove/decision.h"
#include "compiler/space/flow.h"

namespace march::prove {

class Engine {
 public:
  virtual ~Engine() = default;
  virtual Outcome<Decision> Decide(const space::Flow& flow) = 0;
};

// Design section 2, word for word: every mapping is tried on every flow.
class ModelEngine final : public Engine {
 public:
  // `policy` must outlive the engine.
  explicit ModelEngine(const model::Policy& policy);

  Outcome<Decision> Decide(const space::Flow& flow) override;

  // The mappings that match, in the order in which they would decide. A later fragment matches a
  // mapping if some destination port would.
  std::vector<std::uint32_t> Matching(const space::Flow& flow) const;

 private:
  // Likewise, those under audit among them.
  std::vector<std::uint32_t> AllMatching(const space::Flow& flow) const;
  Decision DecideWhole(const space::Flow& flow) const;
  bool MatchesEveryPort(const model::Mapping& mapping, const space::Flow& flow) const;
  Decision DecideFragment(const space::Flow& flow) const;
  static Decision Counted(Decision decision, std::optional<std::uint32_t> first, bool known);
  bool Matches(const model::Mapping& mapping, const space::Flow& flow) const;
  bool Precedes(std::uint32_t a, std::uint32_t b) const;

  const model::Policy& policy_;
};

// bpf-templates/common/walk.h on the emitted words.
class TablesEngine final : public Engine {
 public:
  // `tables` must outlive the engine.
  explicit TablesEngine(const classify::Tables& tables) : tables_(tables) {}

  Outcome<Decision> Decide(const space::Flow& flow) override;

 private:
  const classify::Tables& tables_;
};

}  // namespace march::prove
