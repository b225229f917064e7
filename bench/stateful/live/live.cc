#include "bench/stateful/live/live.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <thread>

#include "bench/common/fail.h"
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

constexpr std::chrono::milliseconds kQuietStep{2};
constexpr std::string_view kTracker = "nft-conntrack";

// All that is told apart by when it was measured.
struct Setting {
  std::string family;
  FlowSpace space;
  const TrafficKind& traffic;
  std::uint64_t flows;

  std::string place() const {
    return family + " " + std::string(traffic.name) +
           (traffic.opened ? " " + std::to_string(flows) : "");
  }
};

struct Sample {
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
  std::uint64_t received = 0;
  std::uint64_t forwarded = 0;
  std::uint64_t lost_behind = 0;
};

Sample Take(const Router& router) {
  return {router.CountsOfIn(), router.CountsOfOut(), CpuNanosecondsOf(*router.Thread())};
}

// When the gateway has done with all that arrived.
Sample TakeWhenQuiet(const Router& router) {
  Sample last = Take(router);
  for (int quiet = 0; quiet < 3;) {
    std::this_thread::sleep_for(kQuietStep);
    const Sample now = Take(router);
    quiet = now.cpu_nanoseconds == last.cpu_nanoseconds ? quiet + 1 : 0;
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
  void Prepare(const Measured& measured);
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

bool IsNearly(std::uint64_t connections, std::uint64_t expected) {
  return connections <= expected && expected - connections <= MostMissing(expected);
}

// Connections that go on have sent something before: what is measured is neither their opening nor
// what the subject before has left in the caches.
void Measurement::Prepare(const Measured& measured) {
  const TrafficKind& traffic = setting_.traffic;
  LiveSubject& subject = *measured.installed.subject;
  subject.ForgetConnections();
  if (traffic.opened) {
    sender_.Open(*measured.router, traffic.packet.protocol, setting_.flows);
    if (const auto known = subject.Known(); known && !IsNearly(*known, setting_.flows)) {
      FailWith(setting_.place() + ": " + std::string(measured.kind->name) + " knows " +
               std::to_string(*known) + " connections");
    }
    sender_.SendOneOfEach(*measured.router, traffic.packet, 0, setting_.flows);
  }
  FlowMaps& packets = sender_.PacketsTo(*measured.router);
  if (traffic.fresh) {
    packets.OneOfEach(traffic.packet, fresh_);
  } else {
    packets.Mixed(traffic.packet, setting_.flows, Popularity::kUniform);
  }
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
    // Of what is established, the few that could not be kept may try again.
    if (traffic.fresh ? !IsNearly(opening, received) : opening > MostMissing(received)) {
      FailWith(who + std::to_string(opening) + " opened a connection");
    }
  }
  const double share = static_cast<double>(forwarded) / static_cast<double>(received);
  if (!traffic.MayPass(measured.kind->judge, share)) {
    FailWith(who + "a share of " + std::to_string(share) + " was forwarded");
  }
}

void Measurement::Run(Measured& measured) {
  Prepare(measured);
  before_ = CountsOfOwn(measured);
  const std::uint32_t frames = setting_.traffic.fresh ? options_.most_fresh : options_.frames;
  const Sample before = TakeWhenQuiet(*measured.router);
  sender_.Send(*measured.router, frames);
  const Sample after = TakeWhenQuiet(*measured.router);
  if (setting_.traffic.fresh) fresh_ += frames;
  const std::uint64_t received = after.in.received - before.in.received;
  const std::uint64_t forwarded = after.forwarded() - before.forwarded();
  if (received != frames) {
    FailWith(setting_.place() + ": " + std::string(measured.kind->name) + ": " +
             std::to_string(frames) + " frames sent, " + std::to_string(received) + " received");
  }
  Check(measured, received, forwarded);
  const auto cpu = static_cast<double>(after.cpu_nanoseconds - before.cpu_nanoseconds);
  measured.nanoseconds_per_frame.push_back(cpu / static_cast<double>(received));
  measured.received += received;
  measured.forwarded += forwarded;
  measured.lost_behind += after.out.send_dropped - before.out.send_dropped;
}

std::vector<Measured> Install(const Options& options, const Setting& setting,
                              const Workspace& workspace, Results& results) {
  const auto block_list =
      MakeBlockList(setting.space, options.blocked, setting.traffic.name == kBlocked);
  const std::uint64_t needed = setting.traffic.fresh    ? options.frames.most_fresh
                               : setting.traffic.opened ? setting.flows
                                                        : 0;
  std::vector<Measured> all;
  for (const LiveKind& kind : LiveKinds()) {
    if (kind.name != kForward && !Selected(options.frames.subjects, kind.name)) continue;
    if (!TakesPart(kind.traffic, setting.traffic.name)) continue;
    Measured measured;
    measured.kind = &kind;
    measured.router = std::make_unique<Router>();
    if (!measured.router->Thread()) FailWith("the kernel serves no interface by a thread");
    measured.installed = kind.install({*measured.router, workspace, setting.space, setting.traffic,
                                       options.mappings, options.blocked, block_list});
    if (measured.installed.subject == nullptr) {
      results.NotMeasured(kind.name, setting.place(), measured.installed.refusal);
    } else if (const auto room = measured.installed.subject->Room(); room < needed) {
      results.NotMeasured(kind.name, setting.place(),
                          "it has room for " + std::to_string(room) + " connections");
    } else {
      all.push_back(std::move(measured));
    }
  }
  return all;
}

const Measured* Find(const std::vector<Measured>& all, std::string_view name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const Measured& m) { return m.kind->name == name; });
  return found == all.end() ? nullptr : &*found;
}

