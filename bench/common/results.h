// All that was measured, and all that was not, as one JSON document.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace march::bench {

double Median(std::vector<double> values);

// {"median": ..., "min": ..., "max": ..., "rounds": [...]}
nlohmann::json Spread(const std::vector<double>& values);

// Round by round.
std::vector<double> Ratios(const std::vector<double>& values, const std::vector<double>& to);
std::vector<double> Differences(const std::vector<double>& values, const std::vector<double>& from);

class Results {
 public:
  // `lists` are the members that Add adds to; a list without entries is written too.
  Results(int format_version, const std::string& preset, const std::vector<std::string>& lists,
          int argc, char** argv);

  void Set(const std::string& member, nlohmann::json value);
  void Add(const std::string& list, nlohmann::json result);
  // Says so at once, too. `where` names what it was to be measured with.
  void NotMeasured(std::string_view subject, const std::string& where, const std::string& why);

  // Into a file.
  void Write(const std::string& path) const;

 private:
  nlohmann::json document_;
};

}  // namespace march::bench
