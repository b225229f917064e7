#include <catch2/catch.hpp>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/diagnostic.h"
#include "base/file_system.h"
#include "base/outcome.h"
#include "base/print.h"
#include "base/source.h"
#include "base/suggest.h"

namespace march {
namespace {

TEST_CASE("positions count lines and byte columns from one") {
  const Source source("a.yaml", "one\r\ntwo\n\nfour");
  CHECK(source.PositionOf(0) == Position{1, 1});
  CHECK(source.PositionOf(5) == Position{2, 1});
  CHECK(source.PositionOf(9) == Position{3, 1});
  CHECK(source.PositionOf(12) == Position{4, 3});
  CHECK(source.PositionOf(999) == Position{4, 5});
  CHECK(source.Line(1) == "one");
  CHECK(source.Line(3).empty());
  CHECK(source.Line(4) == "four");
  CHECK(source.Line(5).empty());
  CHECK(source.OffsetOf({2, 2}) == 6);
  CHECK(source.OffsetOf({2, 99}) == 8);
  CHECK(source.OffsetOf({77, 1}) == source.text().size());
}

TEST_CASE("codes are unique and in order of their ids") {
  std::set<std::string_view> ids;
  std::string_view last;
  for (const CodeInfo& info : AllCodes()) {
    CHECK(ids.insert(info.id).second);
    CHECK(last < info.id);
    last = info.id;
    CHECK(InfoOf(info.code).id == info.id);
  }
}

TEST_CASE("a diagnostic shows its line, its caret, its cause and its remedy") {
  const Source source("p.yaml", "services:\n  web: { addreses: [] }\n");
  const auto begin = static_cast<std::uint32_t>(source.text().find("addreses"));
  const SourceRange range{&source, begin, begin + 8};
  const auto diagnostic = MakeDiagnostic(Code::kUnknownKey, range, "unknown key \"addreses\"",
                                         "did you mean \"addresses\"?")
                              .WithNote({&source, 0, 8}, "in this map");
  CHECK(TextOf({diagnostic}) ==
        "p.yaml:2:10: error[M0203]: unknown key \"addreses\"\n"
        " 2 |   web: { addreses: [] }\n"
        "   |          ^~~~~~~~\n"
        "p.yaml:1:1: note: in this map\n"
        " 1 | services:\n"
        "   | --------\n"
        "  hint: did you mean \"addresses\"?\n");
}

TEST_CASE("carets count characters, not bytes, and control bytes never reach the terminal") {
  const Source source("p.yaml", "k\xC3\xA9: \x1B[31m x\n");
  const SourceRange range{&source, 12, 13};
  CHECK(TextOf({MakeDiagnostic(Code::kWrongType, range, "m")}) ==
        "p.yaml:1:13: error[M0201]: m\n"
        " 1 | k\xC3\xA9: ?[31m x\n"
        "   |            ^\n");
}

TEST_CASE("bytes that are no characters, and Latin-1 controls, never reach the terminal either") {
  const Source source("p.yaml", "a\xFF\xC3 \xC2\x9B[m\xED\x95\x9C\xF0\x9F\x98\x80 \xE2\x82");
  CHECK(TextOf({MakeDiagnostic(Code::kYamlNotUtf8, {&source, 0, 1}, "m")}) ==
        "p.yaml:1:1: error[M0104]: m\n"
        " 1 | a?? ?[m\xED\x95\x9C\xF0\x9F\x98\x80 ??\n"
        "   | ^\n");
}

TEST_CASE("a line of any length is shown around its caret") {
  const Source source("p.yaml", std::string(1000, 'a') + "X" + std::string(1000, 'b'));
  const std::string text = TextOf({MakeDiagnostic(Code::kWrongType, {&source, 1000, 1001}, "m")});
  CHECK(text.find("aX") != std::string::npos);
  CHECK(text.size() < 500);
}

TEST_CASE("a diagnostic without a place prints without one") {
  CHECK(TextOf({MakeDiagnostic(Code::kCannotRead, {}, "cannot read x")}) ==
        "error[M0001]: cannot read x\n");
}

TEST_CASE("diagnostics as JSON keep every part, whatever bytes they quote") {
  const Source source("p.yaml", "ab\xFF\n");
  std::ostringstream out;
  PrintJson({MakeDiagnostic(Code::kNoCommonFamily, {&source, 0, 2}, "bad \xFF", "h")}, out);
  const auto json = nlohmann::json::parse(out.str());
  CHECK(json["format_version"] == 1);
  CHECK(json["diagnostics"][0]["code"] == "M0305");
  CHECK(json["diagnostics"][0]["severity"] == "warning");
  CHECK(json["diagnostics"][0]["place"]["end_column"] == 3);
  CHECK(json["diagnostics"][0]["hint"] == "h");
}

TEST_CASE("a diagnostic can be shown when the sources it came from are gone") {
  auto source = std::make_shared<const Source>("p.yaml", "one: 1\ntwo: 2\n");
  const std::weak_ptr<const Source> text = source;
  Diagnostics diagnostics = {
      MakeDiagnostic(Code::kUnknownKey, {source.get(), 7, 10}, "unknown key \"two\"")};
  source.reset();
  CHECK_FALSE(text.expired());
  CHECK(TextOf(diagnostics) ==
        "p.yaml:2:1: error[M0203]: unknown key \"two\"\n"
        " 2 | two: 2\n"
        "   | ^~~\n");
  diagnostics.clear();
  CHECK(text.expired());
  source = std::make_shared<const Source>("q.yaml", "three: 3\n");
  const std::weak_ptr<const Source> noted = source;
  diagnostics = {MakeDiagnostic(Code::kCannotRead, {}, "x").WithNote({source.get(), 0, 5}, "here")};
  source.reset();
  CHECK_FALSE(noted.expired());
  CHECK(TextOf(diagnostics).ends_with("q.yaml:1:1: note: here\n 1 | three: 3\n   | -----\n"));
}

TEST_CASE("an outcome has a value exactly when nothing is an error") {
  const Diagnostic error = MakeDiagnostic(Code::kCannotRead, {}, "e");
  const Diagnostic warning = MakeDiagnostic(Code::kNoCommonFamily, {}, "w");
  CHECK(Outcome<int>(1).ok());
  CHECK(Outcome<int>(1, {warning}).ok());
  CHECK_FALSE(Outcome<int>(1, {warning, error}).ok());
  CHECK_FALSE(Outcome<int>(error).ok());
}

TEST_CASE("suggestions find slips and leave strangers alone") {
  CHECK(EditDistance("prots", "ports") == 1);
  CHECK(EditDistance("", "abc") == 3);
  CHECK(EditDistance("kitten", "sitting") == 3);
  CHECK(NearestWord("addreses", {"addresses", "except"}) == "addresses");
  CHECK(NearestWord("zzz", {"addresses", "except"}).empty());
  CHECK(NearestWord("ab", {"ac", "aa"}) == "aa");
}

void CheckFileSystem(FileSystem& fs, const std::string& root) {
  CHECK(fs.KindOf(root + "/x") == FileSystem::Kind::kNothing);
  REQUIRE(fs.WriteAtomically(root + "/d/b", "two", 0600).ok());
  REQUIRE(fs.WriteAtomically(root + "/d/a", "one", 0600).ok());
  REQUIRE(fs.WriteAtomically(root + "/d/a", "1", 0600).ok());
  CHECK(*fs.Read(root + "/d/a", 10) == "1");
  CHECK(*fs.List(root + "/d") == std::vector<std::string>{"a", "b"});
  CHECK(fs.KindOf(root + "/d") == FileSystem::Kind::kDirectory);
  CHECK(fs.KindOf(root + "/d/a") == FileSystem::Kind::kFile);
  const auto large = fs.Read(root + "/d/b", 2);
  REQUIRE_FALSE(large.ok());
  CHECK(large.diagnostics()[0].code == Code::kInputTooLarge);
  const auto missing = fs.Read(root + "/d/c", 2);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.diagnostics()[0].message ==
        "cannot read " + root + "/d/c: No such file or directory");
  REQUIRE(fs.Remove(root + "/d").ok());
  REQUIRE(fs.Remove(root + "/d").ok());
  CHECK(fs.KindOf(root + "/d") == FileSystem::Kind::kNothing);
}

TEST_CASE("what the disk does not tell of is not taken for absent") {
  const DiskFileSystem disk;
  const std::string name(300, 'n');  // longer than a name may be
  CHECK(disk.KindOf("/" + name) == FileSystem::Kind::kFile);
  CHECK(disk.Read("/" + name, 1).diagnostics()[0].message ==
        "cannot read /" + name + ": File name too long");
}

TEST_CASE("a file that is rewritten keeps its permissions, its links and its neighbours") {
  namespace fs = std::filesystem;
  DiskFileSystem disk;
  const fs::path root = fs::temp_directory_path() / "march-base-test-rewrite";
  fs::remove_all(root);
  const std::string file = root / "real/a.yaml";
  REQUIRE(disk.WriteAtomically(file, "old", 0640).ok());
  REQUIRE(disk.WriteAtomically(file + ".new", "not ours", 0600).ok());
  fs::permissions(file, fs::perms(0751));
  fs::create_symlink("real/a.yaml", root / "link.yaml");
  REQUIRE(disk.RewriteAtomically(root / "link.yaml", "new").ok());
  CHECK(fs::is_symlink(root / "link.yaml"));
  CHECK(*disk.Read(file, 10) == "new");
  CHECK(fs::status(file).permissions() == fs::perms(0751));
  CHECK(*disk.List(root / "real") == std::vector<std::string>{"a.yaml", "a.yaml.new"});
  CHECK(disk.RewriteAtomically(root / "nothing", "new").diagnostics()[0].message ==
        "cannot write " + (root / "nothing").string() + ": No such file or directory");
  fs::remove_all(root);
}

TEST_CASE("the memory file system behaves as the disk does") {
  MemoryFileSystem memory;
  CheckFileSystem(memory, "/m");
  DiskFileSystem disk;
  const std::string root = std::filesystem::temp_directory_path() / "march-base-test";
  std::filesystem::remove_all(root);
  CheckFileSystem(disk, root);
  std::filesystem::remove_all(root);
}

}  // namespace
}  // namespace march
