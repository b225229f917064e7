// marchctl fmt [--check] FILES...: the one canonical layout.
#include <algorithm>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/parallel.h"
#include "cli/exit_code.h"
#include "cli/output/report.h"
#include "cli/verbs/verbs.h"
#include "compiler/pipeline/pipeline.h"
#include "compiler/pipeline/review.h"

namespace march::cli {
namespace {

constexpr std::string_view kStandardInput = "-";

struct Flags {
  std::vector<std::string> paths;
  bool check = false;
};

// The line in which two texts begin to differ, from 1.
std::size_t FirstDifference(std::string_view a, std::string_view b) {
  const auto at = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
  return 1 + static_cast<std::size_t>(std::count(a.begin(), at, '\n'));
}

class Formatter {
 public:
  Formatter(Environment& environment, bool check) : environment_(environment), check_(check) {}

  void FormatFilesAt(const std::string& path) {
    if (path.ends_with(".march")) {
      return Fail({MakeDiagnostic(Code::kCannotWrite, {},
                                  path + " is a bundle, whose files are signed as they are",
                                  "format the policy that it is made of")});
    }
    const auto sources = pipeline::LoadTexts(environment_.files, path);
    if (!sources) return Fail(sources.diagnostics());
    std::vector<Outcome<std::string>> formatted(sources->size(), Diagnostics{});
    ForEachInParallel(sources->size(),
                      [&](std::size_t i) { formatted[i] = yaml::Format(*(*sources)[i]); });
    for (std::size_t i = 0; i < sources->size(); ++i) Finish(*(*sources)[i], formatted[i]);
  }

  void FormatInput() {
    const Source source("<stdin>", {std::istreambuf_iterator<char>(environment_.in), {}});
    const auto formatted = yaml::Format(source);
    if (!formatted) return Fail(formatted.diagnostics());
    if (!check_) {
      environment_.out << *formatted;
    } else if (*formatted != source.text()) {
      Tell(source, *formatted);
    }
  }

  int Finish() const {
    if (code_ != kOk) return code_;
    return different_ ? kFailed : kOk;
  }

 private:
  void Finish(const Source& source, const Outcome<std::string>& formatted) {
    if (!formatted) return Fail(formatted.diagnostics());
    if (*formatted == source.text()) return;
    if (check_) return Tell(source, *formatted);
    const auto written = environment_.files.RewriteAtomically(source.name(), *formatted);
    if (!written.ok()) return Fail(written.diagnostics());
    environment_.out << source.name() << "\n";
  }

  void Tell(const Source& source, std::string_view formatted) {
    different_ = true;
    environment_.out << source.name() << ":" << FirstDifference(source.text(), formatted)
                     << ": not in the canonical layout\n";
  }

  void Fail(const Diagnostics& diagnostics) {
    code_ = std::max(code_, Report(environment_, diagnostics));
  }

  Environment& environment_;
  bool check_;
  bool different_ = false;  // found by --check
  ExitCode code_ = kOk;
};

int Run(Environment& environment, const Flags& flags) {
  Formatter formatter(environment, flags.check);
  for (const std::string& path : flags.paths) {
    if (path == kStandardInput) {
      formatter.FormatInput();
    } else {
      formatter.FormatFilesAt(path);
    }
  }
  return formatter.Finish();
}

}  // namespace

void AddFmt(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("fmt", "Put files into the canonical layout");
  const auto flags = std::make_shared<Flags>();
  verb->add_option("FILES", flags->paths, "Files and directories; - for standard input")
      ->required();
  verb->add_flag("--check", flags->check, "Change nothing, and fail if something would change");
  verb->callback([&environment, &exit_code, flags] { exit_code = Run(environment, *flags); });
}

}  // namespace march::cli
