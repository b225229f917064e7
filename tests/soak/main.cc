// march-soak: traffic of thousands of conversations through a gateway whose policy changes every
// second, every packet of it held against the model of connections (tests/connections). Run by
// tests/e2e/soak_test.sh, which sets up the hosts.
#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "tests/soak/soak.h"
#include "tests/soak/timeouts.h"

namespace {

void AddOptions(CLI::App& app, march::soak::SoakOptions& options) {
  app.add_option("--client", options.client, "The client's network namespace")->required();
  app.add_option("--gateway", options.gateway, "The gateway's")->required();
  app.add_option("--server", options.server, "The server's")->required();
  app.add_option("--marchctl", options.paths.marchctl, "The program")->required();
  app.add_option("--key", options.paths.key, "Signs the bundles")->required();
  app.add_option("--target", options.paths.target, "unix:PATH of marchd's control API")->required();
  app.add_option("--directory", options.paths.directory, "Where policies are written")->required();
  app.add_option("--marchd", options.marchd, "The process whose memory is watched")->required();
  app.add_option("--bpffs", options.bpffs, "Its directory there")->required();
  app.add_option("--seconds", options.seconds, "How long");
  app.add_option("--rate", options.rate, "Packets a second");
  app.add_option("--seed", options.seed, "Of policies and conversations");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Traffic and changes of policy against the model", "march-soak");
  march::soak::SoakOptions options;
  auto* config = app.add_subcommand("config", "Print what marchd's configuration has to say");
  auto* run = app.add_subcommand("run", "Send, change and compare");
  app.require_subcommand(1);
  AddOptions(*run, options);
  CLI11_PARSE(app, argc, argv);
  if (config->parsed()) {
    std::cout << march::soak::ConnectionsText() << "\n";
    return 0;
  }
  try {
    return march::soak::Soak(options).Run() ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "march-soak: " << error.what() << "\n";
    return 1;
  }
}
