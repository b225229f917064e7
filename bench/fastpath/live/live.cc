#include "bench/fastpath/live/live.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <iostream>
#include <thread>

#include "bench/fastpath/fail.h"
#include "bench/fastpath/live/live_subject.h"
#include "bench/fastpath/live/network.h"
#include "bench/fastpath/live/sender.h"
#include "bench/fastpath/policy.h"
#include "bench/fastpath/selection.h"

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
  std::vector<double> cpu_nanoseconds_per_frame;
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
  if (thread && frames > 0) {
    measured.cpu_nanoseconds_per_frame.push_back(
        static_cast<double>(end.cpu_nanoseconds - start.cpu_nanoseconds) / frames);
  }

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
              double allowed, double ours) {
  const double rate = Median(measured.frames_per_second);
  json result = {{"family", policy.family_name()},
                 {"style", tests::NameOf(policy.options.style)},
                 {"mappings", policy.options.rules},
                 {"traffic", traffic},
                 {"subject", measured.kind->name},
                 {"frames_per_second", Spread(measured.frames_per_second)},
                 {"offered_frames_per_second", Spread(measured.offered_per_second)},
                 {"load_seconds", measured.installed.load_seconds},
                 {"frames_sent", measured.sent},
                 {"frames_lost_before_the_gateway", measured.sent - measured.received},
                 {"frames_received", measured.received},
                 {"frames_routed", measured.forwarded},
                 {"expected_allowed_share", ExpectedShare(measured, allowed)},
                 {"march_is_times_as_fast", ours / rate}};
  if (measured.counts_denied) result["frames_denied_by_own_count"] = measured.denied;
  if (!measured.cpu_nanoseconds_per_frame.empty()) {
    result["gateway_cpu_ns_per_frame"] = Spread(measured.cpu_nanoseconds_per_frame);
  }
  // Nothing was lost: the gateway could have done more.
  result["limited_by_sender"] = static_cast<double>(measured.sent - measured.received) <
                                0.001 * static_cast<double>(measured.sent);
  return result;
}

void Print(const json& result, const std::string& place, std::string_view traffic) {
  const json& rate = result["frames_per_second"];
  const auto millions = [&](const char* key) { return rate[key].get<double>() / 1e6; };
  const double cpu = result.contains("gateway_cpu_ns_per_frame")
                         ? result["gateway_cpu_ns_per_frame"]["median"].get<double>()
                         : 0;
  std::printf("%-14s %-8s %-24s %7.3f  (%.3f..%.3f)  %7.0f %8.2f  %5.1f%% %6.2f%s\n", place.c_str(),
              std::string(traffic).c_str(), result["subject"].get<std::string>().c_str(),
              millions("median"), millions("min"), millions("max"), cpu,
              result["march_is_times_as_fast"].get<double>(),
              100 * result["frames_lost_before_the_gateway"].get<double>() /
                  result["frames_sent"].get<double>(),
              result["load_seconds"].get<double>(),
              result["limited_by_sender"].get<bool>() ? "  (the sender's limit)" : "");
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
  const double our_rate = Median(ours->frames_per_second);
  for (const Measured& measured : all) {
    CheckShare(measured, allowed, place);
    const json result = ResultOf(measured, policy, name, allowed, our_rate);
    Print(result, place, name);
    results.AddLive(result);
  }
}

}  // namespace

void MeasureLive(const LiveOptions& options, const Workspace& workspace, Results& results) {
  std::cout << "\nLive frames: millions a second that one CPU of the gateway judges, and routes if "
               "allowed, while another CPU sends without a limit\n\n"
               "policy         traffic  subject                   Mfps    (min..max)       CPU ns  "
               "march x   lost  load s\n";
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
