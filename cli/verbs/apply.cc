// marchctl apply POLICY|BUNDLE --target T: make a gateway enforce it.
#include <array>
#include <cstdio>
#include <memory>

#include "bundle/bundle.h"
#include "cli/exit_code.h"
#include "cli/keys.h"
#include "cli/output/format.h"
#include "cli/output/report.h"
#include "cli/target.h"
#include "cli/verbs/policy_options.h"
#include "cli/verbs/verbs.h"
#include "compiler/pipeline/pipeline.h"

namespace march::cli {
namespace {

struct Flags {
  std::string policy;
  std::string target;
  std::vector<std::string> keys;
  std::string format;
  pipeline::Options options;
};

// The bytes to send. A bundle goes as it is; a policy is compiled and signed with a serial above
// everything the gateway has seen, or the serial it runs with if it enforces this policy already,
// so that applying twice changes nothing.
Outcome<std::string> BundleFor(Environment& environment, const Flags& flags) {
  if (flags.policy.ends_with(".march") && flags.keys.empty()) {
    return environment.files.Read(flags.policy, bundle::kMaxBundleBytes);
  }
  if (flags.keys.empty()) {
    return MakeDiagnostic(Code::kBundleUnsigned, {}, "a gateway accepts signed bundles only",
                          "name the signing key with --key, or apply a signed bundle");
  }
  pipeline::Options options = flags.options;
  auto keys = LoadPrivateKeys(environment, flags.keys);
  if (!keys) return keys.diagnostics();
  options.signers = *std::move(keys);

  const auto status = Call(flags.target, "GET", "/v1/status");
  if (!status) return status.diagnostics();
  const auto highest = status->value("highest_serial", std::uint64_t{0});
  options.serial = highest + 1;
  auto compilation =
      pipeline::Compile(environment.files, flags.policy, pipeline::Stage::kBundle, options);
  if (!compilation.ok()) return compilation.diagnostics;
  const auto made = bundle::Read(*compilation.bundle);
  if (!made) return made.diagnostics();
  const bool same = status->value("policy_digest", std::string()) == made->manifest.policy_digest;
  if (same && status->value("serial", std::uint64_t{0}) > 0) {
    options.serial = status->value("serial", std::uint64_t{0});
    auto packed = pipeline::PackBundle(compilation, options);
    if (!packed) return packed.diagnostics();
    compilation.bundle = *std::move(packed);
  }
  return Outcome<std::string>(*std::move(compilation.bundle), compilation.diagnostics);
}

std::string Milliseconds(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms", value);
  return text.data();
}

int Run(Environment& environment, const Flags& flags) {
  const auto bytes = BundleFor(environment, flags);
  const ExitCode code = Report(environment, bytes.diagnostics());
  if (!bytes) return code;
  const auto answer = Call(flags.target, "POST", "/v1/bundles", *bytes);
  if (!answer) return Report(environment, answer.diagnostics());
  if (flags.format == "json") {
    environment.out << answer->dump(2) << "\n";
    return kOk;
  }
  environment.out << answer->value("result", std::string("?")) << ": generation "
                  << answer->value("generation", std::uint64_t{0}) << ", serial "
                  << answer->value("serial", std::uint64_t{0}) << ", policy "
                  << answer->value("policy_digest", std::string()).substr(0, 16) << ", in "
                  << Milliseconds(answer->value("swap_ms", 0.0)) << "\n";
  for (const auto& interface : answer->value("interfaces", nlohmann::json::array())) {
    environment.out << "  " << interface.value("name", std::string("?")) << ": "
                    << interface.value("mode", std::string("?")) << " XDP\n";
  }
  return kOk;
}

}  // namespace

void AddApply(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("apply", "Make a gateway enforce a policy");
  const auto flags = std::make_shared<Flags>();
  verb->add_option("POLICY", flags->policy,
                   "File, directory or git:REV[:PATH] to compile, or a signed bundle")
      ->required();
  AddTargetOption(*verb, flags->target);
  verb->add_option("--key", flags->keys, "Sign with this private key (PEM); may be repeated")
      ->type_name("FILE");
  AddOutputOption(*verb, flags->format);
  AddLimitOption(*verb, flags->options);
  verb->callback([&environment, &exit_code, flags] { exit_code = Run(environment, *flags); });
}

}  // namespace march::cli
