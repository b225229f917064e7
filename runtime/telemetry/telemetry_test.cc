#include <catch2/catch.hpp>
#include <set>

#include "base/version.h"
#include "runtime/telemetry/log.h"
#include "runtime/telemetry/metrics.h"
#include "runtime/telemetry/statistics.h"

namespace march::telemetry {
namespace {

const auto kTime = std::chrono::system_clock::from_time_t(1'767'225'600);

TEST_CASE("a log line is logfmt") {
  CHECK(LogLine(kTime, Level::kInfo, "swapped", {{"generation", 3}, {"interface", "eth0.100"}}) ==
        "time=2026-01-01T00:00:00Z level=info event=swapped generation=3 interface=eth0.100\n");
  CHECK(LogLine(kTime, Level::kWarning, "x", {{"empty", ""}, {"message", "two words"}}) ==
        "time=2026-01-01T00:00:00Z level=warning event=x empty=\"\" message=\"two words\"\n");
}

TEST_CASE("no value forges a line, a field or an escape of the terminal") {
  CHECK(LogLine(kTime, Level::kError, "x", {{"v", "a\ntime=1 level=info"}}) ==
        "time=2026-01-01T00:00:00Z level=error event=x v=\"a\\x0atime=1 level=info\"\n");
  CHECK(LogLine(kTime, Level::kError, "x", {{"v", "\" b=\\"}}) ==
        "time=2026-01-01T00:00:00Z level=error event=x v=\"\\\" b=\\\\\"\n");
  CHECK(LogLine(kTime, Level::kError, "x", {{"v", "\x1B[2J\xC3\xA9=\x7F"}}) ==
        "time=2026-01-01T00:00:00Z level=error event=x v=\"\\x1b[2J\\xc3\\xa9=\\x7f\"\n");
  CHECK(LogLine(kTime, Level::kError, "x", {{"v", "a=b"}}) ==
        "time=2026-01-01T00:00:00Z level=error event=x v=\"a=b\"\n");
}

TEST_CASE("diagnostics are logged one a line") {
  std::string text;
  Logger log([&](const std::string& line) { text += line.substr(line.find("level")); });
  log.Write(Level::kError, "refused",
            {MakeDiagnostic(Code::kBundleUnsigned, {}, "no signature", "sign it"),
             MakeDiagnostic(Code::kKernelRefused, {}, "no")});
  CHECK(text ==
        "level=error event=refused code=M0602 message=\"no signature\" hint=\"sign it\"\n"
        "level=error event=refused code=M0704 message=no\n");
}

TEST_CASE("metrics are Prometheus' text format") {
  Snapshot snapshot;
  snapshot.enforcement = Enforcement::kEnforcing;
  snapshot.generation = 3;
  snapshot.serial = 42;
  snapshot.policy_digest = "abc";
  snapshot.cluster = "default";
  snapshot.interfaces = {{"eth0", "native", "", true}, {"eth1", "", "gone"}};
  snapshot.swaps = 2;
  snapshot.refused = 1;
  snapshot.mappings = {{"a\"b\\c\nd", "allow", 0, "p.yaml:1", {5, 500}},
                       {"limited", "allow", 0, "p.yaml:3", {2, 200}, telemetry::Count{1, 100}},
                       {"try", "audit-deny", 0, "p.yaml:2", {4, 400}}};
  snapshot.retired = {{"former", "deny", {6, 600}}, {"former", "above-limit", {3, 300}}};
  snapshot.defaults = {{"deny", {7, 700}}};
  snapshot.slots = {{"arp", true, {8, 800}}, {"truncated", false, {9, 900}}};
  snapshot.retired_rest = {10, 1000};
  CHECK(
      MetricsText(snapshot) ==
      "# HELP march_build_info Constant 1; the version is a label.\n"
      "# TYPE march_build_info gauge\n"
      "march_build_info{version=\"" +
          std::string(kVersion) +
          "\"} 1\n"
          "# HELP march_enforcement 1 for the state that holds.\n"
          "# TYPE march_enforcement gauge\n"
          "march_enforcement{state=\"enforcing\"} 1\n"
          "march_enforcement{state=\"lockdown\"} 0\n"
          "march_enforcement{state=\"no-policy\"} 0\n"
          "# HELP march_generation The generation in force, 0 without one.\n"
          "# TYPE march_generation gauge\n"
          "march_generation 3\n"
          "# HELP march_bundle_serial The serial of the bundle in force.\n"
          "# TYPE march_bundle_serial gauge\n"
          "march_bundle_serial 42\n"
          "# HELP march_policy_info Constant 1; the policy in force is in the labels.\n"
          "# TYPE march_policy_info gauge\n"
          "march_policy_info{digest=\"abc\",cluster=\"default\"} 1\n"
          "# HELP march_swaps_total Bundles applied since marchd started.\n"
          "# TYPE march_swaps_total counter\n"
          "march_swaps_total 2\n"
          "# HELP march_refused_bundles_total Bundles refused since marchd started.\n"
          "# TYPE march_refused_bundles_total counter\n"
          "march_refused_bundles_total 1\n"
          "# HELP march_interface_attached 1 when marchd's program runs there.\n"
          "# TYPE march_interface_attached gauge\n"
          "march_interface_attached{interface=\"eth0\",mode=\"native\"} 1\n"
          "march_interface_attached{interface=\"eth1\",mode=\"\"} 0\n"
          "# HELP march_interface_fast 1 when packets between this and another such interface "
          "pass the kernel by.\n"
          "# TYPE march_interface_fast gauge\n"
          "march_interface_fast{interface=\"eth0\"} 1\n"
          "march_interface_fast{interface=\"eth1\"} 0\n"
          "# HELP march_packets_total Judged by a mapping, in packets.\n"
          "# TYPE march_packets_total counter\n"
          "march_packets_total{mapping=\"a\\\"b\\\\c\\nd\",action=\"allow\"} 5\n"
          "march_packets_total{mapping=\"limited\",action=\"allow\"} 2\n"
          "march_packets_total{mapping=\"former\",action=\"deny\"} 6\n"
          "# HELP march_audited_packets_total Would be judged by a mapping under audit, in "
          "packets.\n"
          "# TYPE march_audited_packets_total counter\n"
          "march_audited_packets_total{mapping=\"try\",action=\"audit-deny\"} 4\n"
          "# HELP march_above_limit_packets_total Above the limit of a mapping, in packets.\n"
          "# TYPE march_above_limit_packets_total counter\n"
          "march_above_limit_packets_total{mapping=\"limited\"} 1\n"
          "march_above_limit_packets_total{mapping=\"former\"} 3\n"
          "# HELP march_default_packets_total Judged by defaults.action, in packets.\n"
          "# TYPE march_default_packets_total counter\n"
          "march_default_packets_total{action=\"deny\"} 7\n"
          "# HELP march_unclassified_packets_total Decided before any mapping, or above its limit, "
          "in packets.\n"
          "# TYPE march_unclassified_packets_total counter\n"
          "march_unclassified_packets_total{reason=\"arp\",action=\"allow\"} 8\n"
          "march_unclassified_packets_total{reason=\"truncated\",action=\"drop\"} 9\n"
          "# HELP march_retired_packets_total Judged by former mappings too many to name, in "
          "packets.\n"
          "# TYPE march_retired_packets_total counter\n"
          "march_retired_packets_total 10\n"
          "# HELP march_bytes_total Judged by a mapping, in bytes.\n"
          "# TYPE march_bytes_total counter\n"
          "march_bytes_total{mapping=\"a\\\"b\\\\c\\nd\",action=\"allow\"} 500\n"
          "march_bytes_total{mapping=\"limited\",action=\"allow\"} 200\n"
          "march_bytes_total{mapping=\"former\",action=\"deny\"} 600\n"
          "# HELP march_audited_bytes_total Would be judged by a mapping under audit, in "
          "bytes.\n"
          "# TYPE march_audited_bytes_total counter\n"
          "march_audited_bytes_total{mapping=\"try\",action=\"audit-deny\"} 400\n"
          "# HELP march_above_limit_bytes_total Above the limit of a mapping, in bytes.\n"
          "# TYPE march_above_limit_bytes_total counter\n"
          "march_above_limit_bytes_total{mapping=\"limited\"} 100\n"
          "march_above_limit_bytes_total{mapping=\"former\"} 300\n"
          "# HELP march_default_bytes_total Judged by defaults.action, in bytes.\n"
          "# TYPE march_default_bytes_total counter\n"
          "march_default_bytes_total{action=\"deny\"} 700\n"
          "# HELP march_unclassified_bytes_total Decided before any mapping, or above its limit, "
          "in bytes.\n"
          "# TYPE march_unclassified_bytes_total counter\n"
          "march_unclassified_bytes_total{reason=\"arp\",action=\"allow\"} 800\n"
          "march_unclassified_bytes_total{reason=\"truncated\",action=\"drop\"} 900\n"
          "# HELP march_retired_bytes_total Judged by former mappings too many to name, in "
          "bytes.\n"
          "# TYPE march_retired_bytes_total counter\n"
          "march_retired_bytes_total 1000\n");
}

TEST_CASE("connections and statistics are in the metrics where there are any") {
  Snapshot snapshot;
  CHECK(MetricsText(snapshot).find("march_flow") == std::string::npos);
  snapshot.flow_tables = {{"established", 70, 1024, false}, {"new", 5, 512, true}};
  snapshot.statistics.resize(MARCH_STATISTICS);
  for (std::size_t i = 0; i < snapshot.statistics.size(); ++i) snapshot.statistics[i] = 100 + i;
  const std::string text = MetricsText(snapshot);
  for (const char* line :
       {"# TYPE march_flows gauge\n", "march_flows{table=\"established\"} 70\n",
        "march_flow_table_capacity{table=\"new\"} 512\n",
        "march_flow_table_full{table=\"established\"} 0\n",
        "march_flow_table_full{table=\"new\"} 1\n", "# TYPE march_flows_opened_total counter\n",
        "march_flows_opened_total 100\n", "march_flows_no_room_total 103\n",
        "march_related_errors_total 106\n"}) {
    INFO(line);
    CHECK(text.find(line) != std::string::npos);
  }
}

TEST_CASE("every statistic has a name and a help text of its own") {
  std::set<std::string_view> names;
  std::set<march_statistic> known;
  for (const StatisticInfo& statistic : Statistics()) {
    CHECK(names.insert(statistic.name).second);
    CHECK(known.insert(statistic.which).second);
    CHECK(statistic.help.ends_with('.'));
  }
}

}  // namespace
}  // namespace march::telemetry
