#include "bench/fastpath/results.h"

#include <algorithm>
#include <iostream>

#include "bench/fastpath/live/live_subject.h"
#include "bench/fastpath/machine.h"
#include "bench/fastpath/subjects/subject.h"
#include "bench/fastpath/workspace.h"

namespace march::bench {

using nlohmann::json;

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

json Spread(const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {{"median", Median(values)}, {"min", *least}, {"max", *most}, {"rounds", values}};
}

Results::Results(const Options& options, int argc, char** argv) {
  json command = json::array({"march-bench-fastpath"});
  for (int i = 1; i < argc; ++i) command.push_back(argv[i]);
  document_ = {{"format_version", kResultsFormatVersion},
               {"command", command},
               {"preset", options.preset},
               {"machine", DescribeMachine()},
               {"policies", json::array()},
               {"classification", json::array()},
               {"live_frames", json::array()},
               {"not_measured", json::array()}};
  json subjects = json::object();
  for (const auto& kind : SubjectKinds()) {
    subjects[std::string(kind.name)] = {{"what", kind.description}, {"control", kind.control}};
  }
  document_["classification_subjects"] = subjects;
  json live = json::object();
  for (const auto& kind : LiveKinds()) live[std::string(kind.name)] = {{"what", kind.description}};
  document_["live_subjects"] = live;
}

void Results::AddPolicy(json policy) {
  document_["policies"].push_back(std::move(policy));
}

void Results::AddClassification(json result) {
  document_["classification"].push_back(std::move(result));
}

void Results::AddLive(json result) {
  document_["live_frames"].push_back(std::move(result));
}

void Results::NotMeasured(std::string_view subject, const std::string& where,
                          const std::string& why) {
  std::cout << "not measured: " << subject << ", " << where << ": " << why << std::endl;
  document_["not_measured"].push_back({{"subject", subject}, {"where", where}, {"why", why}});
}

void Results::Write(const std::string& path) const {
  WriteFile(path, document_.dump(1) + "\n");
}

}  // namespace march::bench
