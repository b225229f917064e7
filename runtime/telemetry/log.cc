#include "runtime/telemetry/log.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace march::telemetry {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._/:,+@").find(c) != std::string_view::npos;
}

void AppendValue(std::string_view value, std::string& line) {
  if (!value.empty() && std::all_of(value.begin(), value.end(), IsPlain)) {
    line += value;
    return;
  }
  line += '"';
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (byte < 0x20 || byte > 0x7E) {
      line += "\\x";
      line += kHex[byte >> 4];
      line += kHex[byte & 15];
    } else {
      line += c;
    }
  }
  line += '"';
}

std::string_view NameOf(Level level) {
  switch (level) {
    case Level::kWarning:
      return "warning";
    case Level::kError:
      return "error";
    case Level::kInfo:
      break;
  }
  return "info";
}

std::string Rfc3339(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

}  // namespace

std::string LogLine(std::chrono::system_clock::time_point time, Level level, std::string_view event,
                    std::initializer_list<Field> fields) {
  std::string line = "time=" + Rfc3339(time);
  line += " level=";
  line += NameOf(level);
  line += " event=";
  AppendValue(event, line);
  for (const Field& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    AppendValue(field.value, line);
  }
  line += '\n';
  return line;
}

void Logger::Write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  sink_(LogLine(std::chrono::system_clock::now(), level, event, fields));
}

void Logger::Write(Level level, std::string_view event, const Diagnostics& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) {
    const std::string_view id = InfoOf(diagnostic.code).id;
    if (diagnostic.hint.empty()) {
      Write(level, event, {{"code", id}, {"message", diagnostic.message}});
    } else {
      Write(level, event,
            {{"code", id}, {"message", diagnostic.message}, {"hint", diagnostic.hint}});
    }
  }
}

}  // namespace march::telemetry
