// All that was measured, and all that was not.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "bench/fastpath/options.h"

namespace march::bench {

inline constexpr int kResultsFormatVersion = 2;

double Median(std::vector<double> values);

// {"median": ..., "min": ..., "max": ..., "rounds": [...]}
nlohmann::json Spread(const std::vector<double>& values);

class Results {
 public:
  Results(const Options& options, int argc, char** argv);

  void AddPolicy(nlohmann::json policy);
  void AddClassification(nlohmann::json result);
  void AddLive(nlohmann::json result);
  // Says so at once, too. `where` names policy and traffic.
  void NotMeasured(std::string_view subject, const std::string& where, const std::string& why);

  // Into a file.
  void Write(const std::string& path) const;

 private:
  nlohmann::json document_;
};

}  // namespace march::bench
