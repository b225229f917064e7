// Proves the policies of policies.h, as `marchctl compile --prove` would, and says of each what
// came of it. run.py builds it anew with one fault in the compiler.
//
//   march-prove-all [--list | --tables | --kernel] [--all] [NAME...]
//
// First the tables of all policies, which is quick, then their programs in the kernel; --tables and
// --kernel do one of the two. One line a policy, flushed before it is begun ("begin NAME") and when
// it is done: OUTCOME NAME TABLES PROGRAM MILLISECONDS WHY, of which TABLES and PROGRAM are digests
// ("-" if there are none) and OUTCOME is what found the fault:
//
//   proved   nothing
//   order    the slots are not in the order in which the mappings decide
//   treatments  what a mapping asks for beyond allow and deny is not what the policy says
//   format   the tables are not what their format allows
//   classes  addresses that the policy tells apart have one class
//   cells    a cell's fate in the tables is not the policy's
//   kernel   the program did otherwise with a packet
//   refused  the compiler or the loader made an error of it: there is no bundle
//
// Ends with the first that is neither proved nor refused, unless --all is given.
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "bundle/sha256.h"
#include "cli/kernel_prover.h"
#include "compiler/pipeline/pipeline.h"
#include "tests/faults/policies.h"

namespace march {
namespace {

constexpr int kSkipped = 77;

std::string DigestOf(std::string_view bytes) {
  bundle::Sha256 sha;
  sha.Update(bytes);
  return sha.Hex().substr(0, 16);
}

std::string_view OutcomeOf(const Diagnostic& error) {
  if (error.code != Code::kProofFailed) return "refused";
  const std::string_view message = error.message;
  const auto says = [&](std::string_view text) {
    return message.find(text) != std::string_view::npos;
  };
  if (says("the program in the kernel:")) return "kernel";
  if (says("; the tables:")) return "cells";
  if (says("which the policy tells apart")) return "classes";
  if (says("are not in the order in which the mappings decide")) return "order";
  if (says("in another way than the policy")) return "treatments";
  if (says("is made for other treatments")) return "treatments";
  return "format";
}

pipeline::Compilation Compile(const tests::NamedPolicy& policy, bool in_kernel) {
  MemoryFileSystem files;
  pipeline::Compilation failed;
  std::size_t number = 0;
  for (const std::string& text : policy.texts) {
    const auto written =
        files.WriteAtomically("policy/" + std::to_string(number++) + ".yaml", text, 0600);
    if (!written) {
      failed.diagnostics = written.diagnostics();
      return failed;
    }
  }
  cli::KernelProver kernels;
  pipeline::Options options;
  options.classify = policy.limits;
  if (in_kernel) {
    options.proving = pipeline::Proving::kKernel;
    options.kernels = &kernels;
    return pipeline::Compile(files, "policy", pipeline::Stage::kObject, options);
  }
  auto compilation = pipeline::Compile(files, "policy", pipeline::Stage::kTables, options);
  if (!compilation.ok()) return compilation;
  auto proof = prove::Prove(*compilation.policy, *compilation.tables, {});
  if (proof) {
    compilation.proof = *proof;
  } else {
    compilation.diagnostics = proof.diagnostics();
  }
  return compilation;
}

// Whether it was proved or refused.
bool ProveOne(const tests::NamedPolicy& policy, bool in_kernel) {
  std::cout << "begin " << policy.name << std::endl;
  const auto start = std::chrono::steady_clock::now();
  const auto compilation = Compile(policy, in_kernel);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now() - start);
  std::string_view outcome = "proved";
  std::string why;
  const auto error = std::find_if(compilation.diagnostics.begin(), compilation.diagnostics.end(),
                                  [](const auto& d) { return d.severity() == Severity::kError; });
  if (error != compilation.diagnostics.end()) {
    outcome = OutcomeOf(*error);
    why = error->message.substr(0, error->message.find('\n'));
  } else if (!compilation.proof || compilation.proof->in_kernel != in_kernel) {
    outcome = "refused";
    why = "there is no proof";
  }
  std::cout << outcome << " " << policy.name << " "
            << (compilation.tables ? DigestOf(compilation.tables->Bytes()) : "-") << " "
            << (compilation.object ? DigestOf(compilation.object->bytes) : "-") << " "
            << took.count() << " " << why << std::endl;
  return outcome == "proved" || outcome == "refused";
}

int Run(int count, char** arguments) {
  std::vector<std::string> names(arguments + 1, arguments + count);
  const auto take = [&](const std::string& name) { return std::erase(names, name) != 0; };
  const bool all = take("--all");
  const bool tables_only = take("--tables");
  const bool kernel_only = take("--kernel");
  const bool list = take("--list");
  const std::vector<tests::NamedPolicy> policies = tests::FaultPolicies();
  if (list) {
    for (const tests::NamedPolicy& policy : policies) std::cout << policy.name << "\n";
    return 0;
  }
  if (!tables_only && geteuid() != 0) {
    std::cerr << "SKIPPED: the kernel's part of the proof needs root\n";
    return kSkipped;
  }
  for (const bool in_kernel : {false, true}) {
    if (in_kernel ? tables_only : kernel_only) continue;
    for (const tests::NamedPolicy& policy : policies) {
      if (!names.empty() && std::find(names.begin(), names.end(), policy.name) == names.end()) {
        continue;
      }
      if (!ProveOne(policy, in_kernel) && !all) return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace march

int main(int count, char** arguments) {
  return march::Run(count, arguments);
}
