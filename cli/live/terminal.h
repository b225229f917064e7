// A terminal that one screen after the other is drawn on. However the program ends (a signal, an
// exception, its end), the terminal is as it was before; while it is stopped, too.
#pragma once

#include <chrono>
#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

namespace march::cli {

class Terminal {
 public:
  // Standard input and output are one; `out` writes to it. One at a time.
  explicit Terminal(std::ostream& out);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  struct Size {
    std::size_t rows = 24;
    std::size_t columns = 80;
  };
  Size size() const;

  void Draw(const std::vector<std::string>& lines);

  enum class Wake { kTime, kKey, kResize, kGone };
  // Until a key is pressed, the size changes, the terminal is gone, or the time is over.
  Wake Wait(std::chrono::milliseconds time);
  char key() const { return key_; }

 private:
  std::ostream& out_;
  char key_ = 0;
};

}  // namespace march::cli
