// marchctl compile POLICY -o FILE.march: the whole pipeline, or as much of it as asked for.
#include <cstdio>
#include <memory>

#include "cli/exit_code.h"
#include "cli/kernel_prover.h"
#include "cli/keys.h"
#include "cli/output/cost_report.h"
#include "cli/output/report.h"
#include "cli/verbs/policy_options.h"
#include "cli/verbs/verbs.h"
#include "compiler/pipeline/pipeline.h"

namespace march::cli {
namespace {

struct Flags {
  std::string policy;
  std::string out;
  std::string until = "bundle";
  bool dump = false;
  std::string report;  // its format; "" for none
  std::vector<std::string> keys;
  std::uint64_t serial = 1;
  std::uint64_t max_table_bytes = classify::Limits{}.max_table_bytes;
  std::uint64_t max_proof_cells = prove::ProofLimits{}.max_cells;
  std::string prove;  // "true" without a value
  std::uint64_t max_verified = budget::kMaxVerified;
  pipeline::Options options;
};

std::vector<std::string> StageNames() {
  std::vector<std::string> names;
  for (const auto& info : pipeline::Stages()) names.emplace_back(info.name);
  return names;
}

void TellProof(Environment& environment, const bundle::Proof& proof, double seconds) {
  char took[32];
  std::snprintf(took, sizeof(took), "%.1f", seconds);
  environment.err << "marchctl: proved " << proof.cells() << " cells of "
                  << proof.v4.source_ranges + proof.v4.destination_ranges + proof.v6.source_ranges +
                         proof.v6.destination_ranges
                  << " address ranges in "
                  << proof.v4.source_classes + proof.v4.destination_classes +
                         proof.v6.source_classes + proof.v6.destination_classes
                  << " classes, with "
                  << (proof.in_kernel
                          ? std::to_string(proof.witnesses()) + " packets through the kernel"
                          : "no packet through the kernel")
                  << ", in " << took << " s\n"
                  << "marchctl: proof " << proof.digest << "\n";
}

// The report, with what the kernel says of the program where we may ask it.
ExitCode PrintReport(Environment& environment, const pipeline::Compilation& compilation,
                     const pipeline::Options& options, const std::string& format) {
  CostReport report{compilation, options, std::nullopt, {}};
  if (const auto may_load = bpf::MayLoadPrograms(); !may_load) {
    const Diagnostic& why = may_load.diagnostics().front();
    report.not_loaded = why.message + (why.hint.empty() ? "" : "; " + why.hint);
  } else {
    const std::string tables = compilation.tables->Bytes();
    const std::uint32_t slots = MARCH_SLOT_FIRST_MAPPING + compilation.rules->mappings;
    const auto program = bpf::TestRun::Load({compilation.object->bytes, tables, slots});
    if (!program) return Report(environment, program.diagnostics());
    const auto figures = program->Figures();
    if (!figures) return Report(environment, figures.diagnostics());
    report.loaded = *figures;
  }
  Print(report, format, environment.out);
  return kOk;
}

int Run(Environment& environment, const Flags& flags) {
  pipeline::Options options = flags.options;
  options.serial = flags.serial;
  options.classify.max_table_bytes = flags.max_table_bytes;
  options.proof.max_cells = flags.max_proof_cells;
  options.budget.max_verified = flags.max_verified;
  auto keys = LoadPrivateKeys(environment, flags.keys);
  if (!keys) return Report(environment, keys.diagnostics());
  options.signers = *std::move(keys);

  KernelProver kernels;
  options.kernels = &kernels;
  if (!flags.prove.empty()) {
    options.proving =
        flags.prove == "tables" ? pipeline::Proving::kTables : pipeline::Proving::kKernel;
  }

  const pipeline::Stage until = *pipeline::ParseStage(flags.until);
  const auto compilation = pipeline::Compile(environment.files, flags.policy, until, options);
  const ExitCode code = Report(environment, compilation.diagnostics);
  if (code != kOk) return code;
  if (compilation.proof) TellProof(environment, *compilation.proof, compilation.proof_seconds);
  if (flags.dump) environment.out << pipeline::Dump(compilation, until);
  if (!flags.report.empty()) {
    const ExitCode reported = PrintReport(environment, compilation, options, flags.report);
    if (reported != kOk) return reported;
  }
  if (flags.out.empty()) return kOk;

  const auto written = environment.files.WriteAtomically(flags.out, *compilation.bundle, 0644);
  if (!written) return Report(environment, written.diagnostics());
  if (options.signers.empty()) {
    environment.err << "marchctl: " << flags.out
                    << " is not signed, and marchd will refuse it; sign with --key KEY\n";
  }
  return kOk;
}

}  // namespace

void AddCompile(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("compile", "Compile a policy into a bundle");
  const auto flags = std::make_shared<Flags>();
  AddPolicyArgument(*verb, flags->policy);
  auto* out = verb->add_option("-o,--out", flags->out, "The bundle to write")->type_name("FILE");
  auto* until = verb->add_option("--until", flags->until, "Stop behind this stage")
                    ->check(CLI::IsMember(StageNames()))
                    ->capture_default_str();
  auto* dump = verb->add_flag("--dump", flags->dump, "Print the last stage as text");
  auto* report = verb->add_flag("--report", flags->report,
                                "Print what a packet costs and why: --report or --report=json");
  verb->add_option("--key", flags->keys, "Sign with this private key (PEM); may be repeated")
      ->type_name("FILE");
  verb->add_option("--serial", flags->serial,
                   "The bundle's serial: gateways refuse one lower than they have seen")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53))
      ->capture_default_str();
  verb->add_option("--max-table-bytes", flags->max_table_bytes, "Limit of the classifier tables")
      ->capture_default_str();
  auto* prove = verb->add_flag("--prove", flags->prove,
                               "Prove that tables and program do what the policy says; "
                               "--prove=tables leaves out the kernel");
  verb->add_option("--max-proof-cells", flags->max_proof_cells, "Limit of what is proved")
      ->capture_default_str();
  verb->add_option("--max-verified", flags->max_verified,
                   "Limit of the instructions that the kernel verifies")
      ->check(CLI::Range(std::uint64_t{1}, budget::kMaxVerified))
      ->capture_default_str();
  AddLimitOption(*verb, flags->options);
  verb->callback([&environment, &exit_code, flags, out, until, dump, prove, report] {
    if (out->count() == 0 && dump->count() == 0 && report->count() == 0) {
      throw CLI::RequiredError("compile needs -o FILE, --dump or --report; one of them");
    }
    if (flags->report == "true") flags->report = "text";
    if (report->count() != 0 && flags->report != "text" && flags->report != "json") {
      throw CLI::ValidationError("--report", "write --report, --report=text or --report=json");
    }
    if (report->count() != 0 && *pipeline::ParseStage(flags->until) < pipeline::Stage::kObject) {
      throw CLI::ValidationError("--report", "there is no program before the stage \"object\"");
    }
    if (out->count() != 0 && until->count() != 0 && flags->until != "bundle") {
      throw CLI::ValidationError("-o FILE", "there is no bundle before the stage \"bundle\"");
    }
    if (prove->count() != 0 && flags->prove != "true" && flags->prove != "tables") {
      throw CLI::ValidationError("--prove", "it takes nothing, or \"tables\"");
    }
    if (prove->count() != 0 && flags->until != "object" && flags->until != "bundle") {
      throw CLI::ValidationError("--prove",
                                 "there is nothing to prove before the stage \"object\"");
    }
    exit_code = Run(environment, *flags);
  });
}

}  // namespace march::cli
