// marchctl monitor --target T: what a gateway does to packets, as it happens and in the policy's
// words.
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "cli/exit_code.h"
#include "cli/live/event.h"
#include "cli/live/event_filter.h"
#include "cli/live/event_words.h"
#include "cli/live/policies.h"
#include "cli/output/format.h"
#include "cli/output/report.h"
#include "cli/target.h"
#include "cli/verbs/verbs.h"

namespace march::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Flags {
  std::string target;
  std::string format;
  EventFilter filter;
  std::uint64_t last = 0;
  std::uint64_t count = 0;  // 0: without end
  bool no_follow = false;
};

// Explanations of the flows that were seen lately: whoever is denied tries again.
class Memory {
 public:
  EventWords WordsFor(const Event& event, const LivePolicy* policy) {
    if (event.type == "flow" || !event.flow) return Explain(event, policy);
    const Key key(event.generation, event.type, event.reason, event.mapping, event.tcp_flags,
                  event.flow->ToString());
    const auto found = words_.find(key);
    if (found != words_.end()) return found->second;
    if (words_.size() >= kMost) words_.clear();
    return words_[key] = Explain(event, policy);
  }

 private:
  static constexpr std::size_t kMost = 4096;
  using Key =
      std::tuple<std::uint64_t, std::string, std::string, std::string, std::string, std::string>;

  std::map<Key, EventWords> words_;
};

class Monitor {
 public:
  Monitor(Environment& environment, const Flags& flags)
      : environment_(environment), flags_(flags), policies_(flags.target) {}

  ExitCode Run() {
    if (!KnowsService()) return kFailed;
    std::string path = "/v1/events?last=" + std::to_string(flags_.last);
    if (flags_.no_follow) path += "&follow=false";
    if (flags_.filter.Wants("flow")) path += "&flows=true";
    if (!flags_.filter.WantsPackets()) path += "&packets=false";
    const auto streamed = Stream(flags_.target, path, [&](const Json& line) { return Take(line); });
    return streamed.ok() ? kOk : Report(environment_, streamed.diagnostics());
  }

 private:
  // A name that nothing can match is a slip.
  bool KnowsService() {
    const std::string& service = flags_.filter.service;
    if (service.empty()) return true;
    const auto status = Call(flags_.target, "GET", "/v1/status");
    if (!status) {
      Report(environment_, status.diagnostics());
      return false;
    }
    const LivePolicy* policy = policies_.Of(status->value("generation", std::uint64_t{0}));
    if (policy != nullptr && model::FindService(policy->policy(), service) != nullptr) return true;
    environment_.err << "marchctl: the policy in force has no service \"" << service << "\"\n";
    return false;
  }

  // False: enough.
  bool Take(const Json& line) {
    const auto event = ReadEvent(line);
    if (!event) {
      Note(line);
    } else {
      const LivePolicy* policy = policies_.Of(event->generation);
      if (!flags_.filter.Matches(*event, policy)) return true;
      ++shown_;
      Show(*event, memory_.WordsFor(*event, policy));
    }
    environment_.out.flush();
    return environment_.out.good() && (flags_.count == 0 || shown_ < flags_.count);
  }

  void Show(const Event& event, const EventWords& words) {
    if (flags_.format == "json") {
      environment_.out << JsonOf(event, words).dump(-1, ' ', false, Json::error_handler_t::replace)
                       << "\n";
    } else {
      environment_.out << TextOf(event, words);
    }
  }

  // What was not told of; the first line of all says what was not told of before.
  void Note(const Json& line) {
    if (flags_.format == "json") {
      environment_.out << line.dump() << "\n";
    } else if (TextIn(line, "type") == "missed") {
      environment_.out << "(" << NumberIn(line, "events")
                       << " events came faster than they were read here, and are not shown)\n";
    } else if (TextIn(line, "type") == "counts") {
      for (const char* kind : {"drops", "allows", "flows"}) NoteCounts(kind, line);
      counts_ = line;
    }
  }

  void NoteCounts(const std::string& kind, const Json& line) {
    if (!counts_ || !flags_.filter.Wants(kind.substr(0, kind.size() - 1))) return;
    const auto since = [&](const char* key) {
      const auto of = [&](const Json& counts) {
        return counts.contains(kind) ? NumberIn(counts[kind], key) : 0;
      };
      return of(line) - of(*counts_);
    };
    const std::string what = kind == "flows" ? "connections that have ended" : kind;
    if (const std::uint64_t many = since("suppressed"); many > 0) {
      environment_.out << "(" << many << " more " << what
                       << " are not shown: the gateway tells of only so many in a second)\n";
    }
    if (const std::uint64_t many = since("lost"); many > 0) {
      environment_.out << "(" << many << " more " << what
                       << " are not shown: the gateway had no room for them)\n";
    }
  }

  Environment& environment_;
  const Flags& flags_;
  Policies policies_;
  Memory memory_;
  std::uint64_t shown_ = 0;
  std::optional<Json> counts_;
};

}  // namespace

void AddMonitor(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("monitor", "Show what a gateway does to packets, as it happens");
  const auto flags = std::make_shared<Flags>();
  AddTargetOption(*verb, flags->target);
  AddFilterOptions(*verb, flags->filter);
  verb->add_option("--last", flags->last, "Begin with up to so many events from before")
      ->type_name("N")
      ->check(CLI::NonNegativeNumber);
  verb->add_flag("--no-follow", flags->no_follow, "End with what is known now");
  verb->add_option("--count", flags->count, "End after so many events")
      ->type_name("N")
      ->check(CLI::PositiveNumber);
  AddOutputOption(*verb, flags->format);
  verb->callback(
      [&environment, &exit_code, flags] { exit_code = Monitor(environment, *flags).Run(); });
}

}  // namespace march::cli
