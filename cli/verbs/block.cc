// marchctl block add|del|list|import --target T: the sources that a gateway lets nothing through
// from.
#include <algorithm>
#include <ctime>
#include <iterator>
#include <memory>
#include <optional>

#include "cli/exit_code.h"
#include "cli/output/format.h"
#include "cli/output/human.h"
#include "cli/output/report.h"
#include "cli/target.h"
#include "cli/verbs/verbs.h"

namespace march::cli {
namespace {

// Room for a million lines; what the gateway takes.
constexpr std::uint64_t kMaxListBytes = std::uint64_t{48} << 20;

struct Flags {
  std::string target;
  std::string format;
  std::vector<std::string> prefixes;
  std::string file;
  std::string duration;
  std::string comment;
  bool all = false;
};

std::uint64_t NumberAt(const nlohmann::json& item, const char* key) {
  return item.value(key, std::uint64_t{0});
}

std::string Lines(const std::vector<std::string>& prefixes) {
  std::string lines;
  for (const std::string& prefix : prefixes) lines += prefix + "\n";
  return lines;
}

// Prints the answer as JSON if that is asked for; false if there is none or it was.
bool IsForText(Environment& environment, const Flags& flags, const Outcome<nlohmann::json>& answer,
               int& exit_code) {
  exit_code = answer ? kOk : Report(environment, answer.diagnostics());
  if (!answer) return false;
  if (flags.format != "json") return true;
  environment.out << answer->dump(2) << "\n";
  return false;
}

std::string Prefixes(std::uint64_t count) {
  return Grouped(count) + (count == 1 ? " prefix" : " prefixes");
}

int Send(Environment& environment, const Flags& flags, const std::string& list) {
  nlohmann::json body = {{"list", list}};
  if (!flags.duration.empty()) body["for"] = *ReadDuration(flags.duration);
  if (!flags.comment.empty()) body["comment"] = flags.comment;
  const auto answer = Call(flags.target, "POST", "/v1/blocks/add",
                           body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  int exit_code = kOk;
  if (!IsForText(environment, flags, answer, exit_code)) return exit_code;
  environment.out << Prefixes(NumberAt(*answer, "added")) << " added";
  if (NumberAt(*answer, "renewed") != 0) {
    environment.out << ", " << Grouped(NumberAt(*answer, "renewed")) << " renewed";
  }
  environment.out << "; " << Grouped(NumberAt(*answer, "entries")) << " on the block list\n";
  return kOk;
}

int Import(Environment& environment, const Flags& flags) {
  if (flags.file == "-") {
    const std::string text{std::istreambuf_iterator<char>(environment.in), {}};
    if (text.size() <= kMaxListBytes) return Send(environment, flags, text);
    return Report(environment,
                  {MakeDiagnostic(Code::kInputTooLarge, {}, "the list is larger than 48 MiB")});
  }
  const auto text = environment.files.Read(flags.file, kMaxListBytes);
  if (!text) return Report(environment, text.diagnostics());
  return Send(environment, flags, *text);
}

int Delete(Environment& environment, const Flags& flags) {
  nlohmann::json body = {{"all", true}};
  if (!flags.all) body = {{"list", Lines(flags.prefixes)}};
  const auto answer = Call(flags.target, "POST", "/v1/blocks/remove",
                           body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  int exit_code = kOk;
  if (!IsForText(environment, flags, answer, exit_code)) return exit_code;
  environment.out << Prefixes(NumberAt(*answer, "removed")) << " removed; "
                  << Grouped(NumberAt(*answer, "entries")) << " on the block list\n";
  const auto missing = answer->value("missing", std::vector<std::string>{});
  for (const std::string& prefix : missing) {
    environment.err << "marchctl block: " << prefix << " is not on the list as such; `marchctl "
                    << "block list " << prefix << "` shows what blocks it\n";
  }
  return missing.empty() ? kOk : kFailed;
}

// "3m05s", or "" for ever.
std::string TimeLeft(const nlohmann::json& block, std::int64_t now) {
  if (!block.contains("until")) return "";
  const auto left = block.value("until", std::int64_t{0}) - now;
  return HumanDuration(static_cast<double>(std::max<std::int64_t>(left, 0)));
}

int List(Environment& environment, const Flags& flags) {
  const std::string query = flags.prefixes.empty() ? "" : "?prefix=" + flags.prefixes.front();
  const auto answer = Call(flags.target, "GET", "/v1/blocks" + query);
  int exit_code = kOk;
  if (!IsForText(environment, flags, answer, exit_code)) return exit_code;
  std::vector<std::vector<std::string>> rows = {{"PREFIX", "LEFT", "COMMENT"}};
  const auto now = answer->value("now", std::int64_t{0});
  for (const auto& block : answer->value("blocks", nlohmann::json::array())) {
    rows.push_back({block.value("prefix", std::string()), TimeLeft(block, now),
                    block.value("comment", std::string())});
  }
  environment.out << AlignColumns(rows);
  return kOk;
}

std::string CheckDuration(const std::string& text) {
  const auto seconds = ReadDuration(text);
  return seconds && *seconds > 0 ? ""
                                 : "\"" + text + "\" is no duration, such as 90s, 10m, 2h or 1d";
}

// What goes into a query or a line: it is the gateway that knows what a prefix is.
std::string CheckPrefix(const std::string& text) {
  const bool is_plain =
      !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF.:/") == std::string::npos;
  return is_plain ? "" : "\"" + text + "\" is no IP address or prefix";
}

CLI::App* AddAction(CLI::App& verb, const char* name, const char* what, Flags& flags) {
  auto* action = verb.add_subcommand(name, what);
  AddTargetOption(*action, flags.target);
  AddOutputOption(*action, flags.format);
  return action;
}

void AddTerms(CLI::App& action, Flags& flags) {
  action.add_option("--for", flags.duration, "How long: 90s, 10m, 2h, 1d; for ever unless given")
      ->type_name("DURATION")
      ->check(CheckDuration);
  action.add_option("--comment", flags.comment, "Why, for those that have no comment of their own")
      ->type_name("TEXT");
}

}  // namespace

void AddBlock(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("block", "Change or list the sources that a gateway blocks");
  verb->require_subcommand(1);
  const auto flags = std::make_shared<Flags>();

  auto* add = AddAction(*verb, "add", "Block sources", *flags);
  add->add_option("PREFIX", flags->prefixes, "Addresses and prefixes")
      ->required()
      ->check(CheckPrefix);
  AddTerms(*add, *flags);
  add->callback([&environment, &exit_code, flags] {
    exit_code = Send(environment, *flags, Lines(flags->prefixes));
  });

  auto* del = AddAction(*verb, "del", "Block sources no longer", *flags);
  auto* which = del->add_option("PREFIX", flags->prefixes, "Addresses and prefixes, as listed")
                    ->check(CheckPrefix);
  auto* all = del->add_flag("--all", flags->all, "Everything on the list")->excludes(which);
  del->callback([&environment, &exit_code, flags, which, all] {
    if (which->count() + all->count() == 0) {
      environment.err << "marchctl block del: say what, or --all\n";
      exit_code = kUsage;
    } else {
      exit_code = Delete(environment, *flags);
    }
  });

  auto* list = AddAction(*verb, "list", "List what is blocked", *flags);
  list->add_option("PREFIX", flags->prefixes, "What holds this, or lies in it")
      ->expected(1)
      ->check(CheckPrefix);
  list->callback([&environment, &exit_code, flags] { exit_code = List(environment, *flags); });

  auto* import = AddAction(*verb, "import", "Block the sources in a file", *flags);
  import->add_option("FILE", flags->file, "One address or prefix a line; - for standard input")
      ->required();
  AddTerms(*import, *flags);
  import->callback([&environment, &exit_code, flags] { exit_code = Import(environment, *flags); });
}

}  // namespace march::cli
