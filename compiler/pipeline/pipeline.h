// The compiler as a list: every step from files to a bundle, in order, once. The command line and
// the tests call this and nothing else of the compiler.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/outcome.h"
#include "bundle/bundle.h"
#include "compiler/budget/verifier.h"
#include "compiler/clang/bpf_object.h"
#include "compiler/classify/tables.h"
#include "compiler/emit/bpf_source.h"
#include "compiler/model/policy.h"
#include "compiler/ownership/ownership.h"
#include "compiler/pipeline/sources.h"
#include "compiler/prove/prove.h"
#include "compiler/ruleset/ruleset.h"
#include "compiler/yaml/document.h"

namespace march::pipeline {

enum class Stage { kSources, kDoc, kPolicy, kRules, kTables, kSource, kObject, kBundle };

struct StageInfo {
  Stage stage;
  std::string_view name;  // as --until takes it
  std::string_view yields;
};

const std::vector<StageInfo>& Stages();
std::optional<Stage> ParseStage(std::string_view name);

// What is proved of an object before there is a bundle.
enum class Proving { kNothing, kTables, kKernel };

struct Options {
  SourceLimits sources;
  yaml::ParseLimits parse;
  classify::Limits classify;
  budget::Limits budget;
  std::uint64_t serial = 1;
  std::vector<bundle::PrivateKey> signers;
  Proving proving = Proving::kNothing;
  prove::ProofLimits proof;
  prove::KernelLoader* kernels = nullptr;  // for Proving::kKernel
};

// Everything the compiler made on the way; stages behind the last one, or behind an error, are
// empty. Places in it point into `sources`.
struct Compilation {
  SourceSet sources;
  std::optional<yaml::PolicyDoc> doc;  // not kept on the way to a bundle: it is most of the memory
  std::optional<model::Policy> policy;
  std::optional<ownership::Ownership> ownership;  // with the policy
  std::optional<ruleset::RuleSet> rules;
  std::optional<classify::Tables> tables;
  std::optional<emit::BpfSource> source;
  std::optional<clang::BpfObject> object;
  std::optional<bundle::Proof> proof;  // with the object, if it was asked for
  double proof_seconds = 0;            // that it took
  std::optional<std::string> bundle;   // its bytes

  Diagnostics diagnostics;  // of all stages, sorted by place
  bool ok() const { return !HasErrors(diagnostics); }
};

// Compiles the policy at `path`: a file, a directory tree of *.yaml and *.yml, a bundle (whose
// policy is taken; its signatures say nothing here), or `git:REV[:PATH]`, which is the policy as of
// a revision of the git repository that encloses the working directory.
Compilation Compile(const FileTree& files, const std::string& path, Stage until,
                    const Options& options = {});

// The tables of a compilation that has come to its rules, and whose policy can be enforced. Errors:
// those of the stage `tables`.
Outcome<classify::Tables> BuildTables(const Compilation& compilation, const Options& options);

// The bundle of a compilation that has come to its object, with the serial and the signers of the
// options. Errors: as bundle::Pack.
Outcome<std::string> PackBundle(const Compilation& compilation, const Options& options);

// The program that sends witnesses through another (bpf-templates/prove/feeder.h). Error:
// kClangFailed.
Outcome<clang::BpfObject> CompileFeeder();

// The documents of other files, as tests that are kept apart from the policy.
struct Documents {
  SourceSet sources;
  yaml::PolicyDoc doc;
};
Outcome<Documents> LoadDocuments(const FileTree& files, const std::string& path,
                                 const Options& options = {});

// The texts at a path, parsed or not. Errors: those of the stage `sources`.
Outcome<SourceSet> LoadTexts(const FileTree& files, const std::string& path,
                             const Options& options = {});

// A stage as text: what `--until STAGE --dump` prints. The stage must have been reached.
std::string Dump(const Compilation& compilation, Stage stage);

}  // namespace march::pipeline
