#include <catch2/catch.hpp>

#include "compiler/yaml/document.h"
#include "compiler/yaml/quote.h"

namespace march::yaml {
namespace {

// Every scalar and null of a text as "token=value", in the order of the text.
void Collect(const Node& node, std::vector<std::string>& out) {
  const std::string_view text = node.range.source->text();
  const std::string token(text.substr(node.range.begin, node.range.end - node.range.begin));
  if (node.kind == Node::Kind::kScalar) out.push_back(token + "=" + node.scalar);
  if (node.kind == Node::Kind::kNull) out.push_back(token + "=null");
  for (const auto& child : node.sequence) Collect(*child, out);
  for (const auto& entry : node.map) {
    Collect(*entry.key, out);
    Collect(*entry.value, out);
  }
}

std::vector<std::string> Tokens(const std::string& text) {
  const Source source("t.yaml", text);
  const auto parsed = ParseYaml(source);
  REQUIRE(parsed.ok());
  std::vector<std::string> out;
  for (const auto& document : *parsed) Collect(*document, out);
  return out;
}

using Strings = std::vector<std::string>;

TEST_CASE("a scalar's range is its token, quotes included") {
  CHECK(Tokens("a: b") == Strings{"a=a", "b=b"});
  CHECK(Tokens("{\"a b\": 'it''s', c: \"q\\\"\\u0041\"}") ==
        Strings{"\"a b\"=a b", "'it''s'=it's", "c=c", "\"q\\\"\\u0041\"=q\"A"});
  CHECK(Tokens("a:\t b  # c\nd: [e , f#g, 'h' ]") ==
        Strings{"a=a", "b=b", "d=d", "e=e", "f#g=f#g", "'h'=h"});
}

TEST_CASE("ranges are bytes, whatever characters stand before") {
  CHECK(Tokens("k\xC3\xB6ln: \"\xE6\x9D\xB1\xE4\xBA\xAC\" # \xF0\x9F\x98\x80\nb: c") ==
        Strings{"k\xC3\xB6ln=k\xC3\xB6ln", "\"\xE6\x9D\xB1\xE4\xBA\xAC\"=\xE6\x9D\xB1\xE4\xBA\xAC",
                "b=b", "c=c"});
  CHECK(Tokens("\xEF\xBB\xBF"
               "a: b\r\nc:\r\n  - d\r\n  - 'e\r\n    f'\r\n") ==
        Strings{"a=a", "b=b", "c=c", "d=d", "'e\r\n    f'=e f"});
}

TEST_CASE("scalars of several lines end with their last word") {
  CHECK(Tokens("a: one\n  two # three\nb: c") ==
        Strings{"a=a", "one\n  two=one two", "b=b", "c=c"});
  CHECK(Tokens("a: |  # why\n  one # two\n\n  three\nb: c") ==
        Strings{"a=a", "|  # why\n  one # two\n\n  three=one # two\n\nthree\n", "b=b", "c=c"});
  CHECK(Tokens("a: >-\n  one\n  two\nb: c") ==
        Strings{"a=a", ">-\n  one\n  two=one two", "b=b", "c=c"});
}

TEST_CASE("anchors and tags are not part of the token; an alias is its anchor's node") {
  CHECK(Tokens("a: &x !!str 5\nb: *x\nc: !!int \"7\"") ==
        Strings{"a=a", "5=5", "b=b", "5=5", "c=c", "\"7\"=7"});
}

TEST_CASE("nothing has the place of what should have had a value") {
  CHECK(Tokens("a:\nb: c") == Strings{"a=a", "a=null", "b=b", "c=c"});
  CHECK(Tokens("a:\nnull: ~") == Strings{"a=a", "a=null", "null=null", "~=null"});
  CHECK(Tokens("- a\n# - x\n-\n- ~\n") == Strings{"a=a", "-=null", "~=null"});
  CHECK(Tokens("a: !!str") == Strings{"a=a", "!!str="});
}

TEST_CASE("quotes and tags decide whether a scalar may be a number") {
  const Source source("t.yaml", "[5, '5', !!str 5, !!int '5', ! 5]");
  const auto parsed = ParseYaml(source);
  REQUIRE(parsed.ok());
  Strings kinds;
  for (const auto& node : (*parsed)[0]->sequence) kinds.push_back(node->quoted ? "text" : "plain");
  CHECK(kinds == Strings{"plain", "text", "text", "plain", "text"});
}

TEST_CASE("documents are what stands between the markers, without empty ones") {
  const Source source("t.yaml", "# c\n---\n---\na: b\n...\n# d\n...\n--- [c]\n");
  const auto parsed = ParseYaml(source);
  REQUIRE(parsed.ok());
  CHECK(parsed->size() == 2);
  const Source nothing("t.yaml", "");
  CHECK(ParseYaml(nothing)->empty());
}

Code FirstCode(const std::string& text, const ParseLimits& limits = {}) {
  const Source source("t.yaml", text);
  const auto parsed = ParseYaml(source, limits);
  REQUIRE_FALSE(parsed.ok());
  return parsed.diagnostics()[0].code;
}

std::string Repeated(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST_CASE("hostile nesting ends at the limit, not at the end of a stack") {
  CHECK(FirstCode(Repeated("[", 100'000)) == Code::kYamlTooDeep);
  CHECK(FirstCode(Repeated("{a: ", 100'000)) == Code::kYamlTooDeep);
  CHECK(FirstCode(Repeated("- ", 100'000)) == Code::kYamlTooDeep);
  CHECK(FirstCode(Repeated("? ", 100'000)) == Code::kYamlTooDeep);
  ParseLimits generous;
  generous.max_depth = 1'000'000;
  CHECK(FirstCode(Repeated("[", 100'000), generous) == Code::kYamlTooDeep);
  std::string chain = "a0: &a0 []\n";
  for (int i = 1; i < 1000; ++i) {
    const std::string n = std::to_string(i);
    chain += "a" + n + ": &a" + n + " [*a" + std::to_string(i - 1) + "]\n";
  }
  CHECK(FirstCode(chain) == Code::kYamlTooDeep);
}

TEST_CASE("aliases cannot stand for more than memory of the reader allows") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string use = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + use;
    for (int j = 0; j < 9; ++j) bomb += ", " + use;
    bomb += "]\n";
  }
  CHECK(FirstCode(bomb) == Code::kInputTooLarge);
}

TEST_CASE("what is read ahead of the parser's answers is bounded, what is read is not") {
  CHECK(FirstCode(Repeated("[", 3'000'000)) == Code::kInputTooLarge);
  CHECK(FirstCode("a:\n- [" + Repeated("b,", 1'000'000)) == Code::kInputTooLarge);
  CHECK(FirstCode("# " + Repeated("comment ", 1'000'000) + "\n[") == Code::kInputTooLarge);
  CHECK(Tokens("{a: [" + Repeated("b, ", 1'000'000) + "]}").size() == 1'000'001);
  CHECK(Tokens("\xEF\xBB\xBF # c\n [a, {b: c}]\n--- {d: e}\n") ==
        Strings{"a=a", "b=b", "c=c", "d=d", "e=e"});
}

TEST_CASE("a text over the limit is refused unread") {
  ParseLimits limits;
  limits.max_bytes = 4;
  CHECK(FirstCode("a: bc", limits) == Code::kInputTooLarge);
}

TEST_CASE("texts that are not YAML's characters are refused at their byte") {
  struct Case {
    std::string text;
    std::uint32_t at;
    Code code;
  };
  for (const Case& c : {
           Case{"a: \xC3(", 3, Code::kYamlNotUtf8},
           Case{"a: \xC0\x80", 3, Code::kYamlNotUtf8},          // overlong
           Case{"a: \xE0\x80\x80", 3, Code::kYamlNotUtf8},      // overlong
           Case{"a: \xED\xA0\x80", 3, Code::kYamlNotUtf8},      // surrogate
           Case{"a: \xF4\x90\x80\x80", 3, Code::kYamlNotUtf8},  // beyond U+10FFFF
           Case{"a: \xE6\x9D", 3, Code::kYamlNotUtf8},          // cut off
           Case{"ab\x04", 2, Code::kYamlSyntax},
           Case{"ab\x7F", 2, Code::kYamlSyntax},
           Case{"ab\xC2\x9B", 2, Code::kYamlSyntax},  // CSI
           Case{"ab\r", 2, Code::kYamlSyntax},
           Case{std::string("ab\0c", 4), 2, Code::kYamlSyntax},
       }) {
    const Source source("t.yaml", c.text);
    const auto parsed = ParseYaml(source);
    CAPTURE(c.text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.diagnostics()[0].code == c.code);
    CHECK(parsed.diagnostics()[0].range.begin == c.at);
  }
}

TEST_CASE("a fault in one document does not hide those of others, nor runs on without end") {
  const Source source("t.yaml", Repeated("---\n[\n", 1000));
  const auto parsed = ParseYaml(source);
  REQUIRE_FALSE(parsed.ok());
  CHECK(parsed.diagnostics().size() == 20);
}

TEST_CASE("what follows a complete value is not a document of its own") {
  CHECK(FirstCode("[a] [b]") == Code::kYamlSyntax);
  CHECK(FirstCode("'a' 'b'") == Code::kYamlSyntax);
  CHECK(FirstCode("- a\n- b\nc: d\n") == Code::kYamlSyntax);
}

TEST_CASE("quoted words are one line of valid text") {
  CHECK(Quoted("a\"b\\c") == "\"a\\\"b\\\\c\"");
  CHECK(Quoted("\n\t\r\x1B\xFF\xC3\xB6") == "\"\\n\\t\\r\\x1b\\xff\xC3\xB6\"");
  CHECK(Quoted("abcdef", 3) == "\"abc...\"");
}

TEST_CASE("a document is dumped a node a line") {
  const auto source = std::make_shared<const Source>("t.yaml", "a: [b, 'c']\nd: ~\n");
  const auto doc = ParsePolicyDoc({source});
  REQUIRE(doc.ok());
  CHECK(Dump(*doc) ==
        "document t.yaml\n"
        "1:1 map\n"
        "1:1   key plain \"a\"\n"
        "1:4     list\n"
        "1:5       - plain \"b\"\n"
        "1:8       - string \"c\"\n"
        "2:1   key plain \"d\"\n"
        "2:4     null\n");
}

}  // namespace
}  // namespace march::yaml
