#include "bench/stateful/options.h"

#include "bench/common/options.h"
#include "bench/common/selection.h"
#include "bench/stateful/cost/cost_kind.h"
#include "bench/stateful/live/live_subject.h"
#include "bench/stateful/traffic.h"

namespace march::bench {
namespace {

Options Quick() {
  Options options;
  options.families = {"v4"};
  options.mappings = 64;
  options.blocked = 100'000;
  options.cost = {{"all"}, {"all"}, {1000, 100'000, 1'000'000}, {"uniform"}, 5, 500'000, 32'768};
  options.frames = {{"all"}, {"all"}, {1000, 100'000}, 5, 500'000, 100'000};
  return options;
}

Options Full() {
  Options options = Quick();
  options.preset = "full";
  options.families = {"v4", "v6"};
  options.cost.popularities = {"uniform", "zipf"};
  options.cost.rounds = 11;
  options.cost.packets = 2'000'000;
  options.frames.rounds = 11;
  return options;
}

void AddOptions(CLI::App& app, Options& options, bool& no_cost, bool& no_live) {
  CostOptions& c = options.cost;
  LiveOptions& l = options.frames;
  app.add_option("--preset", options.preset, "quick (default) or full; the other options change it")
      ->check(CLI::IsMember({"quick", "full"}));
  app.add_option("--json", options.json_path, "write all results to this file");
  AddList(app, "--families", options.families, "v4, v6", {"v4", "v6"});
  app.add_option("--source-bits", options.source_bits, "2^N clients")->check(CLI::Range(1, 16));
  app.add_option("--destination-bits", options.destination_bits, "2^N servers")
      ->check(CLI::Range(0, 16));
  app.add_option("--mappings", options.mappings, "mappings of the policy, a power of two")
      ->check(CLI::IsMember({1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096, 16384, 65536}));
  app.add_option("--blocked", options.blocked, "prefixes on the block list, clients among them")
      ->check(CLI::PositiveNumber);
  AddList(app, "--traffic", c.traffic, "what packets are about", NamesOf(TrafficKinds()));
  AddList(app, "--subjects", c.subjects,
          "what is measured; the floor and the stateless program always are", NamesOf(CostKinds()));
  AddList(app, "--flows", c.flows, "numbers of connections that are made");
  AddList(app, "--popularities", c.popularities, "of connections: uniform, zipf",
          {"uniform", "zipf"});
  app.add_option("--rounds", c.rounds, "rounds, in each of which every subject is measured")
      ->check(CLI::PositiveNumber);
  app.add_option("--packets", c.packets, "packets a measurement")->check(CLI::PositiveNumber);
  app.add_option("--new", c.most_fresh, "new connections a measurement")
      ->check(CLI::PositiveNumber);
  app.add_flag("--no-cost", no_cost, "live frames only");
  AddList(app, "--live-traffic", l.traffic, "what live frames are about", NamesOf(TrafficKinds()));
  AddList(app, "--live-subjects", l.subjects,
          "what judges live frames; forward, the kernel alone, always does", NamesOf(LiveKinds()));
  AddList(app, "--live-flows", l.flows, "numbers of connections that are made");
  app.add_option("--live-rounds", l.rounds, "rounds, in each of which every subject is measured")
      ->check(CLI::PositiveNumber);
  app.add_option("--live-frames", l.frames, "frames a measurement")->check(CLI::PositiveNumber);
  app.add_option("--live-new", l.most_fresh, "new connections a measurement")
      ->check(CLI::PositiveNumber);
  app.add_flag("--no-live", no_live, "no live frames");
}

}  // namespace

FlowSpace Options::SpaceOf(const std::string& family) const {
  return {FamilyOf(family), source_bits, destination_bits};
}

Options ParseOptions(int argc, char** argv) {
  Options options = PresetOf(argc, argv) == "full" ? Full() : Quick();
  CLI::App app{"What connections, limits and block lists cost a packet, here and elsewhere"};
  bool no_cost = false;
  bool no_live = false;
  AddOptions(app, options, no_cost, no_live);
  ParseOrExit(app, argc, argv);
  options.without_network = !no_cost;
  options.live = !no_live;
  return options;
}

}  // namespace march::bench
