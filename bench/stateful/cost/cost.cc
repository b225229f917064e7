#include "bench/stateful/cost/cost.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

#include "bench/common/fail.h"
#include "bench/common/selection.h"
#include "bench/stateful/cost/cost_kind.h"
#include "bench/stateful/cost/flow_feeder.h"

namespace march::bench {
namespace {

using nlohmann::json;

// All that is told apart by when it was measured.
struct Setting {
  std::string family;
  FlowSpace space;
  const TrafficKind& traffic;
  std::uint64_t flows;
  Popularity popularity;

  std::string place() const {
    std::string text = family + " " + std::string(traffic.name);
    if (traffic.opened) {
      text += " " + std::to_string(flows) + (popularity == Popularity::kZipf ? " zipf" : "");
    }
    return text;
  }
};

struct Measured {
  const CostKind* kind = nullptr;
  std::unique_ptr<BpfObject> control;
  std::unique_ptr<GatewayProgram> program;  // or a control
  std::vector<double> nanoseconds;

  int fd() const { return program ? program->fd() : control->Program("bench_subject"); }
};

Measured Make(const CostKind& kind, const Options& options, const Setting& setting) {
  Measured measured;
  measured.kind = &kind;
  const CostSetup setup = {setting.space, setting.traffic, setting.flows, options.mappings,
                           options.blocked};
  if (kind.ask == nullptr) {
    const std::uint64_t lines = RoomFor(setup) / MARCH_FLOW_LANES;
    measured.control = std::make_unique<BpfObject>(
        kind.control, "#define BENCH_LINES " + std::to_string(lines) + "u\n");
    measured.control->Load();
  } else {
    measured.program = std::make_unique<GatewayProgram>(options.mappings, kind.ask(setup));
  }
  return measured;
}

void Open(const Measured& measured, const Setting& setting, FlowFeeder& feeder) {
  if (!measured.program || !measured.program->keeps_connections()) return;
  feeder.Open(measured.fd(), setting.traffic.packet.protocol, setting.flows);
  const std::uint64_t known = measured.program->Established();
  if (known <= setting.flows && setting.flows - known <= MostMissing(setting.flows)) return;
  FailWith(setting.place() + ": " + std::string(measured.kind->name) + " knows " +
           std::to_string(known) + " connections");
}

void Check(const Measured& measured, const Setting& setting, std::uint32_t packets,
           std::uint64_t denied) {
  const double share = 1 - static_cast<double>(denied) / packets;
  if (setting.traffic.MayPass(measured.kind->judge, share)) return;
  FailWith(setting.place() + ": " + std::string(measured.kind->name) + " lets a share of " +
           std::to_string(share) + " pass");
}

class Measurement {
 public:
  Measurement(const CostOptions& options, const Setting& setting, FlowFeeder& feeder)
      : options_(options), setting_(setting), feeder_(feeder) {}

  void Run(Measured& measured) {
    const TrafficKind& traffic = setting_.traffic;
    const bool is_bounded = traffic.fresh && !traffic.floods;
    const std::uint32_t packets = is_bounded ? options_.most_fresh : options_.packets;
    if (traffic.fresh) {
      if (is_bounded && measured.program && measured.program->keeps_connections()) {
        measured.program->ForgetConnections();
      }
      feeder_.packets().OneOfEach(traffic.packet, fresh_);
      fresh_ += packets;
    } else {
      if (traffic.opened) SendOneOfEach(measured);
      feeder_.packets().Mixed(traffic.packet, setting_.flows, setting_.popularity);
    }
    const std::uint64_t denied = measured.program ? measured.program->Denied() : 0;
    measured.nanoseconds.push_back(feeder_.Measure(measured.fd(), packets));
    if (measured.program) {
      Check(measured, setting_, packets, measured.program->Denied() - denied);
    }
  }

 private:
  // Not measured: connections that go on have sent something before, and what the program before
  // has left in the caches is not their cost.
  void SendOneOfEach(const Measured& measured) {
    feeder_.packets().OneOfEach(setting_.traffic.packet, 0);
    feeder_.Measure(measured.fd(), static_cast<std::uint32_t>(setting_.flows));
  }

