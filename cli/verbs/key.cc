// marchctl key generate: an Ed25519 pair for signing bundles.
#include <memory>

#include "bundle/keys.h"
#include "cli/exit_code.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"

namespace march::cli {
namespace {

int Generate(Environment& environment, const std::string& path) {
  const std::string public_path = path + ".pub";
  for (const std::string& taken : {path, public_path}) {
    if (environment.files.KindOf(taken) != FileSystem::Kind::kNothing) {
      return Report(environment, {MakeDiagnostic(Code::kCannotWrite, {},
                                                 taken + " exists; a key is never replaced",
                                                 "name another file, or move the old key away")});
    }
  }
  const auto key = bundle::PrivateKey::Generate();
  if (!key) return Report(environment, key.diagnostics());
  const bundle::PublicKey public_key = key->Public();
  const auto secret = environment.files.WriteAtomically(path, key->ToPem(), 0600);
  if (!secret) return Report(environment, secret.diagnostics());
  const auto open = environment.files.WriteAtomically(public_path, public_key.ToPem(), 0644);
  if (!open) return Report(environment, open.diagnostics());
  environment.out << "key " << public_key.Id() << "\n"
                  << "private " << path << " (keep it where bundles are signed)\n"
                  << "public " << public_path << " (name it in marchd's trusted_keys)\n";
  return kOk;
}

}  // namespace

void AddKey(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("key", "Make keys for signing bundles");
  verb->require_subcommand(1);
  auto* generate = verb->add_subcommand("generate", "Make an Ed25519 key pair");
  const auto path = std::make_shared<std::string>();
  generate->add_option("-o,--out", *path, "The private key's file; the public key goes to FILE.pub")
      ->type_name("FILE")
      ->required();
  generate->callback(
      [&environment, &exit_code, path] { exit_code = Generate(environment, *path); });
}

}  // namespace march::cli
