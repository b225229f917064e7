#include "runtime/block/list_text.h"

#include <catch2/catch.hpp>

#include "base/print.h"

namespace march::block {
namespace {

std::string Said(const std::string& text) {
  const auto list = ReadList(text);
  if (!list.ok()) return TextOf(list.diagnostics());
  std::string said;
  for (const Entry& entry : *list) said += entry.prefix.ToString() + "|" + entry.comment + "\n";
  return said;
}

TEST_CASE("lists as feeds write them") {
  CHECK(Said("").empty());
  CHECK(Said("192.0.2.1") == "192.0.2.1|\n");
  CHECK(Said("; a feed\n# of today\r\n\n  192.0.2.0/24 ; SBL1\r\n2001:db8::/32# two words \n"
             "192.0.2.1\n192.0.2.1\n") ==
        "192.0.2.0/24|SBL1\n2001:db8::/32|two words\n192.0.2.1|\n192.0.2.1|\n");
}

TEST_CASE("the first line that is wrong is named, and how many are") {
  CHECK(Said("192.0.2.1\n192.0.2.300\n") ==
        "error[M0707]: line 2: \"192.0.2.300\" is no IP address or prefix\n"
        "  hint: write 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/32\n");
  CHECK(Said("a\n\nb 7\n192.0.2.1 4\n") ==
        "error[M0707]: line 1: \"a\" is no IP address or prefix, and 2 more lines are wrong\n"
        "  hint: write 192.0.2.1, 192.0.2.0/24, 2001:db8::1 or 2001:db8::/32\n");
  CHECK(Said("192.0.2.1 # \x01\n") ==
        "error[M0707]: line 1: the comment is too long or not printable\n"
        "  hint: a comment has at most 200 bytes\n");
  CHECK(Said("192.0.2.1 # " + std::string(200, 'x')).size() == 200 + 11);
  CHECK(Said("192.0.2.1 # " + std::string(201, 'x')).starts_with("error[M0707]: line 1"));
}

TEST_CASE("what is stored is read as it was") {
  const std::vector<Entry> entries = {{*ParsePrefix("192.0.2.0/24"), 0, ""},
                                      {*ParsePrefix("192.0.2.1"), 1767225600, "by hand, see 7 # x"},
                                      {*ParsePrefix("2001:db8::/32"), 0, "a"}};
  const Stored stored = ReadStored(WriteStored(entries));
  CHECK(stored.entries == entries);
  CHECK(stored.damaged == 0);
}

TEST_CASE("of a damaged file, what is whole is kept") {
  const Stored stored = ReadStored(
      "192.0.2.1 0\n192.0.2.2\n192.0.2.3 x\n192.0.2.4 -1\n\n"
      "192.0.2.5 7 \x02\n192.0.2.6 12");
  CHECK(stored.entries == std::vector<Entry>{{*ParsePrefix("192.0.2.1"), 0, ""},
                                             {*ParsePrefix("192.0.2.6"), 12, ""}});
  CHECK(stored.damaged == 5);
}

}  // namespace
}  // namespace march::block
