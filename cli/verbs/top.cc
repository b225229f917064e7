// marchctl top --target T: what goes through a gateway, per second.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "cli/exit_code.h"
#include "cli/live/policies.h"
#include "cli/live/terminal.h"
#include "cli/live/top_view.h"
#include "cli/output/report.h"
#include "cli/target.h"
#include "cli/verbs/verbs.h"

namespace march::cli {
namespace {

struct Flags {
  std::string target;
  double interval = 1;      // seconds
  std::uint64_t count = 0;  // screens; 0: without end on a terminal, else one
};

using Clock = std::chrono::steady_clock;

class Top {
 public:
  Top(Environment& environment, const Flags& flags)
      : environment_(environment),
        flags_(flags),
        interval_(static_cast<std::int64_t>(std::lround(flags.interval * 1000))),
        policies_(flags.target) {}

  ExitCode Run() {
    auto first = ReadTop(flags_.target, nullptr);
    if (!first) return Report(environment_, first.diagnostics());
    before_ = *std::move(first);
    const ExitCode code = environment_.is_terminal ? OnTerminal() : AsText();
    // Where a terminal was, messages come when it is as it was before.
    return code == kOk ? kOk : Report(environment_, failure_);
  }

 private:
  ExitCode AsText() {
    const std::uint64_t count = std::max<std::uint64_t>(flags_.count, 1);
    for (std::uint64_t i = 0; i < count; ++i) {
      std::this_thread::sleep_for(interval_);
      if (!Read()) return kFailed;
      if (i > 0) environment_.out << "\n";
      for (const std::string& line : Render(*view_, Title(""), 0, 0)) {
        environment_.out << line << "\n";
      }
      environment_.out.flush();
      if (!environment_.out) return kOk;
    }
    return kOk;
  }

  ExitCode OnTerminal() {
    Terminal terminal(environment_.out);
    for (std::uint64_t shown = 0; flags_.count == 0 || shown < flags_.count;) {
      switch (terminal.Wait(TimeToNext())) {
        case Terminal::Wake::kKey:
          if (terminal.key() == 'q') return kOk;
          break;
        case Terminal::Wake::kGone:
          return kOk;
        case Terminal::Wake::kResize:
          Draw(terminal);
          break;
        case Terminal::Wake::kTime:
          if (!Read()) return kFailed;
          Draw(terminal);
          ++shown;
          break;
      }
    }
    return kOk;
  }

  // A gateway that takes long to answer gets as long to rest.
  std::chrono::milliseconds TimeToNext() const {
    const auto next = std::max(before_.at + interval_, rest_until_);
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(next - Clock::now()),
                    std::chrono::milliseconds(0));
  }

  bool Read() {
    const Clock::time_point begin = Clock::now();
    auto now = ReadTop(flags_.target, &before_);
    const Clock::time_point end = Clock::now();
    rest_until_ = end + (end - begin);
    if (!now) {
      failure_ = std::move(now).diagnostics();
      return false;
    }
    view_ = Compare(before_, *now, policies_.Of(now->generation));
    before_ = *std::move(now);
    return true;
  }

  void Draw(Terminal& terminal) {
    if (!view_) return;
    const Terminal::Size size = terminal.size();
    terminal.Draw(Render(*view_, Title("     q quits"), size.rows, size.columns));
  }

  std::string Title(const char* keys) const { return "marchctl top, " + flags_.target + keys; }

  Environment& environment_;
  const Flags& flags_;
  std::chrono::milliseconds interval_;
  Policies policies_;
  TopReading before_;
  Clock::time_point rest_until_;  // the gateway
  std::optional<TopView> view_;
  Diagnostics failure_;
};

}  // namespace

void AddTop(CLI::App& app, Environment& environment, int& exit_code) {
  constexpr double kShortest = 0.1;
  constexpr double kLongest = 3600;
  auto* verb = app.add_subcommand("top", "Show what goes through a gateway, per second");
  const auto flags = std::make_shared<Flags>();
  AddTargetOption(*verb, flags->target);
  verb->add_option("--interval", flags->interval, "Seconds between two screens")
      ->type_name("SECONDS")
      ->check(CLI::Range(kShortest, kLongest))
      ->capture_default_str();
  verb->add_option("--count", flags->count, "End after so many screens")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  verb->callback([&environment, &exit_code, flags] { exit_code = Top(environment, *flags).Run(); });
}

}  // namespace march::cli
