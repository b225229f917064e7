// march-bench-fastpath: what judging a packet costs, by the number of mappings.
//
// Every figure is the median over rounds of the difference to the floor of the same round: a
// program that reads the same changing packets and decides nothing.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/file_system.h"
#include "base/print.h"
#include "bench/fastpath/subject.h"
#include "compiler/pipeline/pipeline.h"
#include "runtime/bpf/loader.h"

namespace march::bench {
namespace {

using nlohmann::json;
using space::Family;

struct Options {
  std::vector<std::uint32_t> sizes = {10, 100, 1000, 10000, 100000};
  std::vector<std::string> styles = {"mesh"};
  std::vector<std::string> families = {"v4", "v6"};
  std::vector<std::string> traffics = {"first", "last", "default", "uniform", "zipf"};
  std::uint32_t rounds = 5;
  std::uint32_t packets = 1000000;
  std::string json_path;
};

template <class F>
double Seconds(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

[[noreturn]] void Die(const Diagnostics& diagnostics) {
  PrintText(diagnostics, std::cerr);
  std::exit(1);
}

// A policy, compiled and loaded.
struct Loaded {
  std::vector<tests::PlainRule> rules;  // in order of precedence
  double compile_seconds = 0;
  double load_seconds = 0;
  std::size_t table_bytes = 0;
  std::size_t instructions = 0;
  std::optional<bpf::Program> program;
};

Loaded Load(const tests::RulesetOptions& options) {
  Loaded loaded;
  const std::vector<tests::PlainRule> rules = tests::MakeRuleset(options);
  MemoryFileSystem files;
  std::size_t number = 0;
  for (const std::string& text : tests::PolicyOf(rules)) {
    const std::string path = "policy/" + std::to_string(number++) + ".yaml";
    if (!files.WriteAtomically(path, text, 0600).ok()) std::exit(1);
  }
  std::optional<pipeline::Compilation> compilation;
  loaded.compile_seconds = Seconds(
      [&] { compilation.emplace(pipeline::Compile(files, "policy", pipeline::Stage::kObject)); });
  if (!compilation->ok()) Die(compilation->diagnostics);
  const std::string tables = compilation->tables->Bytes();
  loaded.table_bytes = tables.size();
  loaded.instructions = compilation->object->instructions;
  for (const std::uint32_t mapping : compilation->tables->mappings) {
    const std::string& name = compilation->policy->mappings[mapping].name;
    loaded.rules.push_back(rules[std::stoul(name.substr(1))]);
  }
  const auto slots =
      static_cast<std::uint32_t>(MARCH_SLOT_FIRST_MAPPING + compilation->rules->mappings);
  loaded.load_seconds = Seconds([&] {
    auto program = bpf::LoadProgram({compilation->object->bytes, tables, slots});
    if (!program.ok()) Die(program.diagnostics());
    loaded.program = std::move(program).value();
  });
  return loaded;
}

int Run(const Options& options) {
  json results = json::array();
  Object floor("floor.bpf.c");
  floor.Load();
  Object drop("drop.bpf.c");
  drop.Load();
  std::cout << "family style     mappings traffic   over floor [ns]  (min..max)  | floor  feed | "
               "compile s  load s  tables MB\n";
  for (const std::string& family_name : options.families) {
    const Family family = family_name == "v4" ? Family::kV4 : Family::kV6;
    for (const tests::Style style : tests::kStyles) {
      if (std::find(options.styles.begin(), options.styles.end(), NameOf(style)) ==
          options.styles.end()) {
        continue;
      }
      for (const std::uint32_t size : options.sizes) {
        const Loaded loaded = Load({style, family, size, 1});
        for (const tests::Traffic traffic : tests::kTraffics) {
          if (std::find(options.traffics.begin(), options.traffics.end(), NameOf(traffic)) ==
              options.traffics.end()) {
            continue;
          }
          Feeder feeder(family, tests::MakeTraffic(loaded.rules, traffic,
                                                   std::max<std::size_t>(size, 1U << 17), 7));
          std::vector<double> over, floors, feeds;
          for (std::uint32_t round = 0; round < options.rounds; ++round) {
            feeds.push_back(feeder.Measure(drop.Program("bench_subject"), options.packets));
            floors.push_back(feeder.Measure(floor.Program("bench_subject"), options.packets));
            over.push_back(feeder.Measure(loaded.program->prog.get(), options.packets) -
                           floors.back());
          }
          const auto [least, most] = std::minmax_element(over.begin(), over.end());
          char line[200];
          std::snprintf(line, sizeof(line),
                        "%-6s %-8s %9u %-8s %10.1f  (%.1f..%.1f) | %.1f %.1f | %.2f %.3f %.2f",
                        family_name.c_str(), std::string(NameOf(style)).c_str(), size,
                        std::string(NameOf(traffic)).c_str(), Median(over), *least, *most,
                        Median(floors), Median(feeds), loaded.compile_seconds, loaded.load_seconds,
                        static_cast<double>(loaded.table_bytes) / 1e6);
          std::cout << line << std::endl;
          results.push_back({{"family", family_name},
                             {"style", NameOf(style)},
                             {"mappings", size},
                             {"traffic", NameOf(traffic)},
                             {"ns_over_floor", Median(over)},
                             {"ns_over_floor_rounds", over},
                             {"ns_floor", Median(floors)},
                             {"ns_feed", Median(feeds)},
                             {"compile_seconds", loaded.compile_seconds},
                             {"load_seconds", loaded.load_seconds},
                             {"table_bytes", loaded.table_bytes},
                             {"instructions", loaded.instructions}});
        }
      }
    }
  }
  if (!options.json_path.empty()) {
    std::ofstream(options.json_path)
        << json{{"format_version", 1}, {"results", results}}.dump(1) << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace march::bench

int main(int argc, char** argv) {
  CLI::App app{"What judging a packet costs, by the number of mappings"};
  march::bench::Options options;
  app.add_option("--sizes", options.sizes)->delimiter(',')->capture_default_str();
  app.add_option("--styles", options.styles)->delimiter(',')->capture_default_str();
  app.add_option("--families", options.families)->delimiter(',')->capture_default_str();
  app.add_option("--traffic", options.traffics)->delimiter(',')->capture_default_str();
  app.add_option("--rounds", options.rounds)->capture_default_str();
  app.add_option("--packets", options.packets)->capture_default_str();
  app.add_option("--json", options.json_path);
  CLI11_PARSE(app, argc, argv);
  return march::bench::Run(options);
}
