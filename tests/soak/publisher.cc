#include "tests/soak/publisher.h"

#include <spawn.h>
#include <sys/wait.h>

#include <fstream>
#include <sstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "base/print.h"
#include "runtime/control/client.h"

extern char** environ;

namespace march::soak {
namespace {

bool Succeeds(std::vector<std::string> command) {
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (::posix_spawn(&child, arguments[0], nullptr, nullptr, arguments.data(), environ) != 0) {
    return false;
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string Contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return std::move(text).str();
}

Compiled MakeBundle(const PublisherPaths& paths, const Policy& policy) {
  const std::string source = paths.directory + "/soak.yaml";
  const std::string bundle = paths.directory + "/soak.march";
  std::ofstream(source) << policy.Yaml();
  // All with the same serial, so that a gateway goes back to an older one too.
  if (!Succeeds(
          {paths.marchctl, "compile", source, "--serial", "1", "--key", paths.key, "-o", bundle})) {
    throw std::runtime_error("marchctl does not compile policy " + std::to_string(policy.number) +
                             ":\n" + policy.Yaml());
  }
  return {policy, Contents(bundle)};
}

void SendBundle(const std::string& target, const std::string& bundle) {
  const auto reply = control::Request(target, "POST", "/v1/bundles", bundle);
  if (!reply) throw std::runtime_error(TextOf(reply.diagnostics()));
  if (reply->status != 200) throw std::runtime_error("marchd refuses a bundle: " + reply->body);
}

}  // namespace

std::future<Compiled> Publisher::Compile(const Policy& policy) {
  return std::async(std::launch::async, MakeBundle, paths_, policy);
}

std::future<void> Publisher::Enforce(const Compiled& compiled) {
  return std::async(std::launch::async,
                    [this, &compiled] { SendBundle(paths_.target, compiled.bundle); });
}

}  // namespace march::soak
