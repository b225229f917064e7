#include "tests/kernels/case_files.h"

#include <array>
#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

#include "bundle/bundle.h"

namespace march::tests {
namespace {

constexpr std::string_view kBundleEnding = ".march";
constexpr std::string_view kFramesEnding = ".frames";
constexpr std::string_view kEstimateEnding = ".estimate";
constexpr std::uint64_t kMostFramesBytes = std::uint64_t{64} << 20;
constexpr std::string_view kDigits = "0123456789abcdef";
// By their numbers in enum xdp_action.
constexpr std::array<std::string_view, 5> kActions = {"aborted", "drop", "pass", "tx", "redirect"};

std::string Hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    text += kDigits[static_cast<unsigned char>(byte) >> 4];
    text += kDigits[static_cast<unsigned char>(byte) & 15U];
  }
  return text;
}

std::optional<std::string> Bytes(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t at = 0; at < hex.size(); at += 2) {
    const std::size_t high = kDigits.find(hex[at]);
    const std::size_t low = kDigits.find(hex[at + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

std::optional<std::uint32_t> ActionOf(std::string_view name) {
  for (std::uint32_t action = 0; action < kActions.size(); ++action) {
    if (kActions.at(action) == name) return action;
  }
  return std::nullopt;
}

std::optional<std::vector<std::uint32_t>> Slots(std::string_view text) {
  std::vector<std::uint32_t> slots;
  if (text == "-") return slots;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    std::uint32_t slot = 0;
    const auto read = std::from_chars(at, end, slot);
    if (read.ec != std::errc()) return std::nullopt;
    slots.push_back(slot);
    if (read.ptr == end) return slots;
    if (*read.ptr != ',') return std::nullopt;
    at = read.ptr + 1;
  }
}

std::optional<Frame> FrameOf(const std::string& line) {
  std::istringstream words(line);
  std::string action;
  std::string slots;
  std::string hex;
  std::string more;
  if (!(words >> action >> slots >> hex) || words >> more) return std::nullopt;
  const auto number = ActionOf(action);
  auto numbers = Slots(slots);
  auto bytes = Bytes(hex);
  if (!number || !numbers || !bytes) return std::nullopt;
  return Frame{*std::move(bytes), *number, *std::move(numbers)};
}

Outcome<std::optional<std::uint64_t>> ReadEstimate(const FileTree& files, const std::string& path) {
  using Estimate = std::optional<std::uint64_t>;
  if (files.KindOf(path) == FileTree::Kind::kNothing) return Estimate();
  const auto text = files.Read(path, 32);
  if (!text) return text.diagnostics();
  std::uint64_t estimate = 0;
  const auto read = std::from_chars(text->data(), text->data() + text->size(), estimate);
  if (read.ec == std::errc()) return Estimate(estimate);
  return MakeDiagnostic(Code::kCannotRead, {}, path + ": not a number");
}

}  // namespace

std::string NameOfAction(std::uint32_t xdp_action) {
  return xdp_action < kActions.size() ? std::string(kActions.at(xdp_action)) : "";
}

Outcome<Done> WriteCase(FileSystem& files, const std::string& path, const Case& written) {
  std::string text;
  for (const Frame& frame : written.frames) {
    std::string slots;
    for (const std::uint32_t slot : frame.slots) {
      slots += (slots.empty() ? "" : ",") + std::to_string(slot);
    }
    text += NameOfAction(frame.xdp_action) + " " + (slots.empty() ? "-" : slots) + " " +
            Hex(frame.bytes) + "\n";
  }
  auto done = files.WriteAtomically(path + std::string(kBundleEnding), written.bundle, 0644);
  if (done && written.estimate) {
    done = files.WriteAtomically(path + std::string(kEstimateEnding),
                                 std::to_string(*written.estimate), 0644);
  }
  if (!done) return done;
  return files.WriteAtomically(path + std::string(kFramesEnding), text, 0644);
}

Outcome<Case> ReadCase(const FileTree& files, const std::string& path) {
  auto bundle = files.Read(path + std::string(kBundleEnding), bundle::kMaxBundleBytes);
  if (!bundle) return std::move(bundle).diagnostics();
  const auto text = files.Read(path + std::string(kFramesEnding), kMostFramesBytes);
  if (!text) return text.diagnostics();
  const auto estimate = ReadEstimate(files, path + std::string(kEstimateEnding));
  if (!estimate) return estimate.diagnostics();
  Case read{*std::move(bundle), {}, *estimate};
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    auto frame = FrameOf(line);
    if (!frame) {
      return MakeDiagnostic(Code::kCannotRead, {},
                            path + ".frames:" + std::to_string(read.frames.size() + 1) +
                                ": not a frame with its action and slots");
    }
    read.frames.push_back(*std::move(frame));
  }
  return read;
}

Outcome<std::vector<std::string>> FindCases(const FileTree& files, const std::string& directory) {
  const auto names = files.List(directory);
  if (!names) return names.diagnostics();
  std::vector<std::string> found;
  for (const std::string& name : *names) {
    const std::string path = directory + "/" + name;
    if (files.KindOf(path) == FileTree::Kind::kDirectory) {
      const auto below = FindCases(files, path);
      if (!below) return below.diagnostics();
      found.insert(found.end(), below->begin(), below->end());
    } else if (name.ends_with(kBundleEnding)) {
      found.push_back(path.substr(0, path.size() - kBundleEnding.size()));
    }
  }
  return found;
}

}  // namespace march::tests
