// What marchctl compiled and marchd would load.
#include "bench/common/fail.h"
#include "bench/fastpath/subjects/subject.h"
#include "runtime/bpf/loader.h"

namespace march::bench {
namespace {

class Generated final : public ProgramSubject {
 public:
  explicit Generated(const Policy& policy) : ProgramSubject(kOurs) {
    facts_.instructions = policy.cost.instructions;
    facts_.table_bytes = policy.tables.size();
    facts_.load_seconds = SecondsOf([&] {
      auto loaded = bpf::LoadProgram({policy.object, policy.tables, policy.slots});
      if (!loaded.ok()) FailWith(loaded.diagnostics());
      program_ = std::move(loaded).value();
    });
  }
  int program() const override { return program_.prog.get(); }

 private:
  bpf::Program program_;
};

}  // namespace

MadeSubject MakeGenerated(const Policy& policy, const Workspace&) {
  return {std::make_unique<Generated>(policy), ""};
}

}  // namespace march::bench
