#include "bench/common/results.h"

#include <algorithm>
#include <cerrno>
#include <iostream>

#include "bench/common/machine.h"
#include "bench/common/workspace.h"

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

std::vector<double> Ratios(const std::vector<double>& values, const std::vector<double>& to) {
  std::vector<double> ratios;
  ratios.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) ratios.push_back(values[i] / to[i]);
  return ratios;
}

std::vector<double> Differences(const std::vector<double>& values,
                                const std::vector<double>& from) {
  std::vector<double> differences;
  differences.reserve(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) differences.push_back(values[i] - from[i]);
  return differences;
}

Results::Results(int format_version, const std::string& preset,
                 const std::vector<std::string>& lists, int argc, char** argv) {
  json command = json::array({program_invocation_short_name});
  for (int i = 1; i < argc; ++i) command.push_back(argv[i]);
  document_ = {{"format_version", format_version},
               {"command", command},
               {"preset", preset},
               {"machine", DescribeMachine()},
               {"not_measured", json::array()}};
  for (const std::string& list : lists) document_[list] = json::array();
}

void Results::Set(const std::string& member, json value) {
  document_[member] = std::move(value);
}

void Results::Add(const std::string& list, json result) {
  document_[list].push_back(std::move(result));
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