  const CostOptions& options_;
  const Setting& setting_;
  FlowFeeder& feeder_;
  std::uint64_t fresh_ = 0;  // the first flow that was never seen
};

const Measured& Find(const std::vector<Measured>& all, std::string_view name) {
  return *std::find_if(all.begin(), all.end(),
                       [&](const Measured& m) { return m.kind->name == name; });
}

json ResultOf(const Measured& measured, const Setting& setting, const std::vector<Measured>& all) {
  const std::vector<double>& cost = measured.nanoseconds;
  return {{"family", setting.family},
          {"traffic", setting.traffic.name},
          {"connections", setting.traffic.opened ? json(setting.flows) : json()},
          {"popularity", setting.popularity == Popularity::kZipf ? "zipf" : "uniform"},
          {"subject", measured.kind->name},
          {"ns_per_packet", Spread(cost)},
          {"ns_over_floor", Spread(Differences(cost, Find(all, kFloor).nanoseconds))},
          {"ns_over_stateless", Spread(Differences(cost, Find(all, kStateless).nanoseconds))}};
}

void Print(const json& result, const Setting& setting) {
  const auto median = [&](const char* name) { return result[name]["median"].get<double>(); };
  const json& over = result["ns_over_floor"];
  std::printf("%-32s %-16s %8.1f %10.1f  (%.1f..%.1f) %10.1f\n", setting.place().c_str(),
              result["subject"].get<std::string>().c_str(), median("ns_per_packet"),
              median("ns_over_floor"), over["min"].get<double>(), over["max"].get<double>(),
              median("ns_over_stateless"));
  std::fflush(stdout);
}

void MeasureSetting(const Options& options, const Setting& setting, FlowFeeder& feeder,
                    Results& results) {
  std::vector<Measured> all;
  for (const CostKind& kind : CostKinds()) {
    const bool is_always = kind.name == kFloor || kind.name == kStateless;
    if (!is_always && !Selected(options.cost.subjects, kind.name)) continue;
    if (!TakesPart(kind.traffic, setting.traffic.name)) continue;
    all.push_back(Make(kind, options, setting));
    if (setting.traffic.opened) Open(all.back(), setting, feeder);
  }
  Measurement measurement(options.cost, setting, feeder);
  for (std::uint32_t round = 0; round < options.cost.rounds; ++round) {
    for (Measured& measured : all) measurement.Run(measured);
  }
  for (const Measured& measured : all) {
    json result = ResultOf(measured, setting, all);
    Print(result, setting);
    results.Add("program_cost", std::move(result));
  }
}

// What the programs and what they remember take.
void ReportSizes(const Options& options, Results& results) {
  const FlowSpace space = options.SpaceOf("v4");
  for (const CostKind& kind : CostKinds()) {
    if (kind.ask == nullptr || !Selected(options.cost.subjects, kind.name)) continue;
    const CostSetup setup = {space, TrafficKinds().front(), 0, options.mappings, options.blocked};
    const GatewayProgram program(options.mappings, kind.ask(setup));
    const GatewayProgram::Size size = program.size();
    results.Add("programs", {{"subject", kind.name},
                             {"instructions", size.instructions},
                             {"native_bytes", size.native_bytes},
                             {"state_bytes", size.state_bytes}});
  }
}

}  // namespace

void MeasureCost(const Options& options, Results& results) {
  std::cout << "\nWithout a network: nanoseconds a packet\n\n"
               "traffic                          subject          all told over floor  (min..max) "
               "over stateless\n";
  ReportSizes(options, results);
  for (const std::string& family : options.families) {
    const FlowSpace space = options.SpaceOf(family);
    FlowFeeder feeder(space);
    for (const TrafficKind& traffic : TrafficKinds()) {
      if (!Selected(options.cost.traffic, traffic.name)) continue;
      for (const std::uint64_t flows : traffic.FlowsAmong(options.cost.flows)) {
        for (const std::string& popularity : options.cost.popularities) {
          const bool is_zipf = popularity == "zipf";
          MeasureSetting(
              options,
              {family, space, traffic, flows, is_zipf ? Popularity::kZipf : Popularity::kUniform},
              feeder, results);
          if (!traffic.opened) break;
        }
      }
    }
  }
}

}  // namespace march::bench
