// The state directory:
//
//   generations/N/bundle.march   accepted bundles, the last few
//   current                      the number of the generation in force
//   state.json                   the highest serial accepted, and counts of generations gone by
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_system.h"
#include "base/outcome.h"
#include "runtime/apply/ledger.h"

namespace march::apply {

struct State {
  std::uint64_t highest_serial = 0;
  std::uint64_t last_generation = 0;  // the highest number that was ever in force
  // Generations whose counters are part of the ledger already, though they may still be pinned:
  // written in one step with the ledger, so that a crash can neither lose nor double a count.
  std::set<std::uint64_t> folded;
  Ledger ledger;

  friend bool operator==(const State&, const State&) = default;
};

std::string WriteStateJson(const State& state);
// Error: kStateDamaged.
Outcome<State> ReadStateJson(std::string_view json);

class Store {
 public:
  Store(FileSystem& files, std::string directory)
      : files_(files), directory_(std::move(directory)) {}

  // Whether nothing was ever written here.
  bool IsEmpty() const;

  // Errors: kCannotRead when there is none, kStateDamaged.
  Outcome<State> ReadState() const;
  Outcome<Done> WriteState(const State& state);

  struct Current {
    bool exists = false;
    std::optional<std::uint64_t> generation;  // none when the file is absent or damaged
  };
  Current ReadCurrent() const;
  Outcome<Done> WriteCurrent(std::uint64_t generation);
  Outcome<Done> RemoveCurrent();

  // Numbers of the generations stored, ascending.
  std::vector<std::uint64_t> Stored() const;
  Outcome<std::string> ReadBundle(std::uint64_t generation) const;
  Outcome<Done> WriteBundle(std::uint64_t generation, const std::string& bytes);
  Outcome<Done> RemoveBundle(std::uint64_t generation);

 private:
  FileSystem& files_;
  std::string directory_;
};

}  // namespace march::apply
