#include "bench/fastpath/options.h"

#include "bench/common/options.h"
#include "bench/fastpath/live/live_subject.h"
#include "bench/fastpath/subjects/subject.h"

namespace march::bench {
namespace {

Options Quick() {
  Options options;
  options.classification = {
      {100, 1000, 10000}, {"mesh"}, {"v4", "v6"}, {"uniform"}, {"all"}, 5, 200'000};
  options.frames = {{100, 1000}, {"mesh"}, {"v4"}, {"default", "uniform"}, {"all"}, 3, 0.2};
  return options;
}

Options Full() {
  Options options;
  options.preset = "full";
  options.classification = {{10, 100, 1000, 10000, 100000, 1000000},
                            {"mesh", "acl", "firewall", "chain"},
                            {"v4", "v6"},
                            {"first", "last", "default", "uniform", "zipf"},
                            {"all"},
                            7,
                            1'000'000};
  options.frames = {
      {100, 1000, 10000}, {"mesh"}, {"v4", "v6"}, {"default", "uniform"}, {"all"}, 5, 0.5};
  return options;
}

const std::vector<std::string> kStyleNames = {"all", "mesh", "acl", "firewall", "chain"};
const std::vector<std::string> kFamilyNames = {"v4", "v6"};
const std::vector<std::string> kTrafficNames = {"all",     "first",   "last",
                                                "default", "uniform", "zipf"};

void AddOptions(CLI::App& app, Options& options, bool& no_classification, bool& no_live) {
  ClassifyOptions& c = options.classification;
  LiveOptions& l = options.frames;
  app.add_option("--preset", options.preset,
                 "quick (default; about two minutes) or full (hours); the other options change it")
      ->check(CLI::IsMember({"quick", "full"}));
  app.add_option("--json", options.json_path, "write all results to this file");
  AddList(app, "--sizes", c.sizes, "numbers of mappings");
  AddList(app, "--styles", c.styles, "styles of policies", kStyleNames);
  AddList(app, "--families", c.families, "v4, v6", kFamilyNames);
  AddList(app, "--traffic", c.traffic, "what packets are about", kTrafficNames);
  AddList(app, "--subjects", c.subjects, "what is measured; march and the floor always are",
          NamesOf(SubjectKinds()));
  app.add_option("--rounds", c.rounds, "rounds, in each of which every subject is measured")
      ->check(CLI::PositiveNumber);
  app.add_option("--packets", c.packets, "packets a measurement")->check(CLI::PositiveNumber);
  app.add_flag("--no-classification", no_classification, "live frames only");
  AddList(app, "--live-sizes", l.sizes, "numbers of mappings, for live frames");
  AddList(app, "--live-styles", l.styles, "styles of policies, for live frames", kStyleNames);
  AddList(app, "--live-families", l.families, "v4, v6, for live frames", kFamilyNames);
  AddList(app, "--live-traffic", l.traffic, "what live frames are about", kTrafficNames);
  AddList(app, "--live-subjects", l.subjects, "what judges live frames; march always does",
          NamesOf(LiveKinds()));
  app.add_option("--live-rounds", l.rounds, "rounds of live frames")->check(CLI::PositiveNumber);
  app.add_option("--live-seconds", l.seconds, "seconds a measurement with live frames")
      ->check(CLI::PositiveNumber);
  app.add_flag("--no-live", no_live, "no live frames");
  app.add_option("--compile", options.compile_directory)->group("");
}

}  // namespace

Options ParseOptions(int argc, char** argv) {
  Options options = PresetOf(argc, argv) == "full" ? Full() : Quick();
  CLI::App app{"What judging a packet costs, by the number of mappings, and what it costs others"};
  bool no_classification = false;
  bool no_live = false;
  AddOptions(app, options, no_classification, no_live);
  ParseOrExit(app, argc, argv);
  options.classify = !no_classification;
  options.live = !no_live;
  return options;
}

}  // namespace march::bench
