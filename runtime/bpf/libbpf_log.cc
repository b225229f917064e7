#include "runtime/bpf/libbpf_log.h"

#include <bpf/libbpf.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>
#include <vector>

namespace march::bpf {
namespace {

constexpr std::size_t kKeptBytes = 64 * 1024;
constexpr std::size_t kTailLines = 8;

thread_local std::string* collector = nullptr;

__attribute__((format(printf, 2, 0))) int Collect(libbpf_print_level level, const char* format,
                                                  va_list arguments) {
  if (level == LIBBPF_DEBUG || collector == nullptr) return 0;
  va_list again;
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, format, again);
  va_end(again);
  if (size <= 0) return 0;
  std::string text(static_cast<std::size_t>(size) + 1, '\0');
  std::vsnprintf(text.data(), text.size(), format, arguments);
  text.pop_back();
  collector->append(text);
  if (collector->size() > kKeptBytes) collector->erase(0, collector->size() - kKeptBytes);
  return 0;
}

// Lines that repeat what the diagnostic says already, or frame the log.
bool IsNoise(std::string_view line) {
  constexpr std::array<std::string_view, 6> kNoise = {"-- BEGIN PROG LOAD LOG --",
                                                      "-- END PROG LOAD LOG --",
                                                      "failed to load: -",
                                                      "failed to load object",
                                                      "processed ",
                                                      "verification time"};
  return line.empty() || std::any_of(kNoise.begin(), kNoise.end(), [&](std::string_view noise) {
           return line.find(noise) != std::string_view::npos;
         });
}

}  // namespace

LibbpfLog::LibbpfLog() {
  collector = &text_;
  libbpf_set_print(Collect);
}

LibbpfLog::~LibbpfLog() {
  collector = nullptr;
}

std::string LibbpfLog::Tail() const {
  constexpr std::string_view kPrefix = "libbpf: ";
  std::vector<std::string_view> lines;
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.starts_with(kPrefix)) line.remove_prefix(kPrefix.size());
    if (!IsNoise(line)) lines.push_back(line);
  }
  std::string tail;
  const std::size_t first = lines.size() > kTailLines ? lines.size() - kTailLines : 0;
  for (std::size_t i = first; i < lines.size(); ++i) {
    if (!tail.empty()) tail += " | ";
    tail += lines[i];
  }
  return tail;
}

}  // namespace march::bpf
