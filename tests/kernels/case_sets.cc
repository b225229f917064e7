#include "tests/kernels/case_sets.h"

#include <algorithm>
#include <utility>

#include "base/version.h"
#include "bundle/abi/verdict.h"
#include "bundle/mappings.h"
#include "compiler/budget/verifier.h"
#include "compiler/classify/native_walk.h"
#include "compiler/pipeline/pipeline.h"
#include "compiler/prove/engine.h"
#include "compiler/prove/frame.h"
#include "compiler/prove/native_reader.h"
#include "tests/budget/shapes.h"
#include "tests/faults/policies.h"
#include "tests/packets/frames.h"
#include "tests/random/random_policy.h"

namespace march::tests {
namespace {

constexpr std::uint32_t kXdpDrop = 1;
constexpr std::uint32_t kXdpPass = 2;
constexpr std::uint64_t kSeed = 20260101;
constexpr std::uint32_t kFlows = 100;
// Shapes with so much to verify, by estimate, are costly to load.
constexpr std::uint64_t kCostly = 120'000;
// In tables of zeros, the walk reads no line beyond these; so few bytes of them are in the bundle.
constexpr std::uint32_t kZeroLines = 1U << 17;
constexpr std::size_t kStoredBytes = std::size_t{64} * MARCH_LINE_BYTES;

std::string BytesOf(const std::vector<std::uint8_t>& frame) {
  return {frame.begin(), frame.end()};
}

Outcome<pipeline::Compilation> CompileTexts(const std::vector<std::string>& texts,
                                            const classify::Limits& limits) {
  MemoryFileSystem files;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto written =
        files.WriteAtomically("policy/" + std::to_string(i) + ".yaml", texts[i], 0600);
    if (!written) return written.diagnostics();
  }
  pipeline::Options options;
  options.classify = limits;
  auto compilation = pipeline::Compile(files, "policy", pipeline::Stage::kBundle, options);
  if (!compilation.ok()) return compilation.diagnostics;
  return compilation;
}

std::uint32_t SlotOf(const pipeline::Compilation& compilation, std::uint32_t mapping) {
  const auto& mappings = compilation.tables->mappings;
  const auto place = std::find(mappings.begin(), mappings.end(), mapping) - mappings.begin();
  return MARCH_SLOT_FIRST_MAPPING + static_cast<std::uint32_t>(place);
}

// Flows between and at the edges of what the policy says, judged by the policy.
Outcome<Case> WithFlows(const pipeline::Compilation& compilation) {
  Case made{*compilation.bundle, {}, budget::EstimateVerified(compilation.tables->shape).total()};
  Random random(kSeed);
  prove::ModelEngine model(*compilation.policy);
  for (const space::Flow& flow : RandomFlows(random, *compilation.policy, kFlows, true)) {
    const auto decision = model.Decide(flow);
    if (!decision) return decision.diagnostics();
    const bool passes = decision->action == model::Action::kAllow;
    Frame frame{BytesOf(prove::BuildFrame(flow)), passes ? kXdpPass : kXdpDrop, {}};
    frame.slots.push_back(decision->mapping ? SlotOf(compilation, *decision->mapping)
                                            : decision->reason);
    if (decision->audited_mapping) {
      frame.slots.push_back(SlotOf(compilation, *decision->audited_mapping));
    }
    made.frames.push_back(std::move(frame));
  }
  return made;
}

Outcome<Case> OfExample(const std::string& directory) {
  const auto compilation = pipeline::Compile(DiskFileSystem(), directory, pipeline::Stage::kBundle);
  if (!compilation.ok()) return compilation.diagnostics;
  return WithFlows(compilation);
}

Outcome<Case> OfPolicy(const std::vector<std::string>& texts, const classify::Limits& limits) {
  const auto compilation = CompileTexts(texts, limits);
  if (!compilation) return compilation.diagnostics();
  return WithFlows(*compilation);
}

Outcome<Case> OfHeaders() {
  const auto compilation = CompileTexts({kPacketPolicy}, {});
  if (!compilation) return compilation.diagnostics();
  const auto slot_named = [&](const std::string& name) -> std::uint32_t {
    for (std::uint32_t slot = 0; slot < MARCH_SLOT_FIRST_MAPPING; ++slot) {
      if (bundle::SlotName(slot) == name) return slot;
    }
    const auto& mappings = compilation->policy->mappings;
    const auto mapping = std::find_if(mappings.begin(), mappings.end(),
                                      [&](const auto& other) { return other.name == name; });
    return SlotOf(*compilation, static_cast<std::uint32_t>(mapping - mappings.begin()));
  };
  Case made{*compilation->bundle, {}, budget::EstimateVerified(compilation->tables->shape).total()};
  for (const FrameCase& frame : FrameCases()) {
    made.frames.push_back(
        {BytesOf(frame.frame), frame.passes ? kXdpPass : kXdpDrop, {slot_named(frame.decider)}});
  }
  return made;
}

Frame JudgedOnHost(const std::vector<std::uint64_t>& words,
                   const std::vector<std::uint8_t>& frame) {
  march_key key{};
  const std::uint32_t read = march_native_read(frame.data(), frame.size(), &key);
  if (read != MARCH_NATIVE_JUDGE) {
    const bool passes = read == MARCH_SLOT_ARP || read == MARCH_SLOT_NEIGHBOUR;
    return {BytesOf(frame), passes ? kXdpPass : kXdpDrop, {read}};
  }
  std::uint32_t audit = 0;
  const std::uint32_t verdict = march_native_classify(words.data(), words.size(), &key, &audit);
  const bool passes = MARCH_VERDICT_ACTION(verdict) == MARCH_ACTION_ALLOW;
  Frame judged{BytesOf(frame), passes ? kXdpPass : kXdpDrop, {MARCH_VERDICT_SLOT(verdict)}};
  if (audit != 0) judged.slots.push_back(audit);
  return judged;
}

Outcome<Case> OfShape(march_shape shape, std::uint32_t room) {
  shape.features = MARCH_FEATURE_STATEFUL | MARCH_FEATURE_TREATMENTS | MARCH_FEATURE_LIMITS |
                   MARCH_FEATURE_REJECTS;
  const auto object = CompileShape(shape, room);
  if (!object) return object.diagnostics();
  classify::Tables tables;
  tables.words.resize(std::size_t{kZeroLines} * MARCH_LINE_WORDS);
  // Where the walk on the host looks for it.
  static_assert(sizeof(shape) == MARCH_LINE_BYTES);
  std::copy_n(reinterpret_cast<const char*>(&shape), sizeof(shape),
              reinterpret_cast<char*>(&tables.words[std::size_t{3} * MARCH_LINE_WORDS]));
  bundle::Contents contents;
  contents.cluster = "default";
  contents.serial = 1;
  contents.tool_version = kVersion;
  contents.minimum_kernel = "5.15";
  contents.files = {{std::string(bundle::kXdpObjectPath), object->bytes},
                    {std::string(bundle::kClassifierPath), tables.Bytes().substr(0, kStoredBytes)},
                    {std::string(bundle::kMappingsPath), bundle::WriteMappings({"deny", {}})}};
  auto packed = bundle::Pack(contents, {});
  if (!packed) return packed.diagnostics();
  Case made{*std::move(packed), {}, budget::EstimateVerified(shape).total()};
  for (const FrameCase& frame : FrameCases()) {
    made.frames.push_back(JudgedOnHost(tables.words, frame.frame));
  }
  return made;
}

void AddExamples(std::vector<NamedCase>& cases) {
  const std::string root = "examples";
  const auto names = DiskFileSystem().List(root);
  if (!names) return;
  for (const std::string& name : *names) {
    const std::string path = root + "/" + name;
    cases.push_back({path, [path] { return OfExample(path); }});
  }
}

// One mapping to so many hosts that the tables are above 4 MiB.
std::string ManyHosts() {
  constexpr std::uint32_t kHosts = 36'000;
  std::string text = "apiVersion: march/v1\nkind: Policy\nservices:\n  hosts: {addresses: [";
  for (std::uint32_t i = 0; i < kHosts; ++i) {
    const space::Uint128 network = 0x20010DB800000000 + i * 40503U;
    const space::Address host = {space::Family::kV6, (network << 64) + i * 7};
    text += (i > 0 ? ", \"" : "\"") + host.ToString() + "\"";
  }
  return text + "]}\nmappings:\n  web: {to: [hosts], protocols: [tcp], ports: [443]}\n";
}

void AddPolicies(std::vector<NamedCase>& cases, Extent extent) {
  std::size_t random = 0;
  for (const NamedPolicy& policy : FaultPolicies()) {
    const bool is_more = policy.name.starts_with("random") && random++ >= 5;
    if (extent == Extent::kSome && is_more) continue;
    cases.push_back(
        {"policies/" + policy.name, [policy] { return OfPolicy(policy.texts, policy.limits); }});
  }
  cases.push_back({"policies/large-tables", [] { return OfPolicy({ManyHosts()}, {}); }});
}

void AddShapes(std::vector<NamedCase>& cases, Extent extent) {
  std::size_t costly = 0;
  const auto add = [&](const std::string& name, const march_shape& shape) {
    const std::uint64_t estimate = budget::EstimateVerified(shape).total();
    // What the compiler would refuse need not load.
    if (estimate > budget::kMaxVerified) return;
    const bool is_kept = estimate < kCostly || costly++ % 10 == 0;
    if (extent == Extent::kSome && !is_kept) return;
    cases.push_back({"shapes/" + name, [shape] { return OfShape(shape, kZeroLines); }});
  };
  const std::vector<march_shape> extremes = ExtremeShapes();
  for (std::size_t i = 0; i < extremes.size(); ++i) {
    add("extreme-" + std::to_string(i), extremes[i]);
  }
  Random random(kSeed);
  const int randoms = extent == Extent::kSome ? 15 : 60;
  for (int i = 0; i < randoms; ++i) add("random-" + std::to_string(i), RandomShape(random));
  cases.push_back({"shapes/largest-tables", [] {
                     return OfShape(WorstShape(), (std::uint32_t{448} << 20) / MARCH_LINE_BYTES);
                   }});
}

}  // namespace

std::vector<NamedCase> MakeCaseSets(Extent extent) {
  std::vector<NamedCase> cases;
  AddExamples(cases);
  AddPolicies(cases, extent);
  cases.push_back({"frames/headers", OfHeaders});
  AddShapes(cases, extent);
  return cases;
}

}  // namespace march::tests
