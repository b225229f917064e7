#include "compiler/budget/verifier.h"

#include <algorithm>
#include <array>
#include <bit>
#include <string>
#include <utility>

#include "bundle/text.h"

namespace march::budget {
namespace {

// Measured on Linux 6.18 over 550 shapes of all kinds, a third of them deeper than tables become:
// what the verifier did was at most 70 per cent of these sums, and 28 where it is as often more as
// less. Linux 6.1 verifies up to twice as much of a program (tests/kernels); that was at most 63
// per cent, over 184 shapes. What the frame takes has with it the functions for what the gateway
// may have switched on, switched off.
constexpr std::uint64_t kFrame = 60'000;
// All of that switched on: at most 127,000, for a policy that uses everything.
constexpr std::uint64_t kGateway = 180'000;
constexpr std::uint64_t kFamily = 5'000;
constexpr std::uint64_t kStep4 = 1'000;
constexpr std::uint64_t kStep6 = 3'000;
constexpr std::uint64_t kView = 1'000;
constexpr std::uint64_t kTailLevel = 1'000;
// For each mapping of the longest list; the step is of the search in a set of ports.
constexpr std::uint64_t kListed = 1'500;
constexpr std::uint64_t kSetStep = 700;
constexpr std::uint64_t kSourcePorts = 5'000;
constexpr std::uint64_t kAudit = 2'500;
constexpr std::uint64_t kTableStep = 500;

// Calls `visit` for every rule, audits included.
template <class Visit>
void ForEachRule(const ruleset::RuleSet& rules, Visit&& visit) {
  for (const auto* some : {&rules.rules, &rules.audits}) {
    for (const ruleset::Rule& rule : *some) visit(rule);
  }
}

// The rule for which `count` is greatest, and the count; null if it is 0 for all.
template <class Count>
std::pair<const ruleset::Rule*, std::size_t> MostOf(const ruleset::RuleSet& rules, Count&& count) {
  std::pair<const ruleset::Rule*, std::size_t> most{nullptr, 0};
  ForEachRule(rules, [&](const ruleset::Rule& rule) {
    if (const std::size_t n = count(rule); n > most.second) most = {&rule, n};
  });
  return most;
}

std::size_t PortIntervals(const ruleset::Rule& rule) {
  return std::max(rule.l4.intervals().size(), rule.source_ports.intervals().size());
}

std::string Times(std::uint64_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

// Adds the mappings without which `lists` and `l4_tables` would be smaller.
void BlamePorts(const model::Policy& policy, const ruleset::RuleSet& rules,
                const classify::Tables& tables, Diagnostic& diagnostic) {
  if (const auto [rule, count] = MostOf(rules, PortIntervals); tables.shape.set_depth != 0) {
    diagnostic.WithNote(rule->place, bundle::Quoted(rule->name) + " is about " +
                                         Times(count, "interval", "intervals") +
                                         " of protocols and ports");
  }
  const auto& meeting = tables.report.most_at_once;
  if (meeting.size() < 2) return;
  const model::Mapping& first = policy.mappings[meeting[0]];
  diagnostic.WithNote(first.place, bundle::Quoted(first.name) + " meets " +
                                       Times(meeting.size() - 1, "other mapping", "others") +
                                       " in one place, more than anywhere else");
}

void BlameAddresses(const ruleset::RuleSet& rules, const march_shape& shape,
                    Diagnostic& diagnostic) {
  const bool v6 = (shape.v6.depth + shape.v6.low_depth) * kStep6 > shape.v4.depth * kStep4;
  const space::Family family = v6 ? space::Family::kV6 : space::Family::kV4;
  const auto [rule, count] = MostOf(rules, [&](const ruleset::Rule& each) {
    return std::max(each.source->In(family).intervals().size(),
                    each.destination->In(family).intervals().size());
  });
  if (rule == nullptr) return;
  diagnostic.WithNote(rule->place, bundle::Quoted(rule->name) + " names " +
                                       Times(count, "interval", "intervals") +
                                       (v6 ? " of IPv6" : " of IPv4") + " addresses");
}

Diagnostic TooMuchToVerify(const model::Policy& policy, const ruleset::RuleSet& rules,
                           const classify::Tables& tables, const Estimate& estimate,
                           const Limits& limits) {
  const march_shape& shape = tables.shape;
  const std::string steps = std::to_string(shape.v4.depth) + " of IPv4 addresses and " +
                            std::to_string(shape.v6.depth + shape.v6.low_depth) +
                            " of IPv6 addresses";
  struct Part {
    std::uint64_t instructions;
    std::string what;
    std::string remedy;
  };
  std::array<Part, 4> parts = {{
      {estimate.lists,
       "looking through up to " +
           Times(std::max<unsigned>(shape.list_max, 1), "mapping", "mappings") +
           " in one place, whose sets of ports take " + std::to_string(shape.set_depth) +
           " halvings to search",
       "let fewer mappings meet at different ports, and let these have ranges of ports rather than "
       "many single ones"},
      {estimate.addresses, "searching addresses in " + steps,
       "let services name networks rather than many single addresses in them"},
      {estimate.l4_tables,
       "tables over ports, which take " +
           std::to_string(shape.table_depth + shape.source_port_depth) + " halvings to search",
       "let fewer mappings meet in one place, and give them fewer ranges of ports"},
      {estimate.rows,
       "rows of pairs of addresses, with " +
           std::to_string(std::max({shape.v4.source_tail, shape.v4.destination_tail,
                                    shape.v6.source_tail, shape.v6.destination_tail})) +
           " levels",
       "let fewer mappings share a source or a destination"},
  }};
  std::stable_sort(parts.begin(), parts.end(),
                   [](const Part& a, const Part& b) { return a.instructions > b.instructions; });
  std::string message = "the kernel's verifier could look at " + std::to_string(estimate.total()) +
                        " instructions, more than the " + std::to_string(limits.max_verified) +
                        " allowed";
  // Of what a policy can change.
  const std::uint64_t own = estimate.total() - estimate.frame - estimate.gateway;
  for (const Part& part : parts) {
    if (part.instructions * 5 < own) break;
    message += (&part == parts.data() ? "; " : ", ") + std::to_string(part.instructions) +
               " of them for " + part.what;
  }
  Diagnostic diagnostic = MakeDiagnostic(Code::kProgramTooLarge, {}, std::move(message),
                                         parts[0].remedy + "; or raise --max-verified");
  if (limits.max_verified == kMaxVerified) diagnostic.hint = parts[0].remedy;
  const bool ports = estimate.lists + estimate.l4_tables > estimate.addresses;
  if (ports) BlamePorts(policy, rules, tables, diagnostic);
  BlameAddresses(rules, shape, diagnostic);
  if (!ports) BlamePorts(policy, rules, tables, diagnostic);
  if (!diagnostic.notes.empty()) diagnostic.range = diagnostic.notes[0].range;
  return diagnostic;
}

Diagnostic Oversized(const std::string& what) {
  return MakeDiagnostic(Code::kProgramTooLarge, {}, "the generated program " + what,
                        "this is a defect of marchctl; please report it with the policy");
}

}  // namespace

Estimate EstimateVerified(const march_shape& shape) {
  Estimate estimate;
  estimate.frame = kFrame;
  estimate.gateway = kGateway;
  for (const march_family_shape* family : {&shape.v4, &shape.v6}) {
    if (family->views == 0) continue;
    const std::uint64_t step = family == &shape.v4 ? kStep4 : kStep6;
    estimate.addresses += kFamily + step * (family->depth + family->low_depth);
    estimate.rows += kView * static_cast<unsigned>(std::popcount(family->views)) +
                     kTailLevel * (family->source_tail + family->destination_tail);
  }
  if (shape.v4.views == 0 && shape.v6.views == 0) return estimate;
  const std::uint64_t sets = shape.source_ports != 0 ? 2 : 1;
  estimate.lists =
      std::max<std::uint64_t>(shape.list_max, 1) *
      (kListed + kSetStep * shape.set_depth * sets + (shape.source_ports != 0 ? kSourcePorts : 0) +
       (shape.audits != 0 ? kAudit : 0));
  estimate.l4_tables = kTableStep * (shape.table_depth + shape.source_port_depth);
  return estimate;
}

Outcome<Done> CheckBudget(const model::Policy& policy, const ruleset::RuleSet& rules,
                          const classify::Tables& tables, const clang::BpfObject& object,
                          const Limits& limits) {
  const Estimate estimate = EstimateVerified(tables.shape);
  if (estimate.total() > std::min(limits.max_verified, kMaxVerified)) {
    return TooMuchToVerify(policy, rules, tables, estimate, limits);
  }
  if (object.longest_function > kMaxInstructions) {
    return Oversized("has a function of " + std::to_string(object.longest_function) +
                     " instructions, more than the " + std::to_string(kMaxInstructions) +
                     " that its jumps surely reach");
  }
  if (object.stack_bytes > kMaxStackBytes) {
    return Oversized("needs " + std::to_string(object.stack_bytes) +
                     " bytes of stack, more than the " + std::to_string(kMaxStackBytes) +
                     " there are");
  }
  return Done{};
}

}  // namespace march::budget