json ResultOf(const Measured& measured, const Setting& setting, const std::vector<Measured>& all) {
  const std::vector<double>& cost = measured.nanoseconds_per_frame;
  const std::vector<double>& forward = Find(all, kForward)->nanoseconds_per_frame;
  json result = {{"family", setting.family},
                 {"traffic", setting.traffic.name},
                 {"connections", setting.traffic.opened ? json(setting.flows) : json()},
                 {"subject", measured.kind->name},
                 {"gateway_ns_per_frame", Spread(cost)},
                 {"ns_over_forward", Spread(Differences(cost, forward))},
                 {"frames_per_second_of_one_cpu", 1e9 / Median(cost)},
                 {"frames_received", measured.received},
                 {"frames_forwarded", measured.forwarded},
                 {"frames_lost_behind_the_gateway", measured.lost_behind}};
  if (const Measured* tracker = Find(all, kTracker)) {
    result["frames_per_second_to_nft_conntrack"] =
        Median(Ratios(tracker->nanoseconds_per_frame, cost));
  }
  return result;
}

void Print(const json& result, const Setting& setting) {
  const json& cost = result["gateway_ns_per_frame"];
  std::printf("%-26s %-20s %6.0f  (%.0f..%.0f) %8.0f %9.3f", setting.place().c_str(),
              result["subject"].get<std::string>().c_str(), cost["median"].get<double>(),
              cost["min"].get<double>(), cost["max"].get<double>(),
              result["ns_over_forward"]["median"].get<double>(),
              result["frames_per_second_of_one_cpu"].get<double>() / 1e6);
  if (result.contains("frames_per_second_to_nft_conntrack")) {
    std::printf(" %9.2f", result["frames_per_second_to_nft_conntrack"].get<double>());
  }
  std::printf("\n");
  std::fflush(stdout);
}

void MeasureSetting(const Options& options, const Setting& setting, const Workspace& workspace,
                    Results& results) {
  std::vector<Measured> all = Install(options, setting, workspace, results);
  Measurement measurement(options.frames, setting);
  for (std::uint32_t round = 0; round < options.frames.rounds; ++round) {
    for (Measured& measured : all) measurement.Run(measured);
  }
  for (const Measured& measured : all) {
    json result = ResultOf(measured, setting, all);
    Print(result, setting);
    results.Add("live_frames", std::move(result));
  }
}

}  // namespace

void MeasureLive(const Options& options, const Workspace& workspace, Results& results) {
  std::cout
      << "\nLive frames: CPU time a frame of the gateway, which judges it and routes it if it "
         "may\n\n"
         "traffic                    subject                  ns  (min..max)  over fw  "
         "Mfps/CPU  x conntrack\n";
  results.Set("connection_tracking", DescribeTracking());
  for (const std::string& family : options.families) {
    for (const TrafficKind& traffic : TrafficKinds()) {
      if (!Selected(options.frames.traffic, traffic.name)) continue;
      if (traffic.floods) continue;
      for (const std::uint64_t flows : traffic.FlowsAmong(options.frames.flows)) {
        MeasureSetting(options, {family, options.SpaceOf(family), traffic, flows}, workspace,
                       results);
      }
    }
  }
}

}  // namespace march::bench
