#include "cli/output/test_report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/output/report.h"
#include "cli/output/xml.h"

namespace march::cli {
namespace {

using nlohmann::json;
using policytest::Failure;
using policytest::Mutant;
using policytest::TestCase;

std::string Percent(double share) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.4g %%", share * 100);
  return text.data();
}

const ruleset::Rule& RuleAt(const TestReport& report, std::uint32_t index) {
  return report.compilation.rules->rules[index];
}

std::string Wanted(const TestReport& report, const TestCase& test) {
  std::string text(ActionName(test.expect));
  if (test.mapping) text += " by " + report.compilation.policy->mappings[*test.mapping].name;
  return text;
}

std::string Got(const TestReport& report, const Failure& failure) {
  const std::string verdict(ActionName(failure.verdict));
  if (!failure.rule) return verdict + " by defaults.action";
  const ruleset::Rule& rule = RuleAt(report, *failure.rule);
  return verdict + " by " + rule.name + " (" + rule.place.ToString() + ")";
}

std::string Reason(const TestReport& report, const TestCase& test, const Failure& failure) {
  return "expected " + Wanted(report, test) + ", got " + Got(report, failure) + " for " +
         failure.witness.ToString();
}

void PrintCoverage(const TestReport& report, std::ostream& out) {
  const auto& coverage = *report.coverage;
  out << "\ncoverage: " << coverage.touched << " of " << coverage.rules.size() << " mappings ("
      << Percent(coverage.rule_share()) << "), " << Percent(coverage.space_share)
      << " of all packets\n";
  std::vector<std::vector<std::string>> rows = {{"mapping", "of its packets", "place"}};
  for (const auto& rule : coverage.rules) {
    rows.push_back({RuleAt(report, rule.rule).name,
                    rule.share > 0 ? Percent(rule.share) : "no test touches it",
                    RuleAt(report, rule.rule).place.ToString()});
  }
  rows.push_back({"(default)", coverage.default_share > 0 ? Percent(coverage.default_share)
                                                          : "no test touches it"});
  out << AlignColumns(rows);
}

void PrintMutants(const TestReport& report, std::ostream& out) {
  const auto& mutants = *report.mutants;
  const auto noticed = std::count_if(mutants.begin(), mutants.end(),
                                     [](const Mutant& mutant) { return mutant.noticed; });
  out << "\nmutation: the tests notice " << noticed << " of " << mutants.size() << " changes ("
      << Percent(report.mutation_score()) << ")\n";
  for (const Mutant& mutant : mutants) {
    if (mutant.noticed) continue;
    const ruleset::Rule& rule = RuleAt(report, mutant.rule);
    out << "not noticed: " << rule.name << " (" << rule.place.ToString()
        << "): " << Describe(mutant.change, rule) << ", which changes the verdict on "
        << mutant.witness->ToString() << "\n";
  }
}

void PrintText(const TestReport& report, std::ostream& out) {
  for (std::size_t i = 0; i < report.tests.size(); ++i) {
    const TestCase& test = report.tests[i];
    if (!report.failures[i]) continue;
    out << "FAILED " << test.name << " (" << test.place.ToString() << ")\n"
        << "  flow      " << test.flow << "\n"
        << "  expected  " << Wanted(report, test) << "\n"
        << "  got       " << Got(report, *report.failures[i]) << "\n"
        << "  for       " << report.failures[i]->witness.ToString() << "\n";
  }
  out << report.tests.size() - report.failed() << " passed, " << report.failed() << " failed\n";
  if (report.coverage) PrintCoverage(report, out);
  if (report.mutants) PrintMutants(report, out);
}

json CoverageJson(const TestReport& report) {
  json rules = json::array();
  for (const auto& rule : report.coverage->rules) {
    rules.push_back({{"mapping", RuleAt(report, rule.rule).name},
                     {"place", RuleAt(report, rule.rule).place.ToString()},
                     {"share", rule.share}});
  }
  return {{"mappings", std::move(rules)},
          {"touched", report.coverage->touched},
          {"mapping_share", report.coverage->rule_share()},
          {"default_share", report.coverage->default_share},
          {"space_share", report.coverage->space_share}};
}

json MutantsJson(const TestReport& report) {
  json list = json::array();
  for (const Mutant& mutant : *report.mutants) {
    const ruleset::Rule& rule = RuleAt(report, mutant.rule);
    list.push_back({{"mapping", rule.name},
                    {"place", rule.place.ToString()},
                    {"change", Describe(mutant.change, rule)},
                    {"noticed", mutant.noticed},
                    {"witness", mutant.witness->ToString()}});
  }
  return {{"score", report.mutation_score()}, {"changes", std::move(list)}};
}

void PrintJson(const TestReport& report, std::ostream& out) {
  json tests = json::array();
  for (std::size_t i = 0; i < report.tests.size(); ++i) {
    const TestCase& test = report.tests[i];
    json entry = {{"name", test.name},
                  {"place", test.place.ToString()},
                  {"flow", test.flow},
                  {"expect", ActionName(test.expect)},
                  {"passed", !report.failures[i]}};
    if (report.failures[i]) {
      entry["verdict"] = ActionName(report.failures[i]->verdict);
      entry["witness"] = report.failures[i]->witness.ToString();
      entry["reason"] = Reason(report, test, *report.failures[i]);
    }
    tests.push_back(std::move(entry));
  }
  json document = {{"format_version", 1},
                   {"tests", std::move(tests)},
                   {"passed", report.tests.size() - report.failed()},
                   {"failed", report.failed()}};
  if (report.coverage) document["coverage"] = CoverageJson(report);
  if (report.mutants) document["mutation"] = MutantsJson(report);
  out << document.dump(2, ' ', false, json::error_handler_t::replace) << "\n";
}

void PrintJunit(const TestReport& report, std::ostream& out) {
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      << "<testsuite name=\"policy\" tests=\"" << report.tests.size() << "\" failures=\""
      << report.failed() << "\">\n";
  for (std::size_t i = 0; i < report.tests.size(); ++i) {
    const TestCase& test = report.tests[i];
    out << "  <testcase name=" << XmlAttribute(test.name)
        << " classname=" << XmlAttribute(test.place.source->name())
        << " file=" << XmlAttribute(test.place.source->name()) << " line=\""
        << test.place.source->PositionOf(test.place.begin).line << "\"";
    if (!report.failures[i]) {
      out << "/>\n";
      continue;
    }
    out << ">\n    <failure message=" << XmlAttribute(Reason(report, test, *report.failures[i]))
        << ">" << XmlText(test.flow) << "</failure>\n  </testcase>\n";
  }
  out << "</testsuite>\n";
}

// One line, without what would mean something to a reader of TAP.
std::string TapText(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return c == '\n' || c == '#'; }, ' ');
  return text;
}

