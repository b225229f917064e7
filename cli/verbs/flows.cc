// marchctl flows [list|count|cut] --target T: the connections that a gateway keeps.
#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "cli/exit_code.h"
#include "cli/output/format.h"
#include "cli/output/human.h"
#include "cli/output/report.h"
#include "cli/target.h"
#include "cli/verbs/verbs.h"
#include "compiler/pipeline/pipeline.h"

namespace march::cli {
namespace {

constexpr unsigned kMostLimit = 10'000;

struct Flags {
  std::string action = "list";
  std::string target;
  std::string format;
  std::string source;
  std::string destination;
  std::optional<unsigned> port;
  std::string protocol;
  std::string mapping;
  std::string state;
  std::string sort;
  std::optional<unsigned> limit;
};

using Pairs = std::vector<std::pair<std::string, std::string>>;

// What the connections are chosen by.
Pairs FilterOf(const Flags& flags) {
  Pairs filter;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) filter.emplace_back(name, value);
  };
  add("source", flags.source);
  add("destination", flags.destination);
  if (flags.port) add("port", std::to_string(*flags.port));
  add("protocol", flags.protocol);
  add("mapping", flags.mapping);
  add("state", flags.state);
  return filter;
}

std::string Escaped(const std::string& text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const bool is_plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || c == '-' || c == '.' || c == '_';
    const auto byte = static_cast<unsigned char>(c);
    if (is_plain) {
      escaped += c;
    } else {
      escaped += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return escaped;
}

std::string PathWith(const std::string& path, const Pairs& query) {
  std::string full = path;
  for (const auto& [name, value] : query) {
    full += (full.size() == path.size() ? "?" : "&") + name + "=" + Escaped(value);
  }
  return full;
}

std::string TextAt(const nlohmann::json& item, const char* key) {
  return item.value(key, std::string());
}
std::uint64_t NumberAt(const nlohmann::json& item, const char* key) {
  return item.value(key, std::uint64_t{0});
}

std::string WithPort(const nlohmann::json& flow, const char* end, const char* port) {
  std::string address = TextAt(flow, end);
  if (!flow.contains(port)) return address;
  const std::string number = std::to_string(NumberAt(flow, port));
  return (NumberAt(flow, "family") == 6 ? "[" + address + "]" : address) + ":" + number;
}

std::string Destination(const nlohmann::json& flow) {
  std::string text = WithPort(flow, "destination", "destination_port");
  if (flow.contains("icmp_type")) {
    text += " type " + std::to_string(NumberAt(flow, "icmp_type"));
    text += " id " + std::to_string(NumberAt(flow, "icmp_identifier"));
  } else if (flow.contains("fragments_of")) {
    text += " fragments of " + std::to_string(NumberAt(flow, "fragments_of"));
  }
  return text;
}

std::string Decision(const nlohmann::json& item) {
  const std::string by = TextAt(item, "decided_by");
  return by == "mapping" ? TextAt(item, "mapping") : "(" + by + ")";
}

using Rows = std::vector<std::vector<std::string>>;

void PrintFlows(Environment& environment, const nlohmann::json& answer) {
  Rows rows = {{"PROTOCOL", "SOURCE", "DESTINATION", "STATE", "MAPPING", "AGE", "IDLE", "PACKETS",
                "BYTES", "REPLIES", "BYTES"}};
  constexpr std::array<std::size_t, 4> kQuantities = {5, 6, 8, 10};
  const auto flows = answer.value("flows", nlohmann::json::array());
  for (const auto& flow : flows) {
    rows.push_back(
        {TextAt(flow, "protocol"), WithPort(flow, "source", "source_port"), Destination(flow),
         TextAt(flow, "state"), Decision(flow), HumanDuration(flow.value("age_s", 0.0)),
         HumanDuration(flow.value("idle_s", 0.0)), std::to_string(NumberAt(flow, "packets")),
         HumanBytes(NumberAt(flow, "bytes")), std::to_string(NumberAt(flow, "reply_packets")),
         HumanBytes(NumberAt(flow, "reply_bytes"))});
  }
  for (const std::size_t column : kQuantities) AlignRight(rows, column);
  environment.out << AlignColumns(rows);
  const std::uint64_t matched = NumberAt(answer, "matched");
  if (matched > flows.size()) {
    environment.err << flows.size() << " of " << Grouped(matched)
                    << " connections; --limit shows more\n";
  }
}

void PrintCounts(Environment& environment, const nlohmann::json& answer) {
  Rows rows = {{"", "CONNECTIONS", "PACKETS", "BYTES"}};
  const auto add = [&](const std::string& what, const nlohmann::json& item) {
    rows.push_back({what, Grouped(NumberAt(item, "flows")), Grouped(NumberAt(item, "packets")),
                    HumanBytes(NumberAt(item, "bytes"))});
  };
  const auto list = [&](const char* key) { return answer.value(key, nlohmann::json::array()); };
  add("all", answer);
  for (const auto& item : list("families")) {
    add("IPv" + std::to_string(NumberAt(item, "family")), item);
  }
  for (const auto& item : list("protocols")) add(TextAt(item, "protocol"), item);
  for (const auto& item : list("states")) add(TextAt(item, "state"), item);
  for (const auto& item : list("mappings")) add("mapping " + Decision(item), item);
  for (std::size_t column = 1; column < rows.front().size(); ++column) AlignRight(rows, column);
  environment.out << AlignColumns(rows);

  environment.out << "\n";
  for (const auto& table : list("flow_tables")) {
    environment.out << "room for " << TextAt(table, "name")
                    << " connections: " << Grouped(NumberAt(table, "flows")) << " of "
                    << Grouped(NumberAt(table, "capacity")) << " taken"
                    << (table.value("full", false) ? ", and too little in the last minute" : "")
                    << "\n";
  }
}

int List(Environment& environment, const Flags& flags) {
  Pairs query = FilterOf(flags);
  if (flags.limit) query.emplace_back("limit", std::to_string(*flags.limit));
  if (!flags.sort.empty()) query.emplace_back("sort", flags.sort);
  const auto answer = Call(flags.target, "GET", PathWith("/v1/flows", query));
  if (!answer) return Report(environment, answer.diagnostics());
  if (flags.format == "json") {
    environment.out << answer->dump(2) << "\n";
  } else {
    PrintFlows(environment, *answer);
  }
  return kOk;
}

int Count(Environment& environment, const Flags& flags) {
  const auto answer = Call(flags.target, "GET", PathWith("/v1/flows/summary", FilterOf(flags)));
  if (!answer) return Report(environment, answer.diagnostics());
  if (flags.format == "json") {
    environment.out << answer->dump(2) << "\n";
  } else {
    PrintCounts(environment, *answer);
  }
  return kOk;
}

int Cut(Environment& environment, const Flags& flags) {
  const Pairs filter = FilterOf(flags);
  const auto answer = Call(flags.target, "POST", PathWith("/v1/flows/cut", filter));
  if (!answer) return Report(environment, answer.diagnostics());
  if (flags.format == "json") {
    environment.out << answer->dump(2) << "\n";
    return kOk;
  }
  std::string what;
  for (const auto& [name, value] : filter) {
    what += (what.empty() ? "" : ", ") + name + " " + value;
  }
  const std::uint64_t cut = NumberAt(*answer, "cut");
  environment.out << Grouped(cut) << (cut == 1 ? " connection" : " connections") << " cut: " << what
                  << "\n";
  return kOk;
}

// "" or why these flags do not go together.
std::string Misfit(const Flags& flags) {
  if (flags.action == "cut" && FilterOf(flags).empty()) {
    return "say which connections to cut, by --source, --destination, --port, --protocol, "
           "--mapping or --state";
  }
  if (flags.action != "list" && (flags.limit || !flags.sort.empty())) {
    return "--limit and --sort go with list";
  }
  return "";
}

std::string CheckPrefix(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto address = space::Address::Parse(text.substr(0, slash));
  const std::string length = slash == std::string::npos ? "0" : text.substr(slash + 1);
  const bool is_length = !length.empty() && length.size() <= 3 &&
                         length.find_first_not_of("0123456789") == std::string::npos;
  if (address && is_length && std::stoul(length) <= space::BitsOf(address->family)) {
    return "";
  }
  return "\"" + text + "\" is no prefix, such as 10.0.0.0/8 or 2001:db8::1";
}

std::string CheckProtocol(const std::string& text) {
  for (const char* name : {"tcp", "udp", "sctp", "icmp", "icmpv6"}) {
    if (text == name) return "";
  }
  const bool is_number = !text.empty() && text.size() <= 3 &&
                         text.find_first_not_of("0123456789") == std::string::npos;
  if (is_number && std::stoul(text) <= 255) return "";
  return "\"" + text + "\" is none of tcp, udp, sctp, icmp, icmpv6 and 0 to 255";
}

int Run(Environment& environment, const Flags& flags) {
  if (flags.action == "cut") return Cut(environment, flags);
  return flags.action == "count" ? Count(environment, flags) : List(environment, flags);
}

}  // namespace

