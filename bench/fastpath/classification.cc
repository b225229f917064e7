#include "bench/fastpath/classification.h"

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "bench/common/fail.h"
#include "bench/common/selection.h"
#include "bench/fastpath/policy.h"
#include "bench/fastpath/subjects/subject.h"

namespace march::bench {
namespace {

using nlohmann::json;

constexpr std::size_t kVerdicts = 10'000;
// Packets times rules that the plain reading may look at.
constexpr std::size_t kPlainWork = 100'000'000;
// So that what is measured is not what the caches remember.
constexpr std::size_t kLeastTrace = 1U << 17;

struct Measured {
  std::unique_ptr<Subject> subject;
  std::vector<double> nanoseconds;  // a packet, all told, one a round
  std::size_t verdicts = 0;         // that were compared
};

std::string PlaceOf(const Policy& policy) {
  return std::string(policy.family_name()) + " " +
         std::string(tests::NameOf(policy.options.style)) + " " +
         std::to_string(policy.options.rules);
}

std::vector<Measured> MakeSubjects(const ClassifyOptions& options, const Policy& policy,
                                   const Workspace& workspace, Results& results) {
  std::vector<Measured> subjects;
  for (const SubjectKind& kind : SubjectKinds()) {
    const bool always = kind.name == kOurs || kind.name == kFloor;
    if (!always && !Selected(options.subjects, kind.name)) continue;
    MadeSubject made = kind.make(policy, workspace);
    if (made.subject == nullptr) {
      results.NotMeasured(kind.name, PlaceOf(policy), made.refusal);
      continue;
    }
    subjects.push_back({std::move(made.subject), {}, 0});
  }
  return subjects;
}

Measured& Find(std::vector<Measured>& subjects, std::string_view name) {
  return *std::find_if(subjects.begin(), subjects.end(),
                       [&](const Measured& m) { return m.subject->name() == name; });
}

void MustAgree(const std::vector<bool>& a, const std::vector<bool>& b, const std::string& what) {
  const std::size_t count = std::min(a.size(), b.size());
  std::size_t differing = 0;
  for (std::size_t i = 0; i < count; ++i) differing += a[i] != b[i];
  if (differing == 0) return;
  FailWith(what + ": " + std::to_string(differing) + " of " + std::to_string(count) +
           " verdicts differ");
}

// Returns how many of the packets are allowed, of those that were looked at.
double CheckVerdicts(std::vector<Measured>& subjects, const Policy& policy,
                     const std::vector<tests::Packet>& trace, Feeder& feeder) {
  const std::size_t count = std::min(kVerdicts, trace.size());
  Measured& ours = Find(subjects, kOurs);
  const std::vector<bool> verdicts = ours.subject->Verdicts(feeder, count);
  ours.verdicts = std::min(count, std::max<std::size_t>(kPlainWork / policy.rules.size(), 1));
  MustAgree(PlainVerdicts(policy.rules, trace, ours.verdicts), verdicts,
            PlaceOf(policy) + ": march and the rules read one by one");
  for (Measured& measured : subjects) {
    if (&measured == &ours || !measured.subject->judges()) continue;
    MustAgree(measured.subject->Verdicts(feeder, count), verdicts,
              PlaceOf(policy) + ": " + std::string(measured.subject->name()) + " and march");
    measured.verdicts = count;
  }
  return static_cast<double>(std::count(verdicts.begin(), verdicts.end(), true)) /
         static_cast<double>(count);
}

json FactsOf(const Subject& subject) {
  const Subject::Facts& facts = subject.facts();
  json text = {{"subject", subject.name()},
               {"load_seconds", facts.load_seconds},
               {"table_bytes", facts.table_bytes}};
  if (facts.instructions > 0) text["bpf_instructions"] = facts.instructions;
  if (!facts.note.empty()) text["note"] = facts.note;
  return text;
}

void PrintRow(const Policy& policy, std::string_view traffic, const Measured& measured,
              const json& result) {
  const auto& spread = result["ns_per_packet"];
  const std::string ratio = result.contains("ratio_to_march")
                                ? std::to_string(result["ratio_to_march"].get<double>())
                                : "";
  std::printf("%-22s %-8s %-11s %9.1f  (%.1f..%.1f) %6.5s  %9.3f %10.2f\n", PlaceOf(policy).c_str(),
              std::string(traffic).c_str(), std::string(measured.subject->name()).c_str(),
              spread["median"].get<double>(), spread["min"].get<double>(),
              spread["max"].get<double>(), ratio.c_str(), measured.subject->facts().load_seconds,
              static_cast<double>(measured.subject->facts().table_bytes) / 1e6);
  std::fflush(stdout);
}

void Report(const std::vector<Measured>& subjects, const Policy& policy, std::string_view traffic,
            double allowed, Results& results) {
  const auto find = [&](std::string_view name) -> const Measured& {
    return *std::find_if(subjects.begin(), subjects.end(),
                         [&](const Measured& m) { return m.subject->name() == name; });
  };
  const std::vector<double>& floor = find(kFloor).nanoseconds;
  // Controls that are below the floor, and what does not run on frames, are given as they are.
  const auto figures = [&](const Measured& measured) {
    const std::vector<double>& values = measured.nanoseconds;
    if (measured.subject->program() < 0 || measured.subject->name() == "drop" ||
        measured.subject->name() == kFloor) {
      return values;
    }
    return Differences(values, floor);
  };
  const std::vector<double> ours = figures(find(kOurs));
  for (const Measured& measured : subjects) {
    const std::vector<double> values = figures(measured);
    const bool over_floor = values != measured.nanoseconds;
    json result = {{"family", policy.family_name()},
                   {"style", tests::NameOf(policy.options.style)},
                   {"mappings", policy.options.rules},
                   {"traffic", traffic},
                   {"subject", measured.subject->name()},
                   {"ns_per_packet", Spread(values)},
                   {"ns_are", over_floor ? "over the floor of the same round" : "all told"},
                   {"verdicts_checked", measured.verdicts},
                   {"allowed_share", allowed}};
    if (measured.subject->judges()) {
      result["ratio_to_march"] = Median(Ratios(values, ours));
    }
    const std::string& note = measured.subject->facts().note;
    if (!note.empty()) result["note"] = note;
    PrintRow(policy, traffic, measured, result);
    results.Add("classification", std::move(result));
  }
}

void MeasureTraffic(const ClassifyOptions& options, const Policy& policy, tests::Traffic traffic,
                    std::vector<Measured>& subjects, Results& results) {
  const std::vector<tests::Packet> trace = tests::MakeTraffic(
      policy.rules, traffic, std::max<std::size_t>(policy.rules.size(), kLeastTrace), 7);
  Feeder feeder(policy.options.family, trace);
  const std::string_view name = tests::NameOf(traffic);
  for (Measured& measured : subjects) {
    measured.nanoseconds.clear();
    if (const auto refusal = measured.subject->Prepare(trace)) FailWith(*refusal);
  }
  const double allowed = CheckVerdicts(subjects, policy, trace, feeder);
  for (std::uint32_t round = 0; round < options.rounds; ++round) {
    for (Measured& measured : subjects) {
      measured.nanoseconds.push_back(measured.subject->Measure(feeder, options.packets));
    }
  }
  Report(subjects, policy, name, allowed, results);
}

json PolicyFacts(const Policy& policy, const std::vector<Measured>& subjects) {
  json facts = json::array();
  for (const Measured& measured : subjects) facts.push_back(FactsOf(*measured.subject));
  return {{"family", policy.family_name()},
          {"style", tests::NameOf(policy.options.style)},
          {"mappings", policy.options.rules},
          {"compile_seconds", policy.cost.seconds},
          {"compile_peak_memory_bytes", policy.cost.peak_memory_bytes},
          {"bundle_bytes", policy.cost.bundle_bytes},
          {"subjects", facts}};
}

void MeasurePolicy(const ClassifyOptions& options, const tests::RulesetOptions& which,
                   const Workspace& workspace, Results& results) {
  const Policy policy = MakePolicy(which, workspace);
  std::vector<Measured> subjects = MakeSubjects(options, policy, workspace, results);
  std::printf("%s: compiled in %.2f s with %.0f MB, %.1f MB of tables, %llu BPF instructions\n",
              PlaceOf(policy).c_str(), policy.cost.seconds,
              static_cast<double>(policy.cost.peak_memory_bytes) / 1e6,
              static_cast<double>(policy.tables.size()) / 1e6,
              static_cast<unsigned long long>(policy.cost.instructions));
  for (const tests::Traffic traffic : tests::kTraffics) {
    if (Selected(options.traffic, tests::NameOf(traffic))) {
      MeasureTraffic(options, policy, traffic, subjects, results);
    }
  }
  results.Add("policies", PolicyFacts(policy, subjects));
}

}  // namespace

void MeasureClassification(const ClassifyOptions& options, const Workspace& workspace,
                           Results& results) {
  std::cout << "\nClassification: nanoseconds a packet over the floor of the same round (drop, "
               "floor and rte_acl: all told)\n\n"
               "policy                 traffic  subject        median  (min..max) x march     "
               "load s  tables MB\n";
  for (const std::string& family : options.families) {
    for (const tests::Style style : tests::kStyles) {
      if (!Selected(options.styles, tests::NameOf(style))) continue;
      for (const std::uint32_t size : options.sizes) {
        MeasurePolicy(options, {style, FamilyOf(family), size, 1}, workspace, results);
      }
    }
  }
}

}  // namespace march::bench
