// march-kernel-cases [--all] [--jobs N] DIRECTORY: makes the cases of case_sets.h in
// DIRECTORY/cases, where nothing else stays, and in DIRECTORY/gateway what a marchd is to accept
// and to refuse:
//
//   key.pub       who signed
//   first.march   examples/quickstart
//   newer.march   the same, but it says that it needs Linux 6.12, for "a feature of Linux 6.12"
//   large.march   tables above 4 MiB, which need Linux 6.1
//
// Run from the root of the tree.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "base/print.h"
#include "bundle/bundle.h"
#include "tests/kernels/case_sets.h"

namespace march::tests {
namespace {

constexpr int kUsage = 64;

int Fail(const std::string& what, const Diagnostics& diagnostics) {
  std::cerr << what << ": " << TextOf(diagnostics);
  return 1;
}

// Every `parts`-th case, from `part` on.
int MakePart(const std::vector<NamedCase>& cases, const std::string& directory, std::size_t part,
             std::size_t parts) {
  DiskFileSystem files;
  for (std::size_t i = part; i < cases.size(); i += parts) {
    const auto made = cases[i].make();
    if (!made) return Fail(cases[i].name, made.diagnostics());
    const auto written = WriteCase(files, directory + "/cases/" + cases[i].name, *made);
    if (!written) return Fail(cases[i].name, written.diagnostics());
  }
  return 0;
}

// In processes side by side, since each has a compiler in it.
int MakeAll(const std::vector<NamedCase>& cases, const std::string& directory, std::size_t jobs) {
  std::vector<pid_t> children;
  for (std::size_t part = 1; part < jobs; ++part) {
    const pid_t child = ::fork();
    if (child == 0) _exit(MakePart(cases, directory, part, jobs));
    if (child < 0) return 1;
    children.push_back(child);
  }
  int failed = MakePart(cases, directory, 0, jobs);
  for (const pid_t child : children) {
    int status = 0;
    if (::waitpid(child, &status, 0) != child || status != 0) failed = 1;
  }
  return failed;
}

// Signs the bundle of a case anew, for the gateway.
Outcome<Done> WriteSigned(const std::string& directory, const std::string& name,
                          const std::string& of_case, std::uint64_t serial,
                          const bundle::PrivateKey& key, const std::string& minimum_kernel = {},
                          const std::string& minimum_kernel_for = {}) {
  DiskFileSystem files;
  const auto read = ReadCase(files, directory + "/cases/" + of_case);
  if (!read) return read.diagnostics();
  const auto bundle = bundle::Read(read->bundle);
  if (!bundle) return bundle.diagnostics();
  const bundle::Manifest& manifest = bundle->manifest;
  bundle::Contents contents;
  contents.cluster = manifest.cluster;
  contents.serial = serial;
  contents.mappings = manifest.mappings;
  contents.tool_version = manifest.tool_version;
  contents.minimum_kernel = manifest.minimum_kernel;
  contents.minimum_kernel_for = manifest.minimum_kernel_for;
  if (!minimum_kernel.empty()) {
    contents.minimum_kernel = minimum_kernel;
    contents.minimum_kernel_for = minimum_kernel_for;
  }
  contents.files = bundle->files;
  const auto packed = bundle::Pack(contents, {key});
  if (!packed) return packed.diagnostics();
  return files.WriteAtomically(directory + "/gateway/" + name, *packed, 0644);
}

Outcome<Done> MakeGateway(const std::string& directory) {
  const auto key = bundle::PrivateKey::Generate();
  if (!key) return key.diagnostics();
  DiskFileSystem files;
  auto done = files.WriteAtomically(directory + "/gateway/key.pub", key->Public().ToPem(), 0644);
  if (done) done = WriteSigned(directory, "first.march", "examples/quickstart", 1, *key);
  if (done) {
    done = WriteSigned(directory, "newer.march", "examples/quickstart", 2, *key, "6.12",
                       "a feature of Linux 6.12");
  }
  if (done) done = WriteSigned(directory, "large.march", "policies/large-tables", 3, *key);
  return done;
}

int Run(std::vector<std::string> arguments) {
  const Extent extent = std::erase(arguments, "--all") != 0 ? Extent::kAll : Extent::kSome;
  std::size_t jobs = std::max(std::thread::hardware_concurrency(), 1U);
  if (arguments.size() == 3 && arguments[0] == "--jobs") {
    jobs = std::strtoul(arguments[1].c_str(), nullptr, 10);
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  if (arguments.size() != 1 || jobs == 0) {
    std::cerr << "usage: march-kernel-cases [--all] [--jobs N] DIRECTORY\n";
    return kUsage;
  }
  const std::string& directory = arguments[0];
  const auto removed = DiskFileSystem().Remove(directory + "/cases");
  if (!removed) return Fail(directory, removed.diagnostics());
  const std::vector<NamedCase> cases = MakeCaseSets(extent);
  if (const int failed = MakeAll(cases, directory, jobs); failed != 0) return failed;
  const auto gateway = MakeGateway(directory);
  if (!gateway) return Fail("gateway", gateway.diagnostics());
  std::cout << cases.size() << " cases\n";
  return 0;
}

}  // namespace
}  // namespace march::tests

int main(int count, char** arguments) {
  return march::tests::Run({arguments + 1, arguments + count});
}
