// marchctl as its users meet it, without processes: arguments in, output and exit code out.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "bundle/bundle.h"
#include "cli/exit_code.h"
#include "cli/marchctl.h"
#include "cli/output/human.h"
#include "cli/output/report.h"

namespace march::cli {
namespace {

const char* const kPolicy =
    "apiVersion: march/v1\n"
    "kind: Policy\n"
    "services:\n"
    "  web: { addresses: [10.0.0.1] }\n"
    "mappings:\n"
    "  http: { to: [web], protocols: [tcp], ports: [80], comment: the shop }\n"
    "  all-web: { to: [web], priority: -1 }\n";

class Marchctl {
 public:
  Marchctl() {
    Write("p.yaml", kPolicy);
    Write("bad.yaml", "apiVersion: march/v1\nkind: Policy\nservcies: {}\n");
  }

  void Write(const std::string& path, const std::string& text) {
    REQUIRE(files.WriteAtomically(path, text, 0600).ok());
  }

  int Run(const std::vector<std::string>& arguments) {
    out.str("");
    err.str("");
    Environment environment{files, in, out, err};
    return RunMarchctl(arguments, environment);
  }

  MemoryFileSystem files;
  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
};

TEST_CASE("words that marchctl does not know end with 64") {
  Marchctl marchctl;
  CHECK(marchctl.Run({}) == kUsage);
  CHECK(marchctl.Run({"explian", "p.yaml"}) == kUsage);
  CHECK(marchctl.err.str() ==
        "marchctl: there is no verb \"explian\"; did you mean \"explain\"?\n");
  CHECK(marchctl.Run({"validate"}) == kUsage);
  CHECK(marchctl.Run({"validate", "p.yaml", "--nonsense"}) == kUsage);
  CHECK(marchctl.Run({"status", "--target", "tcp:1"}) == kUsage);
  CHECK(marchctl.err.str().find("\"tcp:1\" is not unix:PATH") != std::string::npos);
  CHECK(marchctl.Run({"compile", "p.yaml"}) == kUsage);
  CHECK(marchctl.Run({"compile", "p.yaml", "--until", "rules", "-o", "x"}) == kUsage);
  CHECK(marchctl.Run({"--help"}) == kOk);
  CHECK(marchctl.Run({"--version"}) == kOk);
}

TEST_CASE("validate says what there is, or what is wrong, in text and JSON") {
  Marchctl marchctl;
  CHECK(marchctl.Run({"validate", "p.yaml"}) == kOk);
  CHECK(marchctl.out.str() == "p.yaml: valid, 1 service, 2 mappings in 1 file\n");
  CHECK(marchctl.err.str().empty());

  CHECK(marchctl.Run({"validate", "bad.yaml"}) == kInvalidPolicy);
  CHECK(marchctl.out.str().empty());
  CHECK(marchctl.err.str().starts_with("bad.yaml:3:1: error[M0203]: "));

  CHECK(marchctl.Run({"validate", "bad.yaml", "-o", "json"}) == kInvalidPolicy);
  const auto json = nlohmann::json::parse(marchctl.out.str());
  CHECK(json["format_version"] == 1);
  CHECK(json["diagnostics"][0]["code"] == "M0203");
  CHECK(json["diagnostics"][0]["place"]["line"] == 3);

  CHECK(marchctl.Run({"validate", "nowhere"}) == kFailed);
  CHECK(marchctl.err.str().starts_with("error[M0003]: there is no policy at nowhere\n"));
}

TEST_CASE("the bounds on a policy's texts are errors that can be moved") {
  Marchctl marchctl;
  marchctl.Write("d/a.yaml",
                 "apiVersion: march/v1\nkind: Policy\nmappings: { a: &a { ports: [1] }, b: *a }\n");
  marchctl.Write("d/b.yaml", "---\napiVersion: march/v1\nkind: Policy\nmappings: {}\n");
  CHECK(marchctl.Run({"validate", "d"}) == kOk);
  const std::vector<std::pair<std::string, std::string>> faults = {
      {"bytes=70",
       "error[M0004]: d/a.yaml is larger than 70 bytes\n"
       "  hint: split it into several files, or allow more: --limit bytes=N\n"},
      {"files=1",
       "error[M0004]: more than 1 files\n"
       "  hint: name the policy's own directory, or allow more: --limit files=N\n"},
      {"documents=1",
       "d/b.yaml:2:1: error[M0004]: more than 1 documents\n"
       " 2 | apiVersion: march/v1\n"
       "   | ^~~~~~~~~~\n"
       "  hint: split the policy, or allow more: --limit documents=N\n"},
      {"depth=3",
       "d/a.yaml:3:28: error[M0102]: more than 3 collections inside each other\n"
       " 3 | mappings: { a: &a { ports: [1] }, b: *a }\n"
       "   |                            ^\n"
       "  hint: a policy needs four; to allow more: --limit depth=N\n"},
      {"aliased=2",
       "d/a.yaml:3:38: error[M0004]: aliases stand for more than 2 values\n"
       " 3 | mappings: { a: &a { ports: [1] }, b: *a }\n"
       "   |                                      ^~\n"
       "  hint: write fewer of them, or allow more: --limit aliased=N\n"},
  };
  for (const auto& [limit, text] : faults) {
    CAPTURE(limit);
    CHECK(marchctl.Run({"validate", "d", "--limit", limit}) != kOk);
    CHECK(marchctl.err.str() == text);
  }
  CHECK(marchctl.Run({"validate", "d", "--limit", "depth=4", "--limit", "files=2", "--limit",
                      "documents=2", "--limit", "aliased=4", "--limit", "bytes=500"}) == kOk);
  CHECK(marchctl.Run({"validate", "d", "--limit", "width=4"}) == kUsage);
  CHECK(marchctl.err.str().find("there is no limit \"width\"; there are bytes, files, documents, "
                                "depth, value-bytes, aliased") != std::string::npos);
  for (const char* const text : {"depth", "depth=", "depth=0", "depth=401", "depth=4x"}) {
    CHECK(marchctl.Run({"validate", "d", "--limit", text}) == kUsage);
    CHECK(marchctl.err.str().find("write depth=N, with N from 1 to 400") != std::string::npos);
  }
}

TEST_CASE("file names that a terminal or a bundle cannot carry are refused, and shown in quotes") {
  Marchctl marchctl;
  marchctl.Write("d/a.yaml", kPolicy);
  marchctl.Write("d/x\n\x1B[2J.yaml", kPolicy);
  CHECK(marchctl.Run({"validate", "d"}) == kFailed);
  CHECK(marchctl.err.str().starts_with(
      "error[M0005]: a bundle cannot carry \"x\\x0a\\x1b[2J.yaml\": the path "));
}

TEST_CASE("explain names the deciding mapping, its place, and why others lost") {
  Marchctl marchctl;
  CHECK(marchctl.Run({"explain", "p.yaml", "tcp 1.2.3.4:5 > 10.0.0.1:80"}) == kOk);
  CHECK(
      marchctl.out.str() ==
      "flow     tcp 1.2.3.4:5 > 10.0.0.1:80\n"
      "verdict  allow\n"
      "mapping  http (p.yaml:6:3)\n"
      "comment  the shop\n"
      "path     fast: addresses, protocol and ports are all it takes, so the kernel decides (XDP)\n"
      "matched  all-web (p.yaml:7:3), allow: priority -1 is below 0\n");
  CHECK(marchctl.Run({"explain", "p.yaml", "udp 1.2.3.4:5 > 10.0.0.2:80", "-o", "json"}) == kOk);
  const auto json = nlohmann::json::parse(marchctl.out.str());
  CHECK(json["verdict"] == "deny");
  CHECK(json["mapping"].is_null());
  CHECK(json["also_matched"].empty());
  REQUIRE(json["near"].size() == 1);
  CHECK(json["near"][0]["name"] == "all-web");
  CHECK(json["near"][0]["text"] == "allows it to web");
  CHECK(marchctl.Run({"explain", "p.yaml", "udp 1.2.3.4:5 > 10.0.0.2:80"}) == kOk);
  CHECK(marchctl.out.str().ends_with("\nnear     all-web (p.yaml:7:3) allows it to web\n"));
  CHECK(marchctl.Run({"explain", "p.yaml", "tcp 1.2.3.4 > 10.0.0.256:80"}) == kUsage);
  CHECK(marchctl.err.str().starts_with(
      "FLOW:1:15: error[M0306]: neither an address nor a service\n"));
}

TEST_CASE("explain tells what a mapping under audit would do") {
  Marchctl marchctl;
  marchctl.Write(
      "a.yaml",
      "apiVersion: march/v1\nkind: Policy\nmappings:\n"
      "  all: {}\n  try: { protocols: [tcp], ports: [22], action: deny, audit: true }\n");
  CHECK(marchctl.Run({"explain", "a.yaml", "tcp 1.2.3.4:5 > 10.0.0.1:22"}) == kOk);
  CHECK(marchctl.out.str() ==
        "flow     tcp 1.2.3.4:5 > 10.0.0.1:22\n"
        "verdict  allow\n"
        "mapping  all (a.yaml:4:3)\n"
        "path     fast: addresses, protocol and ports are all it takes, so the kernel decides "
        "(XDP)\n"
        "audit    try (a.yaml:5:3) would deny it\n");
  CHECK(marchctl.Run({"explain", "a.yaml", "tcp 1.2.3.4:5 > 10.0.0.1:22", "-o", "json"}) == kOk);
  CHECK(nlohmann::json::parse(marchctl.out.str())["audit"]["name"] == "try");
  CHECK(marchctl.Run({"explain", "a.yaml", "tcp 1.2.3.4:5 > 10.0.0.1:23", "-o", "json"}) == kOk);
  CHECK(nlohmann::json::parse(marchctl.out.str())["audit"].is_null());
}

TEST_CASE("explain cuts a set of flows by who decides") {
  Marchctl marchctl;
  CHECK(marchctl.Run({"explain", "p.yaml", "tcp 10.9.0.0/16 > web:80-81"}) == kOk);
  CHECK(marchctl.out.str() ==
        "flows    tcp 10.9.0.0/16 > web:80-81\n"
        "\n"
        "verdict  allow, 50 % of these flows\n"
        "mapping  http (p.yaml:6:3)\n"
        "packets  tcp 10.9.0.0/16 > 10.0.0.1:80\n"
        "\n"
        "verdict  allow, 50 % of these flows\n"
        "mapping  all-web (p.yaml:7:3)\n"
        "packets  tcp 10.9.0.0/16 > 10.0.0.1:81\n");
  CHECK(marchctl.Run({"explain", "p.yaml", "icmp any > 10.0.0.2/31 type 3", "-o", "json"}) == kOk);
  const auto json = nlohmann::json::parse(marchctl.out.str());
  REQUIRE(json["regions"].size() == 1);
  CHECK(json["regions"][0] ==
        nlohmann::json({{"verdict", "deny"},
                        {"mapping", nullptr},
                        {"share", 1.0},
                        {"witness", "icmp 0.0.0.1 > 10.0.0.2 type 3"},
                        {"packets", {"icmp 0.0.0.0/0 > 10.0.0.2/31 type 3"}}}));
  CHECK(marchctl.Run({"explain", "p.yaml", "tcp wbe > any:80"}) == kUsage);
  CHECK(marchctl.err.str().find("hint: did you mean \"web\"?") != std::string::npos);
}

TEST_CASE("explain speaks of what cannot be enforced yet, and compile refuses it") {
  Marchctl marchctl;
  marchctl.Write("later.yaml",
                 "apiVersion: march/v1\n"
                 "kind: Policy\n"
                 "services:\n"
                 "  stripe: { fqdns: [api.stripe.com], addresses: [10.0.0.9] }\n"
                 "mappings:\n"
                 "  out: { to: [stripe], action: proxy }\n"
                 "  named: { to: [stripe], priority: 1, ports: [22] }\n");
  CHECK(marchctl.Run({"explain", "later.yaml", "tcp 1.2.3.4:5 > 10.0.0.9:80"}) == kOk);
  CHECK(marchctl.out.str().find("path     slow: its action is \"proxy\", so the proxy decides\n") !=
        std::string::npos);
  CHECK(marchctl.Run({"explain", "later.yaml", "tcp 1.2.3.4:5 > 10.0.0.9:22"}) == kOk);
  CHECK(marchctl.out.str().find(
            "path     slow: the service \"stripe\" has names, so the proxy decides\n") !=
        std::string::npos);
  CHECK(marchctl.Run({"validate", "later.yaml"}) == kOk);
  CHECK(marchctl.out.str() ==
        "later.yaml: valid, 1 service, 2 mappings in 1 file\n"
        "2 settings cannot be enforced by this version, and `compile` refuses them; the first: "
        "later.yaml:4:13\n");
  CHECK(marchctl.Run({"compile", "later.yaml", "--until", "tables", "--dump"}) == kInvalidPolicy);
  CHECK(marchctl.err.str().starts_with("later.yaml:4:13: error[M0214]: \"fqdns\" is part"));
}

const char* const kFaulty =
    "apiVersion: march/v1\n"
    "kind: Policy\n"
    "# ü, two bytes\n"
    "services: { w: { comment: \"ü\", adresses: [] } }\n"
    "mappings: { a: { to: [x], comment: \"100%: <a>\" } }\n"
    "---\n"
    "apiVersion: march/v1\n"
    "kind: Policy\n"
    "services: { w: { addresses: [] } }\n";

TEST_CASE("faults become SARIF results, whose fingerprints hold when lines move") {
  Marchctl marchctl;
  marchctl.Write("a b.yaml", kFaulty);
  CHECK(marchctl.Run({"validate", "a b.yaml", "-o", "sarif"}) == kInvalidPolicy);
  CHECK(marchctl.err.str().empty());
  const auto sarif = nlohmann::json::parse(marchctl.out.str());
  CHECK(sarif["version"] == "2.1.0");
  const auto& run = sarif["runs"][0];
  CHECK(run["tool"]["driver"]["name"] == "marchctl");
  CHECK(run["columnKind"] == "unicodeCodePoints");
  REQUIRE(run["results"].size() == 3);
  CHECK(run["tool"]["driver"]["rules"].size() == 3);
  CHECK(run["tool"]["driver"]["rules"][0]["id"] == "M0203");
  const auto& unknown = run["results"][0];
  CHECK(unknown["ruleId"] == "M0203");
  CHECK(unknown["level"] == "error");
  CHECK(unknown["message"]["text"] ==
        "a service has no key \"adresses\"\nhint: did you mean \"addresses\"?");
  CHECK(unknown["locations"] == nlohmann::json::parse(R"([{"physicalLocation": {
            "artifactLocation": {"uri": "a%20b.yaml", "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": 4, "startColumn": 32, "endLine": 4, "endColumn": 40}}}])"));
  const auto& twice = run["results"][2];
  CHECK(twice["ruleId"] == "M0301");
  CHECK(twice["relatedLocations"][0]["message"]["text"] == "first defined here");
  CHECK(twice["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 4);

  std::string moved = kFaulty;
  moved.insert(moved.find("#"), "# a new line\n\n");
  marchctl.Write("a b.yaml", moved);
  CHECK(marchctl.Run({"validate", "a b.yaml", "-o", "sarif"}) == kInvalidPolicy);
  const auto later = nlohmann::json::parse(marchctl.out.str())["runs"][0]["results"];
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(later[i]["partialFingerprints"] == run["results"][i]["partialFingerprints"]);
    CHECK(later[i]["locations"] != run["results"][i]["locations"]);
  }
  CHECK(later[0]["partialFingerprints"] != later[1]["partialFingerprints"]);
}

TEST_CASE("faults become annotations") {
  Marchctl marchctl;
  marchctl.Write("a,b.yaml", kFaulty);
  CHECK(marchctl.Run({"validate", "a,b.yaml", "-o", "github"}) == kInvalidPolicy);
  CHECK(
      marchctl.out.str() ==
      "::error file=a%2Cb.yaml,line=4,endLine=4,col=32,endColumn=39,title=M0203::a service has no "
      "key \"adresses\"%0Ahint: did you mean \"addresses\"?\n"
      "::error file=a%2Cb.yaml,line=5,endLine=5,col=23,endColumn=23,title=M0302::there is no "
      "service \"x\"%0Ahint: did you mean \"w\"?\n"
      "::error file=a%2Cb.yaml,line=9,endLine=9,col=13,endColumn=13,title=M0301::the service "
      "\"w\" is already defined%0Aa,b.yaml:4:13: first defined here%0Ahint: give one of them "
      "another name, or remove it\n");
  CHECK(marchctl.Run({"validate", "p.yaml", "-o", "github"}) == kOk);
  CHECK(marchctl.out.str().empty());
}

TEST_CASE("files become JUnit test cases") {
  Marchctl marchctl;
  marchctl.Write("d/good.yaml", "apiVersion: march/v1\nkind: Policy\n");
  marchctl.Write("d/bad.yaml", "apiVersion: march/v1\nkind: Policy\ncluster: \"<\\x01\"\n");
  CHECK(marchctl.Run({"validate", "d", "-o", "junit"}) == kInvalidPolicy);
  CHECK(marchctl.out.str() ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuite name=\"marchctl validate\" tests=\"2\" failures=\"1\">\n"
        "  <testcase name=\"d/bad.yaml\" classname=\"validate\">\n"
        "    <failure type=\"M0207\" message=\"&quot;&lt;\\x01&quot; cannot be a cluster "
        "name\">d/bad.yaml:3:10: error[M0207]: &quot;&lt;\\x01&quot; cannot be a cluster name&#10; "
        "3 | "
        "cluster: &quot;&lt;\\x01&quot;&#10;   |          ^~~~~~~&#10;  hint: a name begins with a "
        "letter "
        "or digit and goes on with letters, digits, &quot;.&quot;, &quot;_&quot; and "
        "&quot;-&quot;&#10;</failure>\n"
        "  </testcase>\n"
        "  <testcase name=\"d/good.yaml\" classname=\"validate\"/>\n"
        "</testsuite>\n");
  CHECK(marchctl.Run({"validate", "nowhere", "-o", "junit"}) == kFailed);
  CHECK(marchctl.out.str().find("<testcase name=\"nowhere\"") != std::string::npos);
}

class Tested : public Marchctl {
 public:
  Tested() {
    Write("t.yaml",
          "apiVersion: march/v1\n"
          "kind: PolicyTest\n"
          "tests:\n"
          "  - { name: the shop, flow: \"tcp any > web:80\", expect: allow, mapping: http }\n"
          "  - { name: \"a <b> #1\", flow: \"tcp any > web\", expect: allow, mapping: all-web }\n"
          "  - { name: nothing else, flow: \"any any > 10.0.0.2\", expect: deny }\n");
  }
};

TEST_CASE("a test fails when one of its flows fares otherwise, and shows it") {
  Tested marchctl;
  CHECK(marchctl.Run({"test", "p.yaml", "t.yaml"}) == kTestsFailed);
  CHECK(marchctl.out.str() ==
        "FAILED a <b> #1 (t.yaml:5:31)\n"
        "  flow      tcp any > web\n"
        "  expected  allow by all-web\n"
        "  got       allow by http (p.yaml:6:3)\n"
        "  for       tcp 0.0.0.1:40000 > 10.0.0.1:80\n"
        "2 passed, 1 failed\n");
  CHECK(marchctl.Run({"test", "p.yaml", "t.yaml", "-o", "tap"}) == kTestsFailed);
  CHECK(marchctl.out.str() ==
        "TAP version 13\n"
        "1..3\n"
        "ok 1 - the shop\n"
        "not ok 2 - a <b>  1\n"
        "# t.yaml:5:31: expected allow by all-web, got allow by http (p.yaml:6:3) for tcp "
        "0.0.0.1:40000 > 10.0.0.1:80\n"
        "ok 3 - nothing else\n");
  CHECK(marchctl.Run({"test", "p.yaml", "t.yaml", "-o", "junit"}) == kTestsFailed);
  CHECK(marchctl.out.str() ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuite name=\"policy\" tests=\"3\" failures=\"1\">\n"
        "  <testcase name=\"the shop\" classname=\"t.yaml\" file=\"t.yaml\" line=\"4\"/>\n"
        "  <testcase name=\"a &lt;b&gt; #1\" classname=\"t.yaml\" file=\"t.yaml\" line=\"5\">\n"
        "    <failure message=\"expected allow by all-web, got allow by http (p.yaml:6:3) for tcp "
        "0.0.0.1:40000 &gt; 10.0.0.1:80\">tcp any &gt; web</failure>\n"
        "  </testcase>\n"
        "  <testcase name=\"nothing else\" classname=\"t.yaml\" file=\"t.yaml\" line=\"6\"/>\n"
        "</testsuite>\n");
}

TEST_CASE("coverage and mutation are measured, and can be demanded") {
  Tested marchctl;
  marchctl.Write("some.yaml",
                 "apiVersion: march/v1\n"
                 "kind: PolicyTest\n"
                 "tests: [{ name: the shop, flow: \"tcp 0.0.0.0/1 > web:80\", expect: allow }]\n");
  CHECK(marchctl.Run({"test", "p.yaml", "some.yaml", "--coverage"}) == kOk);
  CHECK(marchctl.out.str() ==
        "1 passed, 0 failed\n"
        "\n"
        "coverage: 1 of 2 mappings (50 %), 2.96e-14 % of all packets\n"
        "mapping    of its packets      place\n"
        "http       50 %                p.yaml:6:3\n"
        "all-web    no test touches it  p.yaml:7:3\n"
        "(default)  no test touches it\n");
  CHECK(marchctl.Run({"test", "p.yaml", "some.yaml", "--min-coverage", "50"}) == kOk);
  CHECK(marchctl.Run({"test", "p.yaml", "some.yaml", "--min-coverage", "50.1"}) == kTestsFailed);
  CHECK(marchctl.err.str() == "marchctl: coverage is 50.0 %, below the 50.1 % demanded\n");
  CHECK(marchctl.Run({"test", "p.yaml", "some.yaml", "--mutate", "-o", "json"}) == kOk);
  const auto json = nlohmann::json::parse(marchctl.out.str());
  // Dropping "http" changes no verdict: "all-web" allows the same.
  const nlohmann::json changes = json["mutation"]["changes"];
  REQUIRE(changes.size() == 5);
  CHECK(changes[0]["change"] == "make it deny");
  CHECK(changes[0]["noticed"] == true);
  CHECK(changes[1]["change"] == "widen its destinations by a bit");
  CHECK(changes[1]["noticed"] == false);
  CHECK(changes[1]["witness"] == "tcp 0.0.0.1:40000 > 10.0.0.0:80");
  CHECK(json["mutation"]["score"] == 0.2);
  CHECK(marchctl.Run({"test", "p.yaml", "some.yaml", "--min-mutation", "21"}) == kTestsFailed);
}

TEST_CASE("tests that are not there have not passed") {
  Tested marchctl;
  CHECK(marchctl.Run({"test", "p.yaml"}) == kFailed);
  CHECK(marchctl.err.str().starts_with("error[M0006]: there are no tests in p.yaml\n"));
  CHECK(marchctl.Run({"test", "p.yaml", "nowhere.yaml"}) == kFailed);
  CHECK(marchctl.Run({"test", "bad.yaml", "t.yaml"}) == kInvalidPolicy);
  marchctl.Write("broken.yaml", "apiVersion: march/v1\nkind: PolicyTest\ntests: }\n");
  CHECK(marchctl.Run({"test", "p.yaml", "broken.yaml"}) == kInvalidPolicy);
  CHECK(marchctl.err.str() ==
        "broken.yaml:3:8: error[M0101]: this bracket closes nothing\n"
        " 3 | tests: }\n"
        "   |        ^\n"
        "  hint: remove it, or add the opening bracket\n");
}

TEST_CASE("init writes a repository that passes its own checks, and overwrites nothing") {
  Marchctl marchctl;
  CHECK(marchctl.Run({"init", "new"}) == kOk);
  CHECK(marchctl.out.str().find("new/policy/tests.yaml\n") != std::string::npos);
  CHECK(marchctl.out.str().find("new/.github/workflows/policy.yaml\n") != std::string::npos);
  CHECK(marchctl.Run({"validate", "new/policy"}) == kOk);
  CHECK(marchctl.Run({"lint", "new/policy"}) == kOk);
  CHECK(marchctl.Run({"test", "new/policy", "--min-coverage", "100", "--min-mutation", "90"}) ==
        kOk);
  CHECK(marchctl.Run({"compile", "new/policy", "--until", "tables", "--dump"}) == kOk);

  marchctl.Write("half/README.md", "mine");
  CHECK(marchctl.Run({"init", "half"}) == kFailed);
  CHECK(marchctl.err.str() ==
        "error[M0002]: half/README.md is there already\n"
        "  hint: name an empty directory, or move it away\n");
  CHECK(*marchctl.files.List("half") == std::vector<std::string>{"README.md"});
  CHECK(*marchctl.files.Read("half/README.md", 100) == "mine");
}

TEST_CASE("schema prints what editors need") {
  Marchctl marchctl;
  CHECK(marchctl.Run({"schema"}) == kOk);
  CHECK(nlohmann::json::parse(marchctl.out.str())["properties"]["kind"]["const"] == "Policy");
  CHECK(marchctl.Run({"schema", "policytest"}) == kOk);
  CHECK(nlohmann::json::parse(marchctl.out.str())["properties"]["kind"]["const"] == "PolicyTest");
  CHECK(marchctl.Run({"schema", "nothing"}) == kUsage);
}

TEST_CASE("fmt rewrites what is laid out otherwise, and touches nothing that does not parse") {
  Marchctl marchctl;
  const std::string ragged =
      "apiVersion:   march/v1\nkind: Policy\nservices: {web: {addresses: [10.0.0.1]}} # one\n";
  const std::string neat =
      "apiVersion: march/v1\nkind: Policy\nservices: { web: { addresses: [10.0.0.1] } }  # one\n";
  marchctl.Write("d/a.yaml", ragged);
  marchctl.Write("d/b.yaml", neat);
  CHECK(marchctl.Run({"fmt", "--check", "d"}) == kFailed);
  CHECK(marchctl.out.str() == "d/a.yaml:1: not in the canonical layout\n");
  CHECK(*marchctl.files.Read("d/a.yaml", 1000) == ragged);

  CHECK(marchctl.Run({"fmt", "d"}) == kOk);
  CHECK(marchctl.out.str() == "d/a.yaml\n");
  CHECK(*marchctl.files.Read("d/a.yaml", 1000) == neat);
  CHECK(marchctl.Run({"fmt", "--check", "d"}) == kOk);
  CHECK(marchctl.out.str().empty());

  const std::string broken = "a:   [1\n";
  marchctl.Write("d/c.yaml", broken);
  marchctl.Write("d/d.yaml", ragged);
  CHECK(marchctl.Run({"fmt", "d"}) == kInvalidPolicy);
  CHECK(marchctl.err.str().starts_with("d/c.yaml:"));
  CHECK(*marchctl.files.Read("d/c.yaml", 1000) == broken);
  CHECK(*marchctl.files.Read("d/d.yaml", 1000) == neat);

  marchctl.in.str(ragged);
  CHECK(marchctl.Run({"fmt", "-"}) == kOk);
  CHECK(marchctl.out.str() == neat);
  marchctl.in.clear();
  marchctl.in.str(ragged);
  CHECK(marchctl.Run({"fmt", "--check", "-"}) == kFailed);
  CHECK(marchctl.out.str() == "<stdin>:1: not in the canonical layout\n");

  CHECK(marchctl.Run({"fmt", "x.march"}) == kFailed);
  CHECK(marchctl.err.str() ==
        "error[M0002]: x.march is a bundle, whose files are signed as they are\n"
        "  hint: format the policy that it is made of\n");
}

TEST_CASE("lint ends with 4 when it finds something") {
  Marchctl marchctl;
  const std::string clean =
      "apiVersion: march/v1\n"
      "kind: Policy\n"
      "services: { web: { addresses: [10.0.0.1] } }\n"
      "mappings:\n"
      "  http: { to: [web], protocols: [tcp], ports: [80] }\n";
  marchctl.Write("clean.yaml", clean);
  CHECK(marchctl.Run({"lint", "clean.yaml"}) == kOk);
  CHECK(marchctl.out.str() == "clean.yaml: nothing to complain about\n");
  marchctl.Write("twice.yaml",
                 clean + "  again: { to: [web], protocols: [tcp], ports: [80] , priority: -2 }\n");
  CHECK(marchctl.Run({"lint", "twice.yaml"}) == kTestsFailed);
  CHECK(marchctl.err.str().starts_with(
      "twice.yaml:6:3: warning[M0801]: the mapping \"again\" decides no packet\n"));
  CHECK(marchctl.Run({"lint", "twice.yaml", "-o", "json"}) == kTestsFailed);
  CHECK(nlohmann::json::parse(marchctl.out.str())["diagnostics"][0]["code"] == "M0801");
  CHECK(marchctl.Run({"lint", "bad.yaml"}) == kInvalidPolicy);
}

TEST_CASE("replay answers every flow in order, by model and by tables") {
  Marchctl marchctl;
  marchctl.Write("flows.csv",
                 "proto,src,sport,dst,dport\n"
                 "tcp,1.2.3.4,5,10.0.0.1,80\n"
                 "udp,1.2.3.4,5,10.0.0.1,80\r\n"
                 "icmp,1.2.3.4,,10.0.0.2,\n"
                 "tcp,2001:db8::1,5,2001:db8::2,80");
  for (const std::string engine : {"model", "tables"}) {
    CHECK(marchctl.Run({"replay", "p.yaml", "flows.csv", "--engine", engine}) == kOk);
    CHECK(marchctl.out.str() == "allow,http\nallow,all-web\ndeny,-\ndeny,-\n");
  }
}

TEST_CASE("replay tells all that is wrong with a file, and answers nothing") {
  Marchctl marchctl;
  marchctl.Write("flows.csv",
                 "tcp,1.2.3.4,5,10.0.0.1\n"
                 "tcq,1.2.3.4,5,10.0.0.1,80\n"
                 "tcp,1.2.3,5,10.0.0.1,80\n"
                 "tcp,1.2.3.4,5,2001:db8::1,80\n"
                 "tcp,1.2.3.4,65536,10.0.0.1,80\n"
                 "47,1.2.3.4,,10.0.0.1,80\n"
                 "44,2001:db8::1,,2001:db8::2,\n");
  CHECK(marchctl.Run({"replay", "p.yaml", "flows.csv"}) == kFailed);
  CHECK(marchctl.out.str().empty());
  const std::string errors = marchctl.err.str();
  for (const char* const part :
       {"flows.csv:1:1: error[M0306]: a flow has 5 fields, this line has 4",
        "flows.csv:2:1: error[M0306]: not a protocol",
        "flows.csv:3:5: error[M0306]: not an IP address",
        "flows.csv:4:15: error[M0306]: source and destination are of different families",
        "flows.csv:5:13: error[M0306]: not a port (0 to 65535)",
        "flows.csv:6:22: error[M0306]: this protocol has no ports; leave the field empty",
        "flows.csv:7:1: error[M0306]: an IPv6 extension header, never a packet's protocol"}) {
    INFO(part);
    CHECK(errors.find(part) != std::string::npos);
  }
}

TEST_CASE("keys are made once, and bundles signed by them verify") {
  Marchctl marchctl;
  CHECK(marchctl.Run({"key", "generate", "-o", "k"}) == kOk);
  CHECK(marchctl.Run({"key", "generate", "-o", "k"}) == kFailed);
  CHECK(marchctl.err.str().find("k exists; a key is never replaced") != std::string::npos);
  CHECK(marchctl.Run({"key", "generate", "-o", "other"}) == kOk);

  CHECK(marchctl.Run({"compile", "p.yaml", "--key", "k", "--serial", "9", "-o", "p.march"}) == kOk);
  CHECK(marchctl.err.str().empty());
  CHECK(marchctl.Run({"bundle", "verify", "p.march", "--key", "k.pub"}) == kOk);
  CHECK(marchctl.out.str().starts_with("p.march: good, cluster default, serial 9, policy "));
  CHECK(marchctl.Run({"bundle", "verify", "p.march", "--key", "other.pub"}) == kRefused);
  CHECK(marchctl.Run({"bundle", "verify", "p.march", "--key", "k.pub", "--cluster", "x"}) ==
        kRefused);
  CHECK(marchctl.Run({"bundle", "verify", "p.march", "--key", "k"}) == kRefused);

  // A bundle is a policy too, and gives the same bundle again.
  CHECK(marchctl.Run({"compile", "p.march", "--key", "k", "--serial", "9", "-o", "q.march"}) ==
        kOk);
  CHECK(*marchctl.files.Read("p.march", 1 << 24) == *marchctl.files.Read("q.march", 1 << 24));

  CHECK(marchctl.Run({"compile", "p.yaml", "-o", "u.march"}) == kOk);
  CHECK(marchctl.err.str().find("u.march is not signed") != std::string::npos);
  CHECK(marchctl.Run({"bundle", "verify", "u.march", "--key", "k.pub"}) == kRefused);
  CHECK(marchctl.Run({"bundle", "inspect", "u.march"}) == kOk);
  CHECK(marchctl.out.str().find("signatures      none\n") != std::string::npos);
}

TEST_CASE("compile reports what a packet costs, and refuses what the verifier would") {
  Marchctl marchctl;
  CHECK(marchctl.Run({"compile", "p.yaml", "--report"}) == kOk);
  CHECK(marchctl.err.str().empty());
  const std::string text = marchctl.out.str();
  CHECK(text.starts_with("IPv4\n  sources  "));
  // Loaded, or why not.
  const bool loaded = text.find("\nkernel            Linux ") != std::string::npos;
  const std::string refused = "\nkernel            not loaded: cannot load XDP programs: ";
  CHECK(loaded != (text.find(refused) != std::string::npos));

  CHECK(marchctl.Run({"compile", "p.yaml", "--report=json", "-o", "r.march"}) == kOk);
  const auto json = nlohmann::json::parse(marchctl.out.str());
  CHECK(json["format_version"] == 1);
  CHECK(json["families"].size() == 2);
  CHECK(json["program"]["instructions"] > 100);
  CHECK(json["verifier"]["allowed"] == 1000000);
  CHECK(json["kernel"]["loaded"] == loaded);
  if (loaded && !json["kernel"]["verified_instructions"].is_null()) {
    CHECK(json["kernel"]["verified_instructions"] <= json["verifier"]["estimate"]);
    CHECK(json["kernel"]["verified_instructions"] > json["program"]["instructions"]);
  }
  CHECK(marchctl.files.KindOf("r.march") == FileTree::Kind::kFile);

  CHECK(marchctl.Run({"compile", "p.yaml", "--report=xml"}) == kUsage);
  CHECK(marchctl.Run({"compile", "p.yaml", "--report", "--until", "tables"}) == kUsage);
  CHECK(marchctl.Run({"compile", "p.yaml", "--max-verified", "0", "--report"}) == kUsage);
  CHECK(marchctl.Run({"compile", "p.yaml", "--max-verified", "500", "--report"}) == kInvalidPolicy);
  CHECK(marchctl.out.str().empty());
  CHECK(marchctl.err.str().find("error[M0404]: the kernel's verifier could look at ") !=
        std::string::npos);
}

TEST_CASE("compile stops where it is told, and a faulty policy writes nothing") {
  Marchctl marchctl;
  CHECK(marchctl.Run({"compile", "p.yaml", "--until", "rules", "--dump"}) == kOk);
  CHECK(marchctl.out.str().starts_with("rules 2, default deny\n"));
  CHECK(marchctl.Run({"compile", "bad.yaml", "-o", "b.march"}) == kInvalidPolicy);
  CHECK(marchctl.files.KindOf("b.march") == FileSystem::Kind::kNothing);
  CHECK(marchctl.Run({"compile", "p.yaml", "--max-table-bytes", "100", "-o", "b.march"}) ==
        kInvalidPolicy);
  CHECK(marchctl.err.str().find("error[M0401]") != std::string::npos);
}

TEST_CASE("compile proves what it is asked to, and the bundle says what was proved") {
  Marchctl marchctl;
  CHECK(marchctl.Run({"compile", "p.yaml", "-o", "plain.march"}) == kOk);
  CHECK(marchctl.Run({"bundle", "inspect", "plain.march"}) == kOk);
  CHECK(marchctl.out.str().find("proof           none\n") != std::string::npos);
  CHECK(marchctl.out.str().find("proof.json") == std::string::npos);

  CHECK(marchctl.Run({"compile", "--prove=tables", "p.yaml", "-o", "proved.march"}) == kOk);
  CHECK(marchctl.err.str().find("marchctl: proved ") != std::string::npos);
  CHECK(marchctl.err.str().find("no packet through the kernel") != std::string::npos);
  const auto read = bundle::Read(*marchctl.files.Read("proved.march", std::uint64_t{1} << 30));
  REQUIRE(read);
  REQUIRE(read->proof);
  CHECK_FALSE(read->proof->in_kernel);
  CHECK(read->proof->cells() == 10);
  CHECK(marchctl.err.str().find(read->proof->digest) != std::string::npos);
  CHECK(marchctl.Run({"bundle", "inspect", "proved.march"}) == kOk);
  CHECK(marchctl.out.str().find(read->proof->digest) != std::string::npos);

  CHECK(marchctl.Run({"compile", "p.yaml", "--prove=tables", "-o", "again.march"}) == kOk);
  CHECK(*marchctl.files.Read("again.march", std::uint64_t{1} << 30) ==
        *marchctl.files.Read("proved.march", std::uint64_t{1} << 30));
}

TEST_CASE("compile refuses a proof that there cannot be") {
  Marchctl marchctl;
  CHECK(marchctl.Run({"compile", "p.yaml", "--prove=hope", "-o", "x.march"}) == kUsage);
  CHECK(marchctl.Run({"compile", "p.yaml", "--prove", "--until", "tables", "--dump"}) == kUsage);
  CHECK(marchctl.Run({"compile", "p.yaml", "--prove=tables", "--max-proof-cells", "9", "-o",
                      "x.march"}) == kInvalidPolicy);
  CHECK(marchctl.err.str().find("error[M0403]") != std::string::npos);
  CHECK(marchctl.files.KindOf("x.march") == FileSystem::Kind::kNothing);
}

TEST_CASE("apply needs a key for a policy, and a target that is there") {
  Marchctl marchctl;
  CHECK(marchctl.Run({"apply", "p.yaml", "--target", "unix:/nonexistent/s"}) == kRefused);
  CHECK(marchctl.err.str().find("a gateway accepts signed bundles only") != std::string::npos);
  CHECK(marchctl.Run({"key", "generate", "-o", "k"}) == kOk);
  CHECK(marchctl.Run({"apply", "p.yaml", "--key", "k", "--target", "unix:/nonexistent/s"}) ==
        kFailed);
  CHECK(marchctl.err.str().find("error[M0701]") != std::string::npos);
}

TEST_CASE("the gravest error decides the exit code") {
  const Diagnostic failed = MakeDiagnostic(Code::kCannotRead, {}, "");
  const Diagnostic invalid = MakeDiagnostic(Code::kUnknownKey, {}, "");
  const Diagnostic refused = MakeDiagnostic(Code::kBundleUnsigned, {}, "");
  const Diagnostic warning = MakeDiagnostic(Code::kNoCommonFamily, {}, "");
  CHECK(ExitCodeOf({}) == kOk);
  CHECK(ExitCodeOf({warning}) == kOk);
  CHECK(ExitCodeOf({failed, warning}) == kFailed);
  CHECK(ExitCodeOf({invalid, failed}) == kInvalidPolicy);
  CHECK(ExitCodeOf({failed, refused, invalid}) == kRefused);
  const Diagnostic disproved = MakeDiagnostic(Code::kProofFailed, {}, "");
  CHECK(ExitCodeOf({disproved}) == kTestsFailed);
  CHECK(ExitCodeOf({failed, disproved}) == kTestsFailed);
  CHECK(ExitCodeOf({MakeDiagnostic(Code::kProofTooLarge, {}, "")}) == kInvalidPolicy);
}

TEST_CASE("columns line up, numbers to the right") {
  CHECK(AlignColumns({{"A", "N"}, {"long", "7"}, {"x", "123"}}) ==
        "A       N\nlong    7\nx     123\n");
}

TEST_CASE("quantities for people") {
  CHECK(HumanBytes(0) == "0 B");
  CHECK(HumanBytes(999) == "999 B");
  CHECK(HumanBytes(1000) == "1.0 kB");
  CHECK(HumanBytes(9999) == "9.9 kB");
  CHECK(HumanBytes(10'000) == "10 kB");
  CHECK(HumanBytes(999'999) == "999 kB");
  CHECK(HumanBytes(1'250'000) == "1.2 MB");
  CHECK(HumanBytes(~0ULL) == "18 EB");
  CHECK(HumanDuration(-1) == "0s");
  CHECK(HumanDuration(59.9) == "59s");
  CHECK(HumanDuration(60) == "1m00s");
  CHECK(HumanDuration(185) == "3m05s");
  CHECK(HumanDuration(7440) == "2h04m");
  CHECK(HumanDuration(86400 * 5 + 3600 * 3) == "5d03h");
  CHECK(Grouped(0) == "0");
  CHECK(Grouped(999) == "999");
  CHECK(Grouped(1000) == "1,000");
  CHECK(Grouped(1234567) == "1,234,567");
}

TEST_CASE("flows refuses what no gateway could answer, before it asks one") {
  Marchctl marchctl;
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"flows", "--target", "unix:/nowhere/control.sock"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return marchctl.Run(arguments);
  };
  CHECK(run({}) == kFailed);
  CHECK(run({"list", "--source", "10.0.0.0/8", "--destination", "2001:db8::/32", "--port", "443",
             "--protocol", "47", "--mapping", "web", "--state", "closing", "--sort", "age",
             "--limit", "7"}) == kFailed);
  CHECK(marchctl.err.str().find("cannot reach unix:/nowhere/control.sock") != std::string::npos);
  CHECK(run({"cut"}) == kUsage);
  CHECK(marchctl.err.str() ==
        "marchctl flows: say which connections to cut, by --source, --destination, --port, "
        "--protocol, --mapping or --state\n");
  CHECK(run({"count", "--limit", "5"}) == kUsage);
  CHECK(marchctl.err.str() == "marchctl flows: --limit and --sort go with list\n");
  CHECK(run({"cut", "--port", "80", "--sort", "age"}) == kUsage);
  CHECK(run({"cut", "--port", "80"}) == kFailed);
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"lsit"},
                                             {"--source", "web"},
                                             {"--source", "10.0.0.0/33"},
                                             {"--destination", "::/"},
                                             {"--destination", "::/1299"},
                                             {"--port", "65536"},
                                             {"--protocol", "256"},
                                             {"--protocol", "TCP"},
                                             {"--state", "open"},
                                             {"--sort", "size"},
                                             {"--limit", "0"},
                                             {"--limit", "10001"}}) {
    CAPTURE(wrong);
    CHECK(run(wrong) == kUsage);
  }
  CHECK(marchctl.Run({"flows"}) == kUsage);
}

TEST_CASE("durations as they are given") {
  CHECK(ReadDuration("90s") == 90);
  CHECK(ReadDuration("10m") == 600);
  CHECK(ReadDuration("2h") == 7200);
  CHECK(ReadDuration("1d") == 86400);
  for (const char* text : {"", "s", "10", "10w", "-1s", " 1s", "1.5h", "1h30m",
                           "99999999999999999999s", "1000000000000000d"}) {
    CAPTURE(text);
    CHECK_FALSE(ReadDuration(text));
  }
}

TEST_CASE("the block list's verbs know what they are given") {
  Marchctl marchctl;
  marchctl.Write("list.txt", "192.0.2.1\n");
  const auto run = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "block");
    words.insert(words.end(), {"--target", "unix:/nowhere/control.sock"});
    return marchctl.Run(words);
  };
  for (const std::vector<std::string>& good :
       std::vector<std::vector<std::string>>{{"add", "192.0.2.1", "2001:db8::/32"},
                                             {"add", "192.0.2.1", "--for", "10m", "--comment", "x"},
                                             {"del", "192.0.2.1"},
                                             {"del", "--all"},
                                             {"list"},
                                             {"list", "192.0.2.1", "-o", "json"},
                                             {"import", "list.txt", "--for", "1d"},
                                             {"import", "-"}}) {
    CAPTURE(good);
    CHECK(run(good) == kFailed);
    CHECK(marchctl.err.str().find("cannot reach unix:/nowhere/control.sock") != std::string::npos);
  }
  CHECK(run({"import", "nothing.txt"}) == kFailed);
  CHECK(marchctl.err.str().find("nothing.txt") != std::string::npos);
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{},
                                             {"add"},
                                             {"add", "web"},
                                             {"add", "192.0.2.1?x"},
                                             {"add", "192.0.2.1", "--for", "10"},
                                             {"add", "192.0.2.1", "--for", "0s"},
                                             {"del"},
                                             {"del", "192.0.2.1", "--all"},
                                             {"list", "192.0.2.1", "192.0.2.2"},
                                             {"import"},
                                             {"drop", "192.0.2.1"}}) {
    CAPTURE(wrong);
    CHECK(run(wrong) == kUsage);
  }
}

}  // namespace
}  // namespace march::cli
