#include "bundle/archive.h"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "bundle/bundle.h"
#include "bundle/text.h"

namespace march::bundle {
namespace {

constexpr std::size_t kBlock = 512;

// The fields of a ustar header.
struct Field {
  std::size_t offset;
  std::size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUid{108, 8};
constexpr Field kGid{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kMagic{257, 8};  // with the version
constexpr Field kDeviceMajor{329, 8};
constexpr Field kDeviceMinor{337, 8};
constexpr Field kPrefix{345, 155};

constexpr std::string_view kUstar{"ustar\00000", 8};
constexpr std::string_view kRegularFile = "0";

std::string_view Get(std::string_view header, Field field) {
  return header.substr(field.offset, field.size);
}

// The field's bytes before the first NUL.
std::string_view GetText(std::string_view header, Field field) {
  const std::string_view text = Get(header, field);
  return text.substr(0, text.find('\0'));
}

// Up to 11 octal digits, so at most 8 GiB - 1.
std::optional<std::uint64_t> GetOctal(std::string_view header, Field field) {
  std::uint64_t value = 0;
  for (const char c : Get(header, field).substr(0, field.size - 1)) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

void Put(std::string& header, Field field, std::string_view text) {
  std::copy(text.begin(), text.end(),
            header.begin() + static_cast<std::string::difference_type>(field.offset));
}

// All digits that leave room for the NUL.
void PutOctal(std::string& header, Field field, std::uint64_t value) {
  for (std::size_t i = field.offset + field.size - 1; i-- > field.offset; value /= 8) {
    header[i] = static_cast<char>('0' + value % 8);
  }
}

struct SplitPath {
  std::string_view prefix;
  std::string_view name;
};

std::optional<SplitPath> Split(std::string_view path) {
  if (path.size() <= kName.size) return SplitPath{"", path};
  const std::size_t slash = path.find('/', path.size() - kName.size - 1);
  if (slash > kPrefix.size) return std::nullopt;  // or there is none
  return SplitPath{path.substr(0, slash), path.substr(slash + 1)};
}

// The one header of a regular file. `path` has no problem, `size` is at most kMaxBundleBytes.
std::string Header(std::string_view path, std::uint64_t size) {
  std::string header(kBlock, '\0');
  const SplitPath split = *Split(path);
  Put(header, kName, split.name);
  PutOctal(header, kMode, 0644);
  PutOctal(header, kUid, 0);
  PutOctal(header, kGid, 0);
  PutOctal(header, kSize, size);
  PutOctal(header, kTime, 0);
  Put(header, kChecksum, "        ");
  Put(header, kType, kRegularFile);
  Put(header, kMagic, kUstar);
  PutOctal(header, kDeviceMajor, 0);
  PutOctal(header, kDeviceMinor, 0);
  Put(header, kPrefix, split.prefix);
  std::uint64_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  // Six digits, NUL, and the space that is there already.
  PutOctal(header, {kChecksum.offset, kChecksum.size - 1}, sum);
  header[kChecksum.offset + kChecksum.size - 2] = '\0';
  return header;
}

std::size_t PaddingOf(std::size_t size) {
  return (kBlock - size % kBlock) % kBlock;
}

bool IsZero(std::string_view bytes) {
  return bytes.find_first_not_of('\0') == std::string_view::npos;
}

Diagnostic TooManyEntries() {
  return MakeDiagnostic(Code::kInputTooLarge, {},
                        "the bundle has more than " + std::to_string(kMaxEntries) + " files");
}

Diagnostic TooLarge() {
  return MakeDiagnostic(Code::kInputTooLarge, {},
                        "the bundle is larger than " + std::to_string(kMaxBundleBytes) + " bytes");
}

// Reads the entry at the front of `rest` and takes it away.
Outcome<Entry> TakeEntry(std::string_view& rest) {
  const std::string_view header = rest.substr(0, kBlock);
  if (Get(header, kMagic) != kUstar) return Malformed("not a bundle: not a ustar archive");
  Entry entry;
  if (const std::string_view prefix = GetText(header, kPrefix); !prefix.empty()) {
    entry.path = std::string(prefix) + "/";
  }
  entry.path += GetText(header, kName);
  const std::string quoted = Quoted(entry.path);
  if (const std::string problem = PathProblem(entry.path); !problem.empty()) {
    return Malformed("the path " + quoted + " " + problem);
  }
  if (Get(header, kType) != kRegularFile) return Malformed(quoted + " is not a regular file");
  const std::optional<std::uint64_t> size = GetOctal(header, kSize);
  if (!size) return Malformed("the size of " + quoted + " is not an octal number");
  if (*size > rest.size() - kBlock) return Malformed("the archive ends inside " + quoted);
  if (header != Header(entry.path, *size)) {
    return Malformed("the archive header of " + quoted + " is not in its canonical form");
  }
  rest.remove_prefix(kBlock);
  entry.content = rest.substr(0, *size);
  rest.remove_prefix(entry.content.size());
  const std::string_view padding = rest.substr(0, PaddingOf(entry.content.size()));
  if (!IsZero(padding)) return Malformed("the padding after " + quoted + " is not zero");
  rest.remove_prefix(padding.size());
  return entry;
}

}  // namespace

std::string PathProblem(std::string_view path) {
  if (path.empty()) return "is empty";
  if (path.front() == '/') return "is absolute";
  for (const char c : path) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return "has a control byte";
    if (c == '\\') return "has a backslash";
  }
  if (!IsUtf8(path)) return "is not UTF-8";
  for (std::string_view rest = path;;) {
    const std::size_t slash = rest.find('/');
    const std::string_view component = rest.substr(0, slash);
    if (component.empty()) return "has an empty component";
    if (component == "." || component == "..") {
      return "has a component \"" + std::string(component) + "\"";
    }
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (!Split(path)) return "is too long";
  return "";
}

Outcome<std::string> WriteArchive(std::vector<Entry> entries) {
  if (entries.size() > kMaxEntries) return TooManyEntries();
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.path < b.path; });
  std::size_t total = 2 * kBlock;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Entry& entry = entries[i];
    if (const std::string problem = PathProblem(entry.path); !problem.empty()) {
      return MakeDiagnostic(
          Code::kBadPathName, {},
          "a bundle cannot carry " + Quoted(entry.path) + ": the path " + problem);
    }
    if (i > 0 && entries[i - 1].path == entry.path) {
      return Malformed("two files have the path " + Quoted(entry.path));
    }
    if (entry.content.size() > kMaxBundleBytes) return TooLarge();
    total += kBlock + entry.content.size() + PaddingOf(entry.content.size());
    if (total > kMaxBundleBytes) return TooLarge();
  }
  std::string bytes;
  bytes.reserve(total);
  for (const Entry& entry : entries) {
    bytes += Header(entry.path, entry.content.size());
    bytes += entry.content;
    bytes.append(PaddingOf(entry.content.size()), '\0');
  }
  bytes.append(2 * kBlock, '\0');
  return bytes;
}

Outcome<std::vector<Entry>> ReadArchive(std::string_view bytes) {
  if (bytes.size() > kMaxBundleBytes) return TooLarge();
  std::vector<Entry> entries;
  std::string_view rest = bytes;
  for (;;) {
    if (rest.size() < kBlock) return Malformed("the archive is cut short");
    if (IsZero(rest.substr(0, kBlock))) break;
    if (entries.size() == kMaxEntries) return TooManyEntries();
    Outcome<Entry> entry = TakeEntry(rest);
    if (!entry) return std::move(entry).diagnostics();
    if (!entries.empty() && entries.back().path == entry->path) {
      return Malformed("two files have the path " + Quoted(entry->path));
    }
    if (!entries.empty() && entries.back().path > entry->path) {
      return Malformed(Quoted(entry->path) + " is out of order");
    }
    entries.push_back(*std::move(entry));
  }
  if (rest.size() < 2 * kBlock) return Malformed("the archive is cut short");
  if (rest.size() > 2 * kBlock || !IsZero(rest)) {
    return Malformed("there are bytes after the end of the archive");
  }
  return entries;
}

}  // namespace march::bundle
