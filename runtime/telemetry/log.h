// marchd's log: one logfmt line per event. What a line says may come from a bundle or the network;
// no value can end its line or its quotes.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/diagnostic.h"

namespace march::telemetry {

enum class Level { kInfo, kWarning, kError };

struct Field {
  Field(std::string_view label, std::string_view text) : name(label), value(text) {}
  Field(std::string_view label, std::uint64_t number)
      : name(label), value(std::to_string(number)) {}

  std::string_view name;  // a literal of ours
  std::string value;      // any bytes
};

// `time=2026-01-31T12:00:00Z level=info event=swapped generation=3` and a line break. Values of
// anything but plain characters are quoted; quotes and backslashes are escaped, as is, as \xNN,
// every byte that is not printable ASCII.
std::string LogLine(std::chrono::system_clock::time_point time, Level level, std::string_view event,
                    std::initializer_list<Field> fields);

class Logger {
 public:
  // `sink` gets whole lines.
  explicit Logger(std::function<void(const std::string&)> sink) : sink_(std::move(sink)) {}

  void Write(Level level, std::string_view event, std::initializer_list<Field> fields = {});
  // One line a diagnostic, with code, message and hint.
  void Write(Level level, std::string_view event, const Diagnostics& diagnostics);

 private:
  std::function<void(const std::string&)> sink_;
};

}  // namespace march::telemetry
