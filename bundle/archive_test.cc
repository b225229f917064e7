#include "bundle/archive.h"

#include <sys/mman.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "bundle/bundle.h"

namespace march::bundle {
namespace {

std::string MustWrite(std::vector<Entry> entries) {
  Outcome<std::string> bytes = WriteArchive(std::move(entries));
  REQUIRE(bytes.ok());
  return *bytes;
}

void CheckRefused(std::string_view bytes, const std::string& message) {
  const auto entries = ReadArchive(bytes);
  REQUIRE_FALSE(entries.ok());
  CHECK(entries.diagnostics()[0].code == Code::kBundleMalformed);
  CHECK(entries.diagnostics()[0].message == message);
}

// A change at `offset` of the header at `block`, its checksum made right again, so that what is
// refused is the change and not the checksum.
std::string WithHeader(std::string bytes, std::size_t block, std::size_t offset,
                       std::string_view change) {
  bytes.replace(block + offset, change.size(), change);
  bytes.replace(block + 148, 8, 8, ' ');
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(block);
  const unsigned sum = std::accumulate(begin, begin + 512, 0U, [](unsigned total, char c) {
    return total + static_cast<unsigned char>(c);
  });
  char digits[16];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  bytes.replace(block + 148, 7, digits, 7);
  return bytes;
}

// A path of 200 bytes that must be cut, and one of 256, the longest there is.
const std::string kLong =
    std::string(99, 'p') + "/" + std::string(49, 'q') + "/" + std::string(50, 'n');
const std::string kLongest = std::string(155, 'p') + "/" + std::string(100, 'n');

TEST_CASE("an archive gives back its entries, sorted") {
  const std::string block(512, 'x');
  const std::string bytes = MustWrite({{"b", ""}, {kLongest, "long"}, {"a/c", block}, {"a", "1"}});
  const auto entries = ReadArchive(bytes);
  REQUIRE(entries.ok());
  REQUIRE(entries->size() == 4);
  CHECK(entries->at(0).path == "a");
  CHECK(entries->at(0).content == "1");
  CHECK(entries->at(1).path == "a/c");
  CHECK(entries->at(1).content == block);
  CHECK(entries->at(2).path == "b");
  CHECK(entries->at(2).content.empty());
  CHECK(entries->at(3).path == kLongest);
  CHECK(MustWrite(*entries) == bytes);
  CHECK(bytes.size() == 512 * (4 + 3 + 2));
}

TEST_CASE("an archive of nothing is its two end blocks") {
  CHECK(MustWrite({}) == std::string(1024, '\0'));
  CHECK(ReadArchive(std::string(1024, '\0')).ok());
}

TEST_CASE("a header has the one spelling") {
  const std::string bytes = MustWrite({{"a", "12345678"}});
  CHECK(bytes.substr(0, 2) == std::string("a\0", 2));
  CHECK(bytes.substr(100, 8) == std::string("0000644\0", 8));
  CHECK(bytes.substr(124, 12) == std::string("00000000010\0", 12));
  CHECK(bytes.substr(136, 12) == std::string("00000000000\0", 12));
  CHECK(bytes.substr(257, 8) == std::string("ustar\00000", 8));
  // A long path is cut at the first slash that leaves a name of at most 100 bytes.
  const std::string cut = MustWrite({{kLong, ""}});
  CHECK(cut.substr(0, 100) == std::string(49, 'q') + "/" + std::string(50, 'n'));
  CHECK(cut.substr(345, 155) == std::string(99, 'p') + std::string(56, '\0'));
}

TEST_CASE("paths that an archive cannot carry") {
  const std::pair<std::string, std::string> bad[] = {
      {"", "is empty"},
      {"/etc/passwd", "is absolute"},
      {"../a", "has a component \"..\""},
      {"a/../b", "has a component \"..\""},
      {"a/..", "has a component \"..\""},
      {".", "has a component \".\""},
      {"./a", "has a component \".\""},
      {"a//b", "has an empty component"},
      {"a/", "has an empty component"},
      {"a\nb", "has a control byte"},
      {std::string("a\0b", 3), "has a control byte"},
      {"a\x7f", "has a control byte"},
      {"a\\b", "has a backslash"},
      {"a\xff", "is not UTF-8"},
      {"\xC0\xAE\xC0\xAE/a", "is not UTF-8"},
      {"\xED\xA0\x80", "is not UTF-8"},
      {std::string(101, 'n'), "is too long"},
      {kLongest + "n", "is too long"},
      {"p" + kLongest, "is too long"},
  };
  for (const auto& [path, problem] : bad) {
    CAPTURE(path);
    CHECK(PathProblem(path) == problem);
    const auto bytes = WriteArchive({{path, ""}});
    REQUIRE_FALSE(bytes.ok());
    CHECK(bytes.diagnostics()[0].code == Code::kBadPathName);
  }
  for (const std::string good : {"a", "..a", "a..", "...", "a b/\xC3\xA9", "\xF0\x9F\x90\xA7"}) {
    CHECK(PathProblem(good).empty());
  }
  CHECK(PathProblem(kLong).empty());
  CHECK(PathProblem(kLongest).empty());
}

TEST_CASE("a path that leads out is refused, and shown without its control bytes") {
  const std::string bytes = MustWrite({{"abcd", ""}});
  CheckRefused(WithHeader(bytes, 0, 0, "../b"), "the path \"../b\" has a component \"..\"");
  CheckRefused(WithHeader(bytes, 0, 0, "/bcd"), "the path \"/bcd\" is absolute");
  CheckRefused(WithHeader(bytes, 0, 0, "a\x1B[2"), "the path \"a\\x1b[2\" has a control byte");
  CheckRefused(WithHeader(bytes, 0, 345, ".."), "the path \"../abcd\" has a component \"..\"");
}

TEST_CASE("two files of one path are refused") {
  const auto written = WriteArchive({{"a", "1"}, {"b", ""}, {"a", "2"}});
  REQUIRE_FALSE(written.ok());
  CHECK(written.diagnostics()[0].code == Code::kBundleMalformed);
  CHECK(written.diagnostics()[0].message == "two files have the path \"a\"");
  CheckRefused(WithHeader(MustWrite({{"a", ""}, {"b", ""}}), 512, 0, "a"),
               "two files have the path \"a\"");
}

TEST_CASE("files out of order are refused") {
  CheckRefused(WithHeader(MustWrite({{"b", ""}, {"c", ""}}), 512, 0, "a"), "\"a\" is out of order");
}

TEST_CASE("every spelling of a header but one is refused") {
  const std::string bytes = MustWrite({{"a", "12345678"}});
  REQUIRE(WithHeader(bytes, 0, 0, "a") == bytes);
  const std::string message = "the archive header of \"a\" is not in its canonical form";
  CheckRefused(WithHeader(bytes, 0, 100, "0000755"), message);             // mode
  CheckRefused(WithHeader(bytes, 0, 100, "000644 "), message);             // mode
  CheckRefused(WithHeader(bytes, 0, 108, "0001750"), message);             // owner
  CheckRefused(WithHeader(bytes, 0, 116, "0001750"), message);             // group
  CheckRefused(WithHeader(bytes, 0, 136, "14000000000"), message);         // time
  CheckRefused(WithHeader(bytes, 0, 135, " "), message);                   // size's end
  CheckRefused(WithHeader(bytes, 0, 157, "b"), message);                   // link
  CheckRefused(WithHeader(bytes, 0, 265, "root"), message);                // owner
  CheckRefused(WithHeader(bytes, 0, 297, "root"), message);                // group
  CheckRefused(WithHeader(bytes, 0, 329, std::string(8, '\0')), message);  // device
  CheckRefused(WithHeader(bytes, 0, 500, "x"), message);                   // unused
  CheckRefused(WithHeader(bytes, 0, 50, "x"), message);                    // behind the name
  CheckRefused(bytes.substr(0, 148) + " " + bytes.substr(149), message);   // checksum
  CheckRefused(WithHeader(bytes, 0, 124, "        10 "),
               "the size of \"a\" is not an octal number");
  for (const std::string& type : {std::string(1, '\0'), std::string("5"), std::string("2"),
                                  std::string("x"), std::string("L")}) {
    CheckRefused(WithHeader(bytes, 0, 156, type), "\"a\" is not a regular file");
  }
  CheckRefused(WithHeader(bytes, 0, 257, std::string("ustar  \0", 8)),
               "not a bundle: not a ustar archive");
  // The same path, cut elsewhere.
  const std::string cut = MustWrite({{kLong, ""}});
  const std::string elsewhere =
      WithHeader(WithHeader(cut, 0, 0, std::string(50, 'n') + std::string(50, '\0')), 0, 345,
                 std::string(99, 'p') + "/" + std::string(49, 'q'));
  CheckRefused(elsewhere, "the archive header of \"" + kLong + "\" is not in its canonical form");
}

TEST_CASE("a size that the archive does not have is refused, however large") {
  const std::string bytes = MustWrite({{"a", "12345678"}});
  for (const std::string size : {"00000003001", "00000010000", "17777777777", "77777777777"}) {
    CheckRefused(WithHeader(bytes, 0, 124, size), "the archive ends inside \"a\"");
  }
  // GNU tar's binary sizes.
  CheckRefused(WithHeader(bytes, 0, 124, "\x80\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
               "the size of \"a\" is not an octal number");
}

TEST_CASE("padding that is not zero is refused") {
  std::string bytes = MustWrite({{"a", "1"}});
  bytes[512 + 511] = 'x';
  CheckRefused(bytes, "the padding after \"a\" is not zero");
}

TEST_CASE("an archive ends with its two blocks") {
  const std::string bytes = MustWrite({{"a", "1"}});
  CheckRefused(bytes + '\0', "there are bytes after the end of the archive");
  CheckRefused(bytes + std::string(8192, '\0'), "there are bytes after the end of the archive");
  CheckRefused(bytes.substr(0, 1024 + 512) + bytes, "there are bytes after the end of the archive");
  CheckRefused(bytes.substr(0, bytes.size() - 1) + "x",
               "there are bytes after the end of the archive");
  CheckRefused("", "the archive is cut short");
  CheckRefused("apiVersion: march/v1\n", "the archive is cut short");
  CheckRefused(std::string(512, 'x'), "not a bundle: not a ustar archive");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    CHECK_FALSE(ReadArchive(std::string_view(bytes).substr(0, size)).ok());
  }
}

TEST_CASE("an archive has bounds") {
  std::vector<Entry> entries;
  for (std::size_t i = 0; i <= kMaxEntries; ++i) entries.push_back({std::to_string(i), ""});
  const auto too_many = WriteArchive(entries);
  REQUIRE_FALSE(too_many.ok());
  CHECK(too_many.diagnostics()[0].code == Code::kInputTooLarge);
  CHECK(too_many.diagnostics()[0].message == "the bundle has more than 100000 files");

  entries.pop_back();
  std::string bytes = MustWrite(std::move(entries));
  CHECK(ReadArchive(bytes).ok());
  bytes.insert(bytes.size() - 1024, MustWrite({{"a", ""}}).substr(0, 512));
  const auto read = ReadArchive(bytes);
  REQUIRE_FALSE(read.ok());
  CHECK(read.diagnostics()[0].code == Code::kInputTooLarge);

  // Address space only: neither side touches a byte of it.
  const std::size_t size = kMaxBundleBytes + 1;
  void* const space =
      ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  REQUIRE(space != MAP_FAILED);
  const std::string_view huge(static_cast<const char*>(space), size);
  const auto read_huge = ReadArchive(huge);
  REQUIRE_FALSE(read_huge.ok());
  CHECK(read_huge.diagnostics()[0].code == Code::kInputTooLarge);
  CHECK(read_huge.diagnostics()[0].message == "the bundle is larger than 2147483648 bytes");
  for (const std::size_t content : {size, size - 1, size - 1 - 1024}) {
    const auto written = WriteArchive({{"a", huge.substr(0, content)}});
    REQUIRE_FALSE(written.ok());
    CHECK(written.diagnostics()[0].code == Code::kInputTooLarge);
  }
  ::munmap(space, size);
}

TEST_CASE("GNU tar lists and extracts an archive") {
  if (std::system("tar --version >/dev/null 2>&1") != 0) {
    WARN("there is no tar here");
    return;
  }
  const std::filesystem::path root = std::filesystem::temp_directory_path() / "march-archive-test";
  std::filesystem::remove_all(root);
  std::filesystem::create_directories(root);
  std::ofstream(root / "a.march", std::ios::binary) << MustWrite(
      {{"manifest.json", "{}"}, {"policy/b.yaml", std::string(1000, 'y')}, {kLong, ""}});
  FILE* const tar = ::popen(("tar tf '" + (root / "a.march").string() + "' 2>&1").c_str(), "r");
  REQUIRE(tar != nullptr);
  std::string listing;
  for (int c; (c = std::fgetc(tar)) != EOF;) listing += static_cast<char>(c);
  CHECK(::pclose(tar) == 0);
  CHECK(listing == "manifest.json\npolicy/b.yaml\n" + kLong + "\n");
  const std::string at = " '" + root.string() + "'";
  REQUIRE(std::system(("tar xf '" + (root / "a.march").string() + "' -C" + at).c_str()) == 0);
  CHECK(std::filesystem::file_size(root / "policy/b.yaml") == 1000);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace march::bundle
