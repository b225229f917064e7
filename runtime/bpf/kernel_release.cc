#include "runtime/bpf/kernel_release.h"

#include <sys/utsname.h>

#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

namespace march::bpf {
namespace {

using Version = std::pair<unsigned, unsigned>;

std::optional<Version> VersionOf(std::string_view text) {
  const char* const end = text.end();
  Version version;
  const auto major = std::from_chars(text.begin(), end, version.first);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.second);
  if (minor.ec != std::errc()) return std::nullopt;
  return version;
}

}  // namespace

std::string KernelRelease() {
  utsname name{};
  return ::uname(&name) == 0 ? name.release : "";
}

bool IsOlderThan(std::string_view release, std::string_view minimum) {
  const auto has = VersionOf(release);
  const auto needs = VersionOf(minimum);
  return has && needs && *has < *needs;
}

}  // namespace march::bpf
