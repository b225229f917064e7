// march-kernel-check [--hardened] [--jobs N] DIRECTORY: loads every case of a directory into the
// running kernel, sends its frames and compares (case_files.h). Run as the first thing in another
// kernel by guest.sh, and as it is on the kernel of this machine.
//
//   ok NAME VERIFIED BYTES MICROSECONDS FRAMES   instructions verified (0: Linux before 5.16 does
//                                                not say), bytes of machine code (0: interpreted),
//                                                the time that loading took
//   hardened NAME VERIFIED BYTES MICROSECONDS FRAMES
//   failed NAME WHY
//   sum CASES FAILED
//
// With --hardened every case is loaded again where constants are hidden (jit_hardening.h), and must
// come out larger by a quarter. Ends with 0 if nothing failed, else with 1; with 77 where programs
// cannot be loaded, or the setting cannot be changed.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <sstream>
#include <thread>

#include "base/print.h"
#include "tests/kernels/check_case.h"
#include "tests/kernels/jit_hardening.h"

namespace march::tests {
namespace {

constexpr int kSkipped = 77;
constexpr int kUsage = 64;

std::string OnOneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

class Checker {
 public:
  Checker(const std::string& directory, unsigned jobs) : directory_(directory), jobs_(jobs) {}

  // All cases side by side; `word` begins the line of one that holds.
  void CheckAll(const std::vector<std::string>& paths, const std::string& word) {
    std::atomic<std::size_t> next = 0;
    const auto work = [&] {
      for (std::size_t i = next++; i < paths.size(); i = next++) CheckOne(paths[i], word);
    };
    std::vector<std::thread> threads;
    while (threads.size() + 1 < jobs_) threads.emplace_back(work);
    work();
    for (std::thread& thread : threads) thread.join();
  }

  void PrintSum() const { std::cout << "sum " << cases_ << " " << failed_ << std::endl; }
  bool failed() const { return failed_ != 0; }

 private:
  void CheckOne(const std::string& path, const std::string& word) {
    const auto read = ReadCase(files_, path);
    CaseReport report;
    if (read) {
      report = CheckCase(*read);
    } else {
      report.problem = TextOf(read.diagnostics());
    }
    const std::lock_guard lock(mutex_);
    const std::string name = path.substr(directory_.size() + 1);
    const std::uint32_t bytes = report.figures.native_bytes;
    std::uint32_t& plain = native_bytes_[name];
    // The first time nothing is hidden; of a program that was interpreted then, nothing is known.
    if (report.problem.empty() && bytes < plain / 4 * 5) {
      report.problem = std::to_string(bytes) + " bytes of machine code with constants hidden, " +
                       std::to_string(plain) + " without";
    }
    plain = bytes;
    ++cases_;
    if (!report.problem.empty()) {
      ++failed_;
      std::cout << "failed " << name << " " << OnOneLine(report.problem) << std::endl;
      return;
    }
    std::cout << word << " " << name << " " << report.figures.verified_instructions << " " << bytes
              << " " << report.figures.load_time.count() << " " << read->frames.size() << std::endl;
  }

  const DiskFileSystem files_;
  const std::string directory_;
  const unsigned jobs_;
  std::mutex mutex_;  // over all that follows, and the output
  std::map<std::string, std::uint32_t> native_bytes_;
  std::size_t cases_ = 0;
  std::size_t failed_ = 0;
};

int Skip(const std::string& why) {
  std::cerr << "SKIPPED: " << why << "\n";
  return kSkipped;
}

int Run(std::vector<std::string> arguments) {
  const bool hardened = std::erase(arguments, "--hardened") != 0;
  unsigned jobs = std::max(std::thread::hardware_concurrency(), 1U);
  if (arguments.size() == 3 && arguments[0] == "--jobs") {
    jobs = static_cast<unsigned>(std::strtoul(arguments[1].c_str(), nullptr, 10));
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  if (arguments.size() != 1 || jobs == 0) {
    std::cerr << "usage: march-kernel-check [--hardened] [--jobs N] DIRECTORY\n";
    return kUsage;
  }
  const std::string& directory = arguments[0];
  if (const auto may_load = bpf::MayLoadPrograms(); !may_load) {
    return Skip(TextOf(may_load.diagnostics()));
  }
  const auto paths = FindCases(DiskFileSystem(), directory);
  if (!paths) {
    std::cerr << TextOf(paths.diagnostics());
    return 1;
  }
  const auto setting = hardened ? JitHardening::Take() : nullptr;
  if (hardened && (setting == nullptr || !setting->HideConstants(false))) {
    return Skip("net.core.bpf_jit_harden cannot be set");
  }
  Checker checker(directory, jobs);
  checker.CheckAll(*paths, "ok");
  if (hardened) {
    if (!setting->HideConstants(true)) return Skip("net.core.bpf_jit_harden cannot be set to 2");
    checker.CheckAll(*paths, "hardened");
  }
  checker.PrintSum();
  return checker.failed() ? 1 : 0;
}

}  // namespace
}  // namespace march::tests

int main(int count, char** arguments) {
  return march::tests::Run({arguments + 1, arguments + count});
}
