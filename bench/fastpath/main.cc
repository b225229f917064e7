// march-bench-fastpath: what judging a packet costs, by the number of mappings, and what it costs
// the designs and programs that do the same, all in one run. See docs/performance.md.
#include <iostream>

#include "bench/common/machine.h"
#include "bench/common/results.h"
#include "bench/common/workspace.h"
#include "bench/fastpath/classification.h"
#include "bench/fastpath/live/live.h"
#include "bench/fastpath/live/live_subject.h"
#include "bench/fastpath/options.h"
#include "bench/fastpath/policy.h"
#include "bench/fastpath/subjects/subject.h"

namespace march::bench {
namespace {

using nlohmann::json;

constexpr int kResultsFormatVersion = 2;

Results MakeResults(const Options& options, int argc, char** argv) {
  Results results(kResultsFormatVersion, options.preset,
                  {"policies", "classification", "live_frames"}, argc, argv);
  json subjects = json::object();
  for (const auto& kind : SubjectKinds()) {
    subjects[std::string(kind.name)] = {{"what", kind.description}, {"control", kind.control}};
  }
  results.Set("classification_subjects", std::move(subjects));
  json live = json::object();
  for (const auto& kind : LiveKinds()) live[std::string(kind.name)] = {{"what", kind.description}};
  results.Set("live_subjects", std::move(live));
  return results;
}

int Run(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  if (!options.compile_directory.empty()) return CompileInChild(options.compile_directory);
  const Workspace workspace;
  Results results = MakeResults(options, argc, argv);
  std::cout << "machine: " << DescribeMachine().dump() << std::endl;
  if (options.classify) {
    MeasureClassification(options.classification, workspace, results);
  } else {
    results.NotMeasured("everything", "classification", "--no-classification");
  }
  if (options.live) {
    MeasureLive(options.frames, workspace, results);
  } else {
    results.NotMeasured("everything", "live frames", "--no-live");
  }
  if (!options.json_path.empty()) results.Write(options.json_path);
  return 0;
}

}  // namespace
}  // namespace march::bench

int main(int argc, char** argv) {
  return march::bench::Run(argc, argv);
}
