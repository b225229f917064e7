// marchctl compile POLICY -o FILE.march: the whole pipeline, or as much of it as asked for.
#include <cstdio>
#include <memory>

#include "cli/exit_code.h"
#include "cli/kernel_prover.h"
#include "cli/keys.h"
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
  std::vector<std::string> keys;
  std::uint64_t serial = 1;
  std::uint64_t max_table_bytes = classify::Limits{}.max_table_bytes;
  std::string prove;
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

int Run(Environment& environment, const Flags& flags) {
  pipeline::Options options = flags.options;
  options.serial = flags.serial;
  options.classify.max_table_bytes = flags.max_table_bytes;
  auto keys = LoadPrivateKeys(environment, flags.keys);
  if (!keys) return Report(environment, keys.diagnostics());
  options.signers = *std::move(keys);

  KernelProver kernels;
  options.kernels = &kernels;
  if (!flags.prove.empty()) {
    options.proving =
        flags.prove == "kernel" ? pipeline::Proving::kKernel : pipeline::Proving::kTables;
  }

  const pipeline::Stage until = *pipeline::ParseStage(flags.until);
  const auto compilation = pipeline::Compile(environment.files, flags.policy, until, options);
  const ExitCode code = Report(environment, compilation.diagnostics);
  if (code != kOk) return code;
  if (compilation.proof) TellProof(environment, *compilation.proof, compilation.proof_seconds);
  if (flags.dump) environment.out << pipeline::Dump(compilation, until);
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
  verb->add_option("--key", flags->keys, "Sign with this private key (PEM); may be repeated")
      ->type_name("FILE");
  verb->add_option("--serial", flags->serial,
                   "The bundle's serial: gateways refuse one lower than they have seen")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 53))
      ->capture_default_str();
  verb->add_option("--max-table-bytes", flags->max_table_bytes, "Limit of the classifier tables")
      ->capture_default_str();
  auto* prove = verb->add_flag("--prove{kernel}", flags->prove,
                               "Prove that tables and program do what the policy says; "
                               "--prove=tables leaves out the kernel");
  AddLimitOption(*verb, flags->options);
  verb->callback([&environment, &exit_code, flags, out, until, dump, prove] {
    if (out->count() == 0 && dump->count() == 0) {
      throw CLI::RequiredError("compile needs -o FILE or --dump; one of them");
    }
    if (out->count() != 0 && until->count() != 0 && flags->until != "bundle") {
      throw CLI::ValidationError("-o FILE", "there is no bundle before the stage \"bundle\"");
    }
    if (prove->count() != 0 && flags->prove != "kernel" && flags->prove != "tables") {
      throw CLI::ValidationError("--prove", "it takes \"kernel\" or \"tables\"");
    }
    if (prove->count() != 0 && flags->until != "object" && flags->until != "bundle") {
      throw CLI::ValidationError("--prove",
                                 "there is nothing to prove before the stage \"object\"");
    }
    exit_code = Run(environment, *flags);
  });
}

}  // namespace march::cli
