#include "compiler/pipeline/pipeline.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "base/version.h"
#include "bundle/abi/verdict.h"
#include "bundle/mappings.h"
#include "compiler/ruleset/ambiguity.h"

namespace march::pipeline {
namespace {

// A kernel that is asked for, and what needs it.
struct KernelNeed {
  const char* release;
  const char* feature;  // as it is told where the kernel is older; "" if every program needs it
};

// The oldest kernel whose verifier and XDP links the generated programs are made for, and the first
// one that allows a value of a BPF array to be larger than what kmalloc gives.
constexpr KernelNeed kAnyProgram = {"5.15", ""};
constexpr KernelNeed kLargeTables = {"6.1", "tables above 3 MiB"};
constexpr std::size_t kLargeTableBytes = std::size_t{3} << 20;

// Programs that a proof runs side by side.
constexpr unsigned kMostKernels = 8;

bundle::MappingTable MappingTableOf(const model::Policy& policy, const classify::Tables& tables) {
  bundle::MappingTable table;
  table.default_action = model::ActionName(policy.default_action);
  for (const std::uint32_t index : tables.mappings) {
    const model::Mapping& mapping = policy.mappings[index];
    table.mappings.push_back(
        {mapping.name,
         (mapping.audit ? "audit-" : "") + std::string(model::ActionName(mapping.action)),
         mapping.priority, mapping.place.PolicyLine(), mapping.limit && !mapping.audit});
  }
  return table;
}

Outcome<bundle::Proof> ProveObject(const Compilation& compilation, const Options& options) {
  std::vector<std::unique_ptr<prove::Kernel>> kernels;
  if (options.proving == Proving::kKernel) {
    const auto feeder = CompileFeeder();
    if (!feeder) return feeder.diagnostics();
    const std::string tables = compilation.tables->Bytes();
    const unsigned threads = std::clamp(std::thread::hardware_concurrency(), 1U, kMostKernels);
    while (kernels.size() < threads) {
      auto kernel = options.kernels->Load(
          {compilation.object->bytes, tables, compilation.tables->slots(), feeder->bytes});
      if (!kernel) return std::move(kernel).diagnostics();
      kernels.push_back(*std::move(kernel));
    }
  }
  return prove::Prove(*compilation.policy, *compilation.tables, kernels, options.proof);
}

// Runs one step: keeps its value and its diagnostics, and says whether to go on.
template <class T>
bool Keep(Compilation& compilation, std::optional<T>& slot, Outcome<T> outcome) {
  const Diagnostics& more = outcome.diagnostics();
  compilation.diagnostics.insert(compilation.diagnostics.end(), more.begin(), more.end());
  if (!outcome) return false;
  slot = *std::move(outcome);
  return true;
}

void RunStages(Compilation& c, const FileTree& files, const std::string& path, Stage until,
               const Options& options) {
  std::optional<SourceSet> sources;
  if (!Keep(c, sources, LoadSources(files, path, options.sources))) return;
  c.sources = *std::move(sources);
  if (until == Stage::kSources) return;

  if (!Keep(c, c.doc, yaml::ParsePolicyDoc(c.sources, options.parse))) return;
  if (until == Stage::kDoc) return;

  if (!Keep(c, c.policy, model::BuildPolicy(*c.doc))) return;
  if (!Keep(c, c.ownership, ownership::ReadOwnership(*c.doc, *c.policy))) return;
  if (until == Stage::kPolicy) return;
  if (until == Stage::kBundle) c.doc.reset();

  if (!Keep(c, c.rules, ruleset::OrderRules(*c.policy))) return;
  const Diagnostics ambiguities = ruleset::FindAmbiguities(*c.rules);
  c.diagnostics.insert(c.diagnostics.end(), ambiguities.begin(), ambiguities.end());
  if (until == Stage::kRules) return;

  if (!c.ok()) return;
  // Beyond here is what will be enforced: all of it, or nothing.
  c.diagnostics.insert(c.diagnostics.end(), c.policy->unenforced.begin(),
                       c.policy->unenforced.end());
  if (!c.ok()) return;

  if (!Keep(c, c.tables, BuildTables(c, options))) return;
  if (until == Stage::kTables) return;

  c.source = emit::EmitBpf(*c.rules, *c.tables);
  if (until == Stage::kSource) return;

  if (!Keep(c, c.object, clang::CompileBpf(*c.source))) return;
  std::optional<Done> fits;
  if (!Keep(c, fits,
            budget::CheckBudget(*c.policy, *c.rules, *c.tables, *c.object, options.budget))) {
    return;
  }
  if (options.proving != Proving::kNothing) {
    const auto start = std::chrono::steady_clock::now();
    if (!Keep(c, c.proof, ProveObject(c, options))) return;
    c.proof_seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  if (until == Stage::kObject) return;

  Keep(c, c.bundle, PackBundle(c, options));
}

std::string DumpSources(const SourceSet& sources) {
  std::string text;
  for (const auto& source : sources) {
    text += source->path_in_policy() + " " + std::to_string(source->text().size()) + " bytes\n";
  }
  return text;
}

std::string DumpBundle(const std::string& bytes) {
  const auto read = bundle::Read(bytes);
  return read ? read->manifest_bytes : std::string();
}

}  // namespace

const std::vector<StageInfo>& Stages() {
  static const std::vector<StageInfo> stages = {
      {Stage::kSources, "sources", "the policy's texts"},
      {Stage::kDoc, "doc", "YAML with places"},
      {Stage::kPolicy, "policy", "names resolved"},
      {Stage::kRules, "rules", "ordered match and act"},
      {Stage::kTables, "tables", "flat classifier tables"},
      {Stage::kSource, "source", "generated C"},
      {Stage::kObject, "object", "BPF object"},
      {Stage::kBundle, "bundle", "signed archive"},
  };
  return stages;
}

std::optional<Stage> ParseStage(std::string_view name) {
  for (const StageInfo& info : Stages()) {
    if (info.name == name) return info.stage;
  }
  return std::nullopt;
}

Compilation Compile(const FileTree& files, const std::string& path, Stage until,
                    const Options& options) {
  Compilation compilation;
  RunStages(compilation, files, path, until, options);
  SortByPlace(compilation.diagnostics);
  return compilation;
}

Outcome<classify::Tables> BuildTables(const Compilation& compilation, const Options& options) {
  return classify::BuildTables(*compilation.rules, options.classify);
}

Outcome<std::string> PackBundle(const Compilation& compilation, const Options& options) {
  bundle::Contents contents;
  contents.cluster = compilation.policy->cluster;
  contents.serial = options.serial;
  contents.mappings = compilation.policy->mappings.size();
  contents.tool_version = kVersion;
  const std::string tables = compilation.tables->Bytes();
  const KernelNeed& need = tables.size() > kLargeTableBytes ? kLargeTables : kAnyProgram;
  contents.minimum_kernel = need.release;
  contents.minimum_kernel_for = need.feature;
  for (const auto& source : compilation.sources) {
    contents.files.push_back({std::string(bundle::kPolicyPrefix) + source->path_in_policy(),
                              std::string(source->text())});
  }
  contents.files.push_back({std::string(bundle::kXdpObjectPath), compilation.object->bytes});
  contents.files.push_back({std::string(bundle::kClassifierPath), tables});
  contents.files.push_back(
      {std::string(bundle::kMappingsPath),
       bundle::WriteMappings(MappingTableOf(*compilation.policy, *compilation.tables))});
  contents.files.push_back(
      {std::string(bundle::kSlowPathPath), "{\n  \"format_version\": 1,\n  \"mappings\": []\n}\n"});
  if (compilation.proof) {
    contents.files.push_back(
        {std::string(bundle::kProofPath), bundle::WriteProof(*compilation.proof)});
  }
  return bundle::Pack(contents, options.signers);
}

Outcome<clang::BpfObject> CompileFeeder() {
  return clang::CompileBpf({"#include \"prove/feeder.h\"\n"});
}

Outcome<Documents> LoadDocuments(const FileTree& files, const std::string& path,
                                 const Options& options) {
  auto sources = LoadSources(files, path, options.sources);
  if (!sources) return sources.diagnostics();
  auto doc = yaml::ParsePolicyDoc(*sources, options.parse);
  if (!doc) return doc.diagnostics();
  return Documents{*std::move(sources), *std::move(doc)};
}

Outcome<SourceSet> LoadTexts(const FileTree& files, const std::string& path,
                             const Options& options) {
  return LoadSources(files, path, options.sources);
}

std::string Dump(const Compilation& compilation, Stage stage) {
  switch (stage) {
    case Stage::kSources:
      return DumpSources(compilation.sources);
    case Stage::kDoc:
      return yaml::Dump(*compilation.doc);
    case Stage::kPolicy:
      return model::Dump(*compilation.policy);
    case Stage::kRules:
      return ruleset::Dump(*compilation.rules);
    case Stage::kTables:
      return classify::Dump(*compilation.tables);
    case Stage::kSource:
      return compilation.source->text;
    case Stage::kObject:
      return clang::Dump(*compilation.object);
    case Stage::kBundle:
      return DumpBundle(*compilation.bundle);
  }
  return {};
}

}  // namespace march::pipeline