void PrintTap(const TestReport& report, std::ostream& out) {
  out << "TAP version 13\n1.." << report.tests.size() << "\n";
  for (std::size_t i = 0; i < report.tests.size(); ++i) {
    const TestCase& test = report.tests[i];
    out << (report.failures[i] ? "not ok " : "ok ") << i + 1 << " - " << TapText(test.name) << "\n";
    if (report.failures[i]) {
      out << "# " << test.place.ToString() << ": "
          << TapText(Reason(report, test, *report.failures[i])) << "\n";
    }
  }
}

}  // namespace

std::size_t TestReport::failed() const {
  return static_cast<std::size_t>(std::count_if(
      failures.begin(), failures.end(), [](const auto& failure) { return failure.has_value(); }));
}

double TestReport::mutation_score() const {
  if (!mutants || mutants->empty()) return 1;
  const auto noticed = std::count_if(mutants->begin(), mutants->end(),
                                     [](const Mutant& mutant) { return mutant.noticed; });
  return static_cast<double>(noticed) / static_cast<double>(mutants->size());
}

void Print(const TestReport& report, const std::string& format, std::ostream& out) {
  if (format == "json") return PrintJson(report, out);
  if (format == "junit") return PrintJunit(report, out);
  if (format == "tap") return PrintTap(report, out);
  PrintText(report, out);
}

}  // namespace march::cli
