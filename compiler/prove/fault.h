// What a reader of tables found to be impossible by their format.
#pragma once

#include <string>
#include <utility>

namespace march::prove {

// Keeps the first. A reader that has raised one yields empty values from then on, and whoever asked
// looks here before believing any.
class Fault {
 public:
  bool raised() const { return !what_.empty(); }
  // "the tables ..."
  const std::string& what() const { return what_; }
  void Raise(std::string what) {
    if (!raised()) what_ = "the tables " + std::move(what);
  }

 private:
  std::string what_;
};

}  // namespace march::prove
