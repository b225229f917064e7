#include "bench/stateful/live/live.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <thread>

#include "bench/common/fail.h"
#include "bench/common/priority.h"
#include "bench/common/selection.h"
#include "bench/stateful/block_list.h"
#include "bench/stateful/gateway_program.h"
#include "bench/stateful/live/connections.h"
#include "bench/stateful/live/flow_sender.h"
#include "bench/stateful/live/live_subject.h"
#include "bench/stateful/live/router.h"
#include "bench/stateful/traffic.h"

namespace march::bench {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr double kStepSeconds = 0.005;
constexpr std::string_view kTracker = "nft-conntrack";

void Sleep(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

// All that is told apart by when it was measured.
struct Setting {
  std::string family;
  FlowSpace space;
  const TrafficKind& traffic;
  std::uint64_t flows;

  std::string place() const {
    return family + " " + std::string(traffic.name) + " " + std::to_string(flows);
  }
};

struct Sample {
  Clock::time_point time;
  std::uint64_t sent = 0;
  InterfaceCounts in;
  InterfaceCounts out;
  std::uint64_t cpu_nanoseconds = 0;

  // What the gateway has let through, taken off its hands or not.
  std::uint64_t forwarded() const { return out.sent + out.send_dropped; }
};

struct Measured {
  const LiveKind* kind = nullptr;
  std::unique_ptr<Router> router;
  Installed installed;  // goes before its router
  std::vector<double> nanoseconds_per_frame;
  std::vector<double> forwarded_per_second;
  std::vector<double> offered_per_second;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t forwarded = 0;
  std::uint64_t lost_behind = 0;
};

Sample Take(const Measured& measured, const FlowSender& sender) {
  Sample sample;
  sample.in = measured.router->CountsOfIn();
  sample.time = Clock::now();
  const auto thread = measured.router->Thread();
  sample.cpu_nanoseconds = thread ? CpuNanosecondsOf(*thread) : 0;
  sample.sent = sender.sent();
  sample.out = measured.router->CountsOfOut();
  return sample;
}

// When the gateway has done with all that arrived.
Sample TakeWhenQuiet(const Measured& measured, const FlowSender& sender) {
  Sample last = Take(measured, sender);
  for (int quiet = 0; quiet < 5;) {
    Sleep(kStepSeconds);
    const Sample now = Take(measured, sender);
    const bool same =
        now.in.received == last.in.received && now.cpu_nanoseconds == last.cpu_nanoseconds;
    quiet = same ? quiet + 1 : 0;
    last = now;
  }
  return last;
}

class Measurement {
 public:
  Measurement(const LiveOptions& options, const Setting& setting)
      : options_(options), setting_(setting), sender_(setting.space) {}

  void Run(Measured& measured);

 private:
  void Prepare(Measured& measured);
  // From the first frame to the last, with the gateway at rest before and after.
  std::pair<Sample, Sample> Send(const Measured& measured);
  void Check(const Measured& measured, std::uint64_t received, std::uint64_t forwarded) const;

  struct OwnCounts {
    std::optional<std::uint64_t> denied;
    std::optional<std::uint64_t> opening;
  };
  static OwnCounts CountsOfOwn(const Measured& measured) {
    return {measured.installed.subject->Denied(), measured.installed.subject->Opening()};
  }

  const LiveOptions& options_;
  const Setting& setting_;
  FlowSender sender_;
  std::uint64_t fresh_ = 0;  // the first flow that was never seen
  OwnCounts before_;
};

void Measurement::Prepare(Measured& measured) {
  const TrafficKind& traffic = setting_.traffic;
  LiveSubject& subject = *measured.installed.subject;
  subject.ForgetConnections();
  if (traffic.opened) {
    sender_.Open(*measured.router, traffic.packet.protocol, setting_.flows);
    const auto known = subject.Known();
    if (known &&
        (*known > setting_.flows || setting_.flows - *known > MostMissing(setting_.flows))) {
      FailWith(setting_.place() + ": " + std::string(measured.kind->name) + " knows " +
               std::to_string(*known) + " connections");
    }
  }
  FlowMaps& packets = sender_.PacketsTo(*measured.router);
  if (traffic.fresh) {
    packets.OneOfEach(traffic.packet, fresh_);
  } else {
    packets.Mixed(traffic.packet, setting_.flows, Popularity::kUniform);
  }
}

std::pair<Sample, Sample> Measurement::Send(const Measured& measured) {
  const Sample before = TakeWhenQuiet(measured, sender_);
  const Urgently urgently(kMostUrgent);
  sender_.Start(*measured.router);
  for (;;) {
    Sleep(kStepSeconds);
    const double took = std::chrono::duration<double>(Clock::now() - before.time).count();
    if (took > options_.seconds) break;
    const std::uint64_t received = measured.router->CountsOfIn().received - before.in.received;
    if (setting_.traffic.fresh && received >= options_.most_fresh) break;
  }
  const Sample end = Take(measured, sender_);
  sender_.Stop();
  Sample after = TakeWhenQuiet(measured, sender_);
  after.time = end.time;  // rates are those of the time in which frames were sent
  return {before, after};
}

void Measurement::Check(const Measured& measured, std::uint64_t received,
                        std::uint64_t forwarded) const {
  const TrafficKind& traffic = setting_.traffic;
  const std::string who = setting_.place() + ": " + std::string(measured.kind->name) + ": of " +
                          std::to_string(received) + " frames received ";
  const OwnCounts after = CountsOfOwn(measured);
  if (after.denied && *after.denied - *before_.denied + forwarded != received) {
    FailWith(who + std::to_string(*after.denied - *before_.denied) + " were denied and " +
             std::to_string(forwarded) + " forwarded");
  }
  if (after.opening) {
    const std::uint64_t opening = *after.opening - *before_.opening;
    const std::uint64_t expected = traffic.fresh ? received : 0;
    if (opening > expected || expected - opening > MostMissing(received)) {
      FailWith(who + std::to_string(opening) + " opened a connection");
    }
  }
  const double share = static_cast<double>(forwarded) / static_cast<double>(received);
  const bool judges = measured.kind->judges;
  if (share < (judges ? traffic.least_share : 1) || share > (judges ? traffic.most_share : 1)) {
    FailWith(who + "a share of " + std::to_string(share) + " was forwarded");
  }
}

void Measurement::Run(Measured& measured) {
  Prepare(measured);
  before_ = CountsOfOwn(measured);
  const auto [before, after] = Send(measured);
  if (setting_.traffic.fresh) fresh_ += after.sent;
  const std::uint64_t received = after.in.received - before.in.received;
  const std::uint64_t forwarded = after.forwarded() - before.forwarded();
  if (received == 0 || received > after.sent) {
    FailWith(setting_.place() + ": " + std::string(measured.kind->name) + ": " +
             std::to_string(after.sent) + " frames sent, " + std::to_string(received) +
             " received");
  }
  Check(measured, received, forwarded);
  const double took = std::chrono::duration<double>(after.time - before.time).count();
  const auto cpu = static_cast<double>(after.cpu_nanoseconds - before.cpu_nanoseconds);
  const double busy = measured.router->Thread() ? cpu : took * 1e9;
  measured.nanoseconds_per_frame.push_back(busy / static_cast<double>(received));
  measured.forwarded_per_second.push_back(static_cast<double>(forwarded) / took);
  measured.offered_per_second.push_back(static_cast<double>(after.sent) / took);
  measured.sent += after.sent;
  measured.received += received;
  measured.forwarded += forwarded;
  measured.lost_behind += after.out.send_dropped - before.out.send_dropped;
}

bool Does(const LiveKind& kind, Task task) {
  return std::find(kind.tasks.begin(), kind.tasks.end(), task) != kind.tasks.end();
}

std::vector<Measured> Install(const Options& options, const Setting& setting,
                              const Workspace& workspace, Results& results) {
  const auto block_list =
      setting.traffic.task == Task::kBlock
          ? MakeBlockList(setting.space, options.blocked, setting.traffic.most_share == 0)
          : std::vector<std::string>{};
  std::vector<Measured> all;
  for (const LiveKind& kind : LiveKinds()) {
    if (kind.name != kForward && !Selected(options.frames.subjects, kind.name)) continue;
    if (!Does(kind, setting.traffic.task)) continue;
    Measured measured;
    measured.kind = &kind;
    measured.router = std::make_unique<Router>();
    measured.installed = kind.install({*measured.router, workspace, setting.space, setting.traffic,
                                       options.mappings, block_list});
    if (measured.installed.subject == nullptr) {
      results.NotMeasured(kind.name, setting.place(), measured.installed.refusal);
      continue;
    }
    const std::uint64_t needed = setting.traffic.fresh    ? 2 * options.frames.most_fresh
                                 : setting.traffic.opened ? setting.flows
                                                          : 0;
    if (const std::uint64_t room = measured.installed.subject->Room(); room < needed) {
      results.NotMeasured(kind.name, setting.place(),
                          "it has room for " + std::to_string(room) + " connections");
      continue;
    }
    all.push_back(std::move(measured));
  }
  return all;
}

json ResultOf(const Measured& measured, const Setting& setting, const Measured& forward,
              const Measured* tracker) {
  const std::vector<double>& cost = measured.nanoseconds_per_frame;
  json result = {
      {"family", setting.family},
      {"traffic", setting.traffic.name},
      {"connections", setting.traffic.fresh ? json() : json(setting.flows)},
      {"subject", measured.kind->name},
      {"gateway_ns_per_frame", Spread(cost)},
      {"gateway_ns_are", measured.router->Thread() ? "CPU time of the gateway's thread"
                                                   : "wall time, on one CPU with the sender"},
      {"ns_over_forward", Spread(Differences(cost, forward.nanoseconds_per_frame))},
      {"frames_per_second_of_one_cpu", 1e9 / Median(cost)},
      {"forwarded_per_wall_second", Spread(measured.forwarded_per_second)},
      {"offered_per_wall_second", Spread(measured.offered_per_second)},
      {"frames_sent", measured.sent},
      {"frames_received", measured.received},
      {"frames_forwarded", measured.forwarded},
      {"frames_lost_before_the_gateway", measured.sent - measured.received},
      {"frames_lost_behind_the_gateway", measured.lost_behind}};
  if (tracker != nullptr) {
    result["frames_per_second_to_nft_conntrack"] =
        Median(Ratios(tracker->nanoseconds_per_frame, cost));
  }
  return result;
}

void Print(const json& result, const Setting& setting) {
  const json& cost = result["gateway_ns_per_frame"];
  const double sent = result["frames_sent"].get<double>();
  std::printf("%-26s %-22s %6.0f  (%.0f..%.0f) %8.0f %9.3f %10.3f %10.3f %6.1f%%\n",
              setting.place().c_str(), result["subject"].get<std::string>().c_str(),
              cost["median"].get<double>(), cost["min"].get<double>(), cost["max"].get<double>(),
              result["ns_over_forward"]["median"].get<double>(),
              result["frames_per_second_of_one_cpu"].get<double>() / 1e6,
              result["forwarded_per_wall_second"]["median"].get<double>() / 1e6,
              result["offered_per_wall_second"]["median"].get<double>() / 1e6,
              100 * result["frames_lost_before_the_gateway"].get<double>() / sent);
  std::fflush(stdout);
}

const Measured* Find(const std::vector<Measured>& all, std::string_view name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Measured& m) { return m.kind->name == name; });
  return found == all.end() ? nullptr : &*found;
}

