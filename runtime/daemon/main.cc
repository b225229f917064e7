#include <CLI/CLI.hpp>
#include <cstdio>
#include <iostream>
#include <string>

#include "base/file_system.h"
#include "base/print.h"
#include "base/version.h"
#include "runtime/daemon/config.h"
#include "runtime/daemon/daemon.h"
#include "runtime/telemetry/log.h"

namespace {

constexpr int kFailed = 1;
constexpr int kUsage = 64;
constexpr std::uint64_t kMaxConfigBytes = 1 << 20;

int Fail(const march::Diagnostics& diagnostics) {
  march::PrintText(diagnostics, std::cerr);
  return kFailed;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("marchd enforces signed MarchProxy bundles on this gateway", "marchd");
  std::string config_path;
  bool check_config = false;
  march::daemon::Options options;
  app.add_option("--config", config_path, "the configuration, see march-runtime(5)")
      ->required()
      ->type_name("FILE");
  app.add_flag("--check-config", check_config, "check the configuration and its keys, then exit");
  app.add_flag("--detach-on-exit", options.detach_on_exit,
               "stop enforcing when stopped; without it, enforcement goes on");
  app.set_version_flag("--version", std::string("marchd ") + march::kVersion);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kUsage;
  }

  march::DiskFileSystem files;
  auto text = files.Read(config_path, kMaxConfigBytes);
  if (!text.ok()) return Fail(text.diagnostics());
  const march::Source source(config_path, *std::move(text));
  const auto config = march::daemon::ParseConfig(source);
  if (!config.ok()) return Fail(config.diagnostics());
  if (check_config) {
    const auto trust = march::daemon::LoadTrust(*config, files);
    return trust.ok() ? 0 : Fail(trust.diagnostics());
  }
  march::telemetry::Logger log([](const std::string& line) {
    static_cast<void>(std::fwrite(line.data(), 1, line.size(), stderr));
  });
  const auto run = march::daemon::Run(*config, options, files, log);
  if (run.ok()) return 0;
  log.Write(march::telemetry::Level::kError, "failed", run.diagnostics());
  return kFailed;
}