void AddFlows(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("flows", "List, count or cut a gateway's connections");
  const auto flags = std::make_shared<Flags>();
  verb->add_option("ACTION", flags->action, "What to do with them; list unless given")
      ->check(CLI::IsMember({"list", "count", "cut"}));
  AddTargetOption(*verb, flags->target);
  verb->add_option("--source", flags->source, "Opened from these addresses")
      ->type_name("PREFIX")
      ->check(CheckPrefix);
  verb->add_option("--destination", flags->destination, "Opened to these addresses")
      ->type_name("PREFIX")
      ->check(CheckPrefix);
  verb->add_option("--port", flags->port, "With this port at either end")
      ->type_name("N")
      ->check(CLI::Range(0, 65535));
  verb->add_option("--protocol", flags->protocol, "Of this protocol: tcp, udp, icmp, 47, ...")
      ->type_name("P")
      ->check(CheckProtocol);
  verb->add_option("--mapping", flags->mapping, "Allowed by this mapping, or by (default)")
      ->type_name("NAME");
  verb->add_option("--state", flags->state, "In this state")
      ->check(CLI::IsMember({"new", "established", "closing", "closed", "cut"}));
  verb->add_option("--sort", flags->sort, "What comes first: the most, or the oldest")
      ->check(CLI::IsMember({"bytes", "packets", "age"}));
  verb->add_option("--limit", flags->limit, "List at most so many, 100 unless given")
      ->type_name("N")
      ->check(CLI::Range(1U, kMostLimit));
  AddOutputOption(*verb, flags->format);
  verb->callback([&environment, &exit_code, flags] {
    const std::string misfit = Misfit(*flags);
    if (misfit.empty()) {
      exit_code = Run(environment, *flags);
    } else {
      environment.err << "marchctl flows: " << misfit << "\n";
      exit_code = kUsage;
    }
  });
}

}  // namespace march::cli