void MeasureSetting(const Options& options, const Setting& setting, const Workspace& workspace,
                    Results& results) {
  std::vector<Measured> all = Install(options, setting, workspace, results);
  Measurement measurement(options.frames, setting);
  for (std::uint32_t round = 0; round < options.frames.rounds; ++round) {
    for (Measured& measured : all) measurement.Run(measured);
  }
  for (const Measured& measured : all) {
    json result = ResultOf(measured, setting, *Find(all, kForward), Find(all, kTracker));
    Print(result, setting);
    results.Add("live_frames", std::move(result));
  }
}

}  // namespace

void MeasureLive(const Options& options, const Workspace& workspace, Results& results) {
  std::cout
      << "\nLive frames: CPU time a frame of the gateway, which judges it and routes it if it "
         "may, while another CPU sends without a limit\n\n"
         "traffic                    subject                    ns  (min..max)  over fw  "
         "Mfps/CPU  Mfps wall    offered    lost\n";
  results.Set("connection_tracking", DescribeTracking());
  for (const std::string& family : options.families) {
    for (const TrafficKind& traffic : TrafficKinds()) {
      if (!Selected(options.frames.traffic, traffic.name)) continue;
      if (traffic.task == Task::kFlood) continue;
      for (const std::uint64_t flows : options.frames.flows) {
        MeasureSetting(options, {family, options.SpaceOf(family), traffic, flows}, workspace,
                       results);
        if (traffic.fresh) break;  // there is no number of them
      }
    }
  }
}

}  // namespace march::bench
