// From the bytes of a BPF object to a program in the kernel that nothing refers to but us.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/outcome.h"
#include "runtime/bpf/kernel.h"
#include "runtime/bpf/unique_fd.h"

namespace march::bpf {

struct Program {
  UniqueFd prog;
  UniqueFd tables;
  UniqueFd counters;
  UniqueFd config;                        // not ok() if it cannot be configured
  std::chrono::microseconds load_time{};  // of maps and program, without filling the tables
};

// The object holds the XDP program `march_xdp`, the mmapable array `march_tables` (one value with
// room for all lines) and the mmapable array `march_counters` (bundle/abi/verdict.h), which gets as
// many blocks as there are CPUs. The tables are filled and then frozen, so that nothing can change
// what was loaded. Errors: kBundleMalformed for an object of another form, kKernelRefused with the
// verifier's words.
Outcome<Program> LoadProgram(const Image& image);

// Two instructions that drop every packet. `what` is for the error: "cannot WHAT: reason".
Outcome<UniqueFd> LoadDropAll(const std::string& what = "load the lockdown program");

// The slots of a march_counters map, and those there is room for, each summed over the CPUs.
Outcome<std::vector<march_counter>> SumCounters(int counters_fd);
Outcome<march_counter> SumCounter(int counters_fd, std::uint32_t slot);

// kKernelRefused: "cannot WHAT: reason".
Diagnostic KernelRefused(const std::string& what, int error, std::string hint = {});

}  // namespace march::bpf
