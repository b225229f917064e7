#include "tests/kernels/check_case.h"

#include <utility>
#include <vector>

#include "base/print.h"
#include "bundle/abi/verdict.h"
#include "bundle/bundle.h"
#include "bundle/mappings.h"
#include "runtime/bpf/state_maps.h"
#include "tests/budget/everything.h"

namespace march::tests {
namespace {

// For a gateway that asks for what `state` is for.
Outcome<bpf::TestRun> LoadBundle(const std::string& bytes, const bpf::StateMaps& state) {
  const auto bundle = bundle::Read(bytes);
  if (!bundle) return bundle.diagnostics();
  const std::string* object = bundle->Find(bundle::kXdpObjectPath);
  const std::string* tables = bundle->Find(bundle::kClassifierPath);
  const std::string* mappings = bundle->Find(bundle::kMappingsPath);
  if (object == nullptr || tables == nullptr || mappings == nullptr) {
    return MakeDiagnostic(Code::kBundleMalformed, {}, "the bundle has no program");
  }
  const auto names = bundle::ReadMappings(*mappings);
  if (!names) return names.diagnostics();
  const std::size_t slots = MARCH_SLOT_FIRST_MAPPING + names->mappings.size();
  const std::vector<bpf::StateMap> maps = state.maps();
  return bpf::TestRun::Load(
      {*object, *tables, static_cast<std::uint32_t>(slots), state.config(), maps});
}

std::string Counted(const march_counter& counter) {
  return std::to_string(counter.packets) + " packets of " + std::to_string(counter.bytes) +
         " bytes";
}

// Sends all frames; what is wrong, or "".
std::string SendFrames(bpf::TestRun& program, const std::vector<Frame>& frames) {
  auto before = program.ReadAll();
  if (!before) return TextOf(before.diagnostics());
  std::vector<march_counter> expected = *std::move(before);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    const Frame& frame = frames[i];
    const std::string which = "frame " + std::to_string(i + 1);
    const auto result = program.Run(frame.bytes);
    if (!result) return which + ": " + TextOf(result.diagnostics());
    if (result->xdp_action != frame.xdp_action) {
      return which + ": the program returned " + std::to_string(result->xdp_action) +
             " instead of " + NameOfAction(frame.xdp_action);
    }
    for (const std::uint32_t slot : frame.slots) {
      if (slot >= expected.size()) return which + ": there is no slot " + std::to_string(slot);
      expected[slot].packets += 1;
      expected[slot].bytes += frame.bytes.size();
    }
  }
  const auto counted = program.ReadAll();
  if (!counted) return TextOf(counted.diagnostics());
  for (std::size_t slot = 0; slot < expected.size(); ++slot) {
    const march_counter& found = counted->at(slot);
    if (found.packets == expected[slot].packets && found.bytes == expected[slot].bytes) continue;
    return "slot " + std::to_string(slot) + " counted " + Counted(found) + " instead of " +
           Counted(expected[slot]);
  }
  return {};
}

// What is wrong with how it loads where a gateway asks for everything, or "".
std::string LoadWithEverything(const Case& checked) {
  const auto state = bpf::StateMaps::Open("", EverythingAsked());
  if (!state) return TextOf(state.diagnostics());
  const auto program = LoadBundle(checked.bundle, *state);
  if (!program) return "with everything asked for: " + TextOf(program.diagnostics());
  const auto figures = program->Figures();
  if (!figures) return TextOf(figures.diagnostics());
  if (checked.estimate && figures->verified_instructions > *checked.estimate) {
    return "with everything asked for, " + std::to_string(figures->verified_instructions) +
           " instructions were verified, by estimate " + std::to_string(*checked.estimate) +
           " at most";
  }
  return {};
}

}  // namespace

CaseReport CheckCase(const Case& checked) {
  CaseReport report;
  auto program = LoadBundle(checked.bundle, {});
  if (!program) {
    report.problem = TextOf(program.diagnostics());
    return report;
  }
  const auto figures = program->Figures();
  if (!figures) {
    report.problem = TextOf(figures.diagnostics());
    return report;
  }
  report.figures = *figures;
  if (checked.estimate && figures->verified_instructions > *checked.estimate) {
    report.problem = std::to_string(figures->verified_instructions) +
                     " instructions were verified, by estimate " +
                     std::to_string(*checked.estimate) + " at most";
    return report;
  }
  report.problem = SendFrames(*program, checked.frames);
  if (report.problem.empty()) report.problem = LoadWithEverything(checked);
  return report;
}

}  // namespace march::tests
