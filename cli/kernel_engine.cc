#include "cli/kernel_engine.h"

#include <string_view>
#include <utility>

namespace march::cli {
namespace {

constexpr std::uint32_t kXdpDrop = 1;
constexpr std::uint32_t kXdpPass = 2;

}  // namespace

KernelEngine::KernelEngine(const pipeline::Compilation& compilation, bpf::TestRun program,
                           std::uint32_t slots)
    : compiled_(*compilation.tables),
      tables_(compiled_),
      program_(std::move(program)),
      seen_(slots, 0) {
  const auto& mappings = compilation.tables->mappings;
  slot_of_.resize(mappings.size());
  for (std::uint32_t i = 0; i < mappings.size(); ++i) {
    slot_of_[mappings[i]] = MARCH_SLOT_FIRST_MAPPING + i;
  }
  for (const auto& rule : compilation.rules->audits) {
    audit_slots_.push_back(slot_of_[rule.mapping]);
  }
}

Outcome<KernelEngine> KernelEngine::Load(const pipeline::Compilation& compilation) {
  const std::string tables = compilation.tables->Bytes();
  const std::uint32_t slots = compilation.tables->slots();
  auto program = bpf::TestRun::Load({compilation.object->bytes, tables, slots});
  if (!program) return program.diagnostics();
  return KernelEngine(compilation, *std::move(program), slots);
}

Outcome<bool> KernelEngine::Moved(std::uint32_t slot) {
  const auto counter = program_.ReadSlot(slot);
  if (!counter) return counter.diagnostics();
  const bool moved = counter->packets == seen_.at(slot) + 1;
  seen_.at(slot) = counter->packets;
  return moved;
}

Outcome<prove::Decision> KernelEngine::Decide(const space::Flow& flow) {
  const std::vector<std::uint8_t> frame = prove::BuildFrame(flow);
  const auto result = program_.Run({reinterpret_cast<const char*>(frame.data()), frame.size()});
  if (!result) return result.diagnostics();
  const auto odd = [&](const std::string& what) {
    return MakeDiagnostic(Code::kKernelRefused, {},
                          "the program " + what + " on " + flow.ToString(),
                          "this is a defect of marchctl; please report it with the policy");
  };
  if (result->xdp_action != kXdpDrop && result->xdp_action != kXdpPass) {
    return odd("returned " + std::to_string(result->xdp_action));
  }
  const model::Action action =
      result->xdp_action == kXdpPass ? model::Action::kAllow : model::Action::kDeny;

  const auto guess = tables_.Decide(flow);
  if (!guess) return guess.diagnostics();
  std::uint32_t audit = 0;
  for (const std::uint32_t slot : audit_slots_) {
    const auto audited = Moved(slot);
    if (!audited) return audited.diagnostics();
    if (!*audited) continue;
    if (audit != 0) return odd("counted for two mappings under audit");
    audit = slot;
  }
  const std::uint32_t guessed = guess->mapping ? slot_of_[*guess->mapping] : guess->reason;
  const auto moved = Moved(guessed);
  if (!moved) return moved.diagnostics();
  if (*moved) return prove::Decision::OfSlot(compiled_, action, guessed, audit);
  for (std::uint32_t slot = 0; slot < seen_.size(); ++slot) {
    const auto other = Moved(slot);
    if (!other) return other.diagnostics();
    if (*other) return prove::Decision::OfSlot(compiled_, action, slot, audit);
  }
  return odd("counted nothing");
}

}  // namespace march::cli
