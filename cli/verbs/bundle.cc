// marchctl bundle inspect|verify: what a bundle says, and whether to believe it.
#include <memory>

#include "bundle/bundle.h"
#include "cli/exit_code.h"
#include "cli/keys.h"
#include "cli/output/format.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace march::cli {
namespace {

struct InspectFlags {
  std::string bundle;
  std::string format;
};

int Inspect(Environment& environment, const InspectFlags& flags) {
  const auto bytes = environment.files.Read(flags.bundle, bundle::kMaxBundleBytes);
  if (!bytes) return Report(environment, bytes.diagnostics());
  const auto read = bundle::Read(*bytes);
  if (!read) return Report(environment, read.diagnostics());
  if (flags.format == "json") {
    environment.out << read->manifest_bytes;
    return kOk;
  }
  const bundle::Manifest& manifest = read->manifest;
  environment.out << "cluster         " << manifest.cluster << "\n"
                  << "serial          " << manifest.serial << "\n"
                  << "policy digest   " << manifest.policy_digest << "\n"
                  << "mappings        " << manifest.mappings << "\n"
                  << "made by         marchctl " << manifest.tool_version << "\n"
                  << "minimum kernel  " << manifest.minimum_kernel;
  if (!manifest.minimum_kernel_for.empty()) {
    environment.out << " (" << manifest.minimum_kernel_for << ")";
  }
  environment.out << "\n";
  if (read->proof) {
    environment.out << "proof           " << read->proof->cells() << " cells, "
                    << read->proof->witnesses() << " packets through the kernel, "
                    << read->proof->digest << "\n";
  } else {
    environment.out << "proof           none\n";
  }
  if (read->signatures.empty()) environment.out << "signatures      none\n";
  for (const bundle::Signature& signature : read->signatures) {
    environment.out << "signature       " << signature.key_id << " (not verified here)\n";
  }
  std::vector<std::vector<std::string>> rows = {{"FILE", "BYTES", "SHA-256"}};
  for (const bundle::FileDigest& file : manifest.files) {
    rows.push_back({file.path, std::to_string(file.size), file.sha256});
  }
  environment.out << "\n" << AlignColumns(rows);
  return kOk;
}

struct VerifyFlags {
  std::string bundle;
  std::vector<std::string> keys;
  std::string cluster;
};

int Verify(Environment& environment, const VerifyFlags& flags) {
  auto keys = LoadPublicKeys(environment, flags.keys);
  if (!keys) return Report(environment, keys.diagnostics());
  const auto bytes = environment.files.Read(flags.bundle, bundle::kMaxBundleBytes);
  if (!bytes) return Report(environment, bytes.diagnostics());
  const auto verified = bundle::Verify(*bytes, {*std::move(keys), flags.cluster});
  if (!verified) return Report(environment, verified.diagnostics());
  environment.out << flags.bundle << ": good, cluster " << verified->manifest.cluster << ", serial "
                  << verified->manifest.serial << ", policy " << verified->manifest.policy_digest
                  << "\n";
  return kOk;
}

}  // namespace

void AddBundle(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("bundle", "Look at bundles and verify them");
  verb->require_subcommand(1);

  auto* inspect = verb->add_subcommand("inspect", "Show what a bundle says it is");
  const auto inspect_flags = std::make_shared<InspectFlags>();
  inspect->add_option("BUNDLE", inspect_flags->bundle, "A *.march file")->required();
  AddOutputOption(*inspect, inspect_flags->format);
  inspect->callback([&environment, &exit_code, inspect_flags] {
    exit_code = Inspect(environment, *inspect_flags);
  });

  auto* verify = verb->add_subcommand("verify", "Check signature, digests and form");
  const auto verify_flags = std::make_shared<VerifyFlags>();
  verify->add_option("BUNDLE", verify_flags->bundle, "A *.march file")->required();
  verify->add_option("--key", verify_flags->keys, "Trust this public key (PEM); may be repeated")
      ->type_name("FILE")
      ->required();
  verify->add_option("--cluster", verify_flags->cluster, "Insist on this cluster")
      ->type_name("NAME");
  verify->callback(
      [&environment, &exit_code, verify_flags] { exit_code = Verify(environment, *verify_flags); });
}

}  // namespace march::cli
