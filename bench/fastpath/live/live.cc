#include "bench/fastpath/live/live.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <thread>

#include "bench/common/fail.h"
#include "bench/common/selection.h"
#include "bench/fastpath/live/gateway.h"
#include "bench/fastpath/live/live_subject.h"
#include "bench/fastpath/live/sender.h"
#include "bench/fastpath/policy.h"

namespace march::bench {
namespace {

using nlohmann::json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kTrace = 1U << 17;
constexpr std::size_t kPlainWork = 100'000'000;
constexpr double kWarmUpSeconds = 0.1;
// Of the share that is allowed: which frames are lost before they arrive is a matter of chance.
constexpr double kShareTolerance = 0.03;

void Sleep(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

struct Sample {
  Clock::time_point time;
  std::uint64_t sent = 0;
  InterfaceCounts in;
  InterfaceCounts out;
  std::uint64_t cpu_nanoseconds = 0;
};

struct Measured {
  const LiveKind* kind = nullptr;
  std::unique_ptr<Gateway> gateway;
  Installed installed;  // goes before its gateway
  std::vector<double> frames_per_second;
  std::vector<double> nanoseconds_per_frame;  // of the gateway's CPU; of the wall if it has none
  bool own_cpu = true;
  std::vector<double> offered_per_second;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t forwarded = 0;
  std::uint64_t denied = 0;
  bool counts_denied = false;
};

std::string PlaceOf(const Policy& policy) {
  return std::string(policy.family_name()) + " " +
         std::string(tests::NameOf(policy.options.style)) + " " +
         std::to_string(policy.options.rules);
}

Sample Take(const Measured& measured, const Sender& sender, std::optional<int> thread) {
  Sample sample;
  sample.in = measured.gateway->CountsOfIn();
  sample.time = Clock::now();
  sample.cpu_nanoseconds = thread ? CpuNanosecondsOf(*thread) : 0;
  sample.sent = sender.sent();
  sample.out = measured.gateway->CountsOfOut();
  return sample;
}

// Until the gateway has done with all that arrived.
Sample TakeWhenQuiet(const Measured& measured, const Sender& sender) {
  Sample last = Take(measured, sender, {});
  for (int quiet = 0; quiet < 5;) {
    Sleep(0.005);
    const Sample now = Take(measured, sender, {});
    const bool same = now.in.received == last.in.received && now.out.sent == last.out.sent;
    quiet = same ? quiet + 1 : 0;
    last = now;
  }
  return last;
}

void MeasureOnce(Measured& measured, Sender& sender, double seconds) {
  const std::optional<int> thread = measured.gateway->ReceiverThread();
  const Sample before = TakeWhenQuiet(measured, sender);
  const auto denied_before = measured.installed.subject->Denied();
  const auto judged_before = measured.installed.subject->Judged();
  sender.Start(*measured.gateway);
  Sleep(kWarmUpSeconds);
  const Sample start = Take(measured, sender, thread);
  Sleep(seconds);
  const Sample end = Take(measured, sender, thread);
  sender.Stop();
  const Sample after = TakeWhenQuiet(measured, sender);
  const auto denied_after = measured.installed.subject->Denied();
  const auto judged_after = measured.installed.subject->Judged();

  const double took = std::chrono::duration<double>(end.time - start.time).count();
  const auto frames = static_cast<double>(end.in.received - start.in.received);
  measured.frames_per_second.push_back(frames / took);
  measured.offered_per_second.push_back(static_cast<double>(end.sent - start.sent) / took);
  const auto cpu = static_cast<double>(end.cpu_nanoseconds - start.cpu_nanoseconds);
  measured.own_cpu = thread.has_value();
  measured.nanoseconds_per_frame.push_back((thread ? cpu : took * 1e9) / std::max(frames, 1.0));

  const std::uint64_t received = after.in.received - before.in.received;
  const std::uint64_t forwarded = after.out.sent - before.out.sent;
  measured.sent += after.sent;
  measured.received += received;
  measured.forwarded += forwarded;
  const std::string who = std::string(measured.kind->name) + ": ";
  if (received == 0 || received > after.sent) {
    FailWith(who + std::to_string(after.sent) + " frames sent, " + std::to_string(received) +
             " received");
  }
  if (denied_before && denied_after) {
    const std::uint64_t denied = *denied_after - *denied_before;
    measured.counts_denied = true;
    measured.denied += denied;
    if (denied + forwarded != received) {
      FailWith(who + std::to_string(received) + " frames received, but " + std::to_string(denied) +
               " denied and " + std::to_string(forwarded) + " routed");
    }
  }
  if (judged_before && judged_after && *judged_after - *judged_before != received) {
    FailWith(who + std::to_string(received) + " frames received, but " +
             std::to_string(*judged_after - *judged_before) + " judged");
  }
}

double ExpectedShare(const Measured& measured, double allowed) {
  if (measured.kind->judges) return allowed;
  return measured.kind->name == "xdp-drop" ? 0 : 1;
}

void CheckShare(const Measured& measured, double allowed, const std::string& place) {
  const double share =
      static_cast<double>(measured.forwarded) / static_cast<double>(measured.received);
  const double expected = ExpectedShare(measured, allowed);
  if (std::abs(share - expected) <= kShareTolerance) return;
  FailWith(place + ": " + std::string(measured.kind->name) + " lets a share of " +
           std::to_string(share) + " through, the policy one of " + std::to_string(expected));
}

std::vector<Measured> Install(const LiveOptions& options, const Policy& policy,
                              const std::vector<tests::Packet>& trace, const std::string& place,
                              const Workspace& workspace, Results& results) {
  std::vector<Measured> all;
  for (const LiveKind& kind : LiveKinds()) {
    if (kind.name != "march" && !Selected(options.subjects, kind.name)) continue;
    Measured measured;
    measured.kind = &kind;
    measured.gateway = std::make_unique<Gateway>();
    measured.installed = kind.install({policy, *measured.gateway, workspace, trace});
    if (measured.installed.subject == nullptr) {
      results.NotMeasured(kind.name, place, measured.installed.refusal);
      continue;
    }
    all.push_back(std::move(measured));
  }
  return all;
}

json ResultOf(const Measured& measured, const Policy& policy, std::string_view traffic,
              double allowed, const Measured& ours) {
  const std::uint64_t lost = measured.sent - measured.received;
  json result = {{"family", policy.family_name()},
                 {"style", tests::NameOf(policy.options.style)},
                 {"mappings", policy.options.rules},
                 {"traffic", traffic},
                 {"subject", measured.kind->name},
                 {"gateway_ns_per_frame", Spread(measured.nanoseconds_per_frame)},
                 {"gateway_ns_are", measured.own_cpu ? "CPU time of the gateway's thread"
                                                     : "wall time, on one CPU with the sender"},
                 {"frames_per_second_of_one_cpu", 1e9 / Median(measured.nanoseconds_per_frame)},
                 {"ratio_to_march",
                  Median(Ratios(measured.nanoseconds_per_frame, ours.nanoseconds_per_frame))},
                 {"frames_per_wall_second", Spread(measured.frames_per_second)},
                 {"frames_offered_per_wall_second", Spread(measured.offered_per_second)},
                 {"load_seconds", measured.installed.load_seconds},
                 {"frames_sent", measured.sent},
                 {"frames_lost_before_the_gateway", lost},
                 {"frames_received", measured.received},
                 {"frames_routed", measured.forwarded},
                 {"expected_allowed_share", ExpectedShare(measured, allowed)}};
  if (measured.counts_denied) result["frames_denied_by_own_count"] = measured.denied;
  return result;
}

void Print(const json& result, const std::string& place) {
  const json& cost = result["gateway_ns_per_frame"];
  const double sent = result["frames_sent"].get<double>();
  std::printf("%-14s %-8s %-24s %8.0f  (%.0f..%.0f) %9.3f %9.2f %9.3f %6.1f%% %7.2f\n",
              place.c_str(), result["traffic"].get<std::string>().c_str(),
              result["subject"].get<std::string>().c_str(), cost["median"].get<double>(),
              cost["min"].get<double>(), cost["max"].get<double>(),
              result["frames_per_second_of_one_cpu"].get<double>() / 1e6,
              result["ratio_to_march"].get<double>(),
              result["frames_per_wall_second"]["median"].get<double>() / 1e6,
              100 * result["frames_lost_before_the_gateway"].get<double>() / sent,
              result["load_seconds"].get<double>());
  std::fflush(stdout);
}

void MeasureTraffic(const LiveOptions& options, const Policy& policy, tests::Traffic traffic,
                    const Workspace& workspace, Results& results) {
  const std::string place = PlaceOf(policy);
  const std::string_view name = tests::NameOf(traffic);
  const auto trace = tests::MakeTraffic(policy.rules, traffic, kTrace, 7);
  const std::size_t looked_at =
      std::min(trace.size(), std::max<std::size_t>(kPlainWork / policy.rules.size(), 1));
  const std::vector<bool> verdicts = PlainVerdicts(policy.rules, trace, looked_at);
  const double allowed = static_cast<double>(std::count(verdicts.begin(), verdicts.end(), true)) /
                         static_cast<double>(looked_at);
  std::vector<Measured> all =
      Install(options, policy, trace, place + " " + std::string(name), workspace, results);
  Sender sender(policy.options.family, trace);
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (Measured& measured : all) MeasureOnce(measured, sender, options.seconds);
  }
  const auto ours = std::find_if(all.begin(), all.end(),
                                 [](const Measured& m) { return m.kind->name == "march"; });
  for (const Measured& measured : all) {
    CheckShare(measured, allowed, place);
    json result = ResultOf(measured, policy, name, allowed, *ours);
    Print(result, place);
    results.Add("live_frames", std::move(result));
  }
}

}  // namespace

void MeasureLive(const LiveOptions& options, const Workspace& workspace, Results& results) {
  std::cout
      << "\nLive frames: CPU time a frame of the gateway, which judges it and routes it if it "
         "is allowed, while another CPU sends without a limit\n\n"
         "policy         traffic  subject                        ns  (min..max)  "
         "Mfps/CPU   x march Mfps wall    lost  load s\n";
  for (const std::string& family : options.families) {
    for (const tests::Style style : tests::kStyles) {
      if (!Selected(options.styles, tests::NameOf(style))) continue;
      for (const std::uint32_t size : options.sizes) {
        const Policy policy = MakePolicy({style, FamilyOf(family), size, 1}, workspace);
        for (const tests::Traffic traffic : tests::kTraffics) {
          if (!Selected(options.traffic, tests::NameOf(traffic))) continue;
          MeasureTraffic(options, policy, traffic, workspace, results);
        }
      }
    }
  }
}

}  // namespace march::bench
