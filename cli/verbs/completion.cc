// marchctl completion SHELL: completion for bash, zsh and fish, made from the program's own tree of
// verbs and options.
#include <memory>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/verbs/verbs.h"

namespace march::cli {
namespace {

// "text json" of an option whose type is "TEXT:{text,json}"; "" if any value will do.
std::string ValuesOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return "";
  std::string values = type.substr(open + 1, close - open - 1);
  for (char& c : values) {
    if (c == ',') c = ' ';
  }
  return values;
}

std::vector<std::string> NamesOf(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

std::string Joined(const std::vector<std::string>& words, const char* separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

// A verb with the words before it: " key generate". The program itself is "".
struct Place {
  std::string path;
  const CLI::App* app;
};

void Walk(const CLI::App& app, const std::string& path, std::vector<Place>& places) {
  places.push_back({path, &app});
  for (const CLI::App* const verb : app.get_subcommands({})) {
    Walk(*verb, path + " " + verb->get_name(), places);
  }
}

std::string BashCase(const Place& place) {
  std::string options;
  std::string values;
  std::string positional;
  for (const CLI::Option* const option : place.app->get_options()) {
    const std::vector<std::string> names = NamesOf(*option);
    if (names.empty()) {
      positional += (positional.empty() ? "" : " ") + ValuesOf(*option);
      continue;
    }
    options += (options.empty() ? "" : " ") + Joined(names, " ");
    if (option->get_expected_max() == 0) continue;
    const std::string allowed = ValuesOf(*option);
    values += "        " + Joined(names, " | ") + ") " +
              (allowed.empty() ? "COMPREPLY=($(compgen -f -- \"$cur\"))"
                               : "COMPREPLY=($(compgen -W \"" + allowed + "\" -- \"$cur\"))") +
              "; return ;;\n";
  }
  std::vector<std::string> verbs;
  for (const CLI::App* const verb : place.app->get_subcommands({})) {
    verbs.push_back(verb->get_name());
  }
  std::string text = "    \"" + place.path + "\")\n";
  if (!values.empty()) text += "      case \"$prev\" in\n" + values + "      esac\n";
  text += "      options=\"" + options + "\"\n";
  text += "      words=\"" + (verbs.empty() ? positional : Joined(verbs, " ")) + "\"\n";
  return text + "      ;;\n";
}

std::string Bash(const CLI::App& app) {
  std::vector<Place> places;
  Walk(app, "", places);
  std::string paths;
  std::string cases;
  for (const Place& place : places) {
    if (!place.path.empty()) paths += (paths.empty() ? "" : " | ") + ("\"" + place.path + "\"");
    cases += BashCase(place);
  }
  return "# marchctl completion for bash: source it, or put it into /etc/bash_completion.d\n"
         "_marchctl() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
         "  local path= i options= words=\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    case \"$path ${COMP_WORDS[i]}\" in\n"
         "      " +
         paths +
         ") path=\"$path ${COMP_WORDS[i]}\" ;;\n"
         "    esac\n"
         "  done\n"
         "  case \"$path\" in\n" +
         cases +
         "  esac\n"
         "  if [[ $cur == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
         "  elif [[ -n $words ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$cur\"))\n"
         "  fi\n"
         "}\n"
         "complete -o filenames -F _marchctl marchctl\n";
}

std::string Zsh(const CLI::App& app) {
  return "#compdef marchctl\n"
         "# marchctl completion for zsh: source it behind compinit\n"
         "autoload -Uz bashcompinit && bashcompinit\n" +
         Bash(app);
}

std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

std::string Fish(const CLI::App& app) {
  std::vector<Place> places;
  Walk(app, "", places);
  std::string text = "# marchctl completion for fish: put it into ~/.config/fish/completions\n";
  for (const Place& place : places) {
    std::string condition = "__fish_use_subcommand";
    if (!place.path.empty()) {
      const std::size_t last = place.path.rfind(' ');
      condition = "__fish_seen_subcommand_from " + place.path.substr(last + 1);
    }
    const std::string begin = "complete -c marchctl -n " + Quoted(condition);
    for (const CLI::App* const verb : place.app->get_subcommands({})) {
      text +=
          begin + " -f -a " + verb->get_name() + " -d " + Quoted(verb->get_description()) + "\n";
    }
    for (const CLI::Option* const option : place.app->get_options()) {
      const std::string values = ValuesOf(*option);
      if (NamesOf(*option).empty()) {
        if (!values.empty()) text += begin + " -f -a " + Quoted(values) + "\n";
        continue;
      }
      text += begin;
      for (const std::string& name : option->get_snames()) text += " -s " + name;
      for (const std::string& name : option->get_lnames()) text += " -l " + name;
      if (option->get_expected_max() > 0)
        text += values.empty() ? " -r" : " -x -a " + Quoted(values);
      text += " -d " + Quoted(option->get_description()) + "\n";
    }
  }
  return text;
}

}  // namespace

void AddCompletion(CLI::App& app, Environment& environment, int& exit_code) {
  auto* verb = app.add_subcommand("completion", "Print a completion script for a shell");
  const auto shell = std::make_shared<std::string>();
  verb->add_option("SHELL", *shell, "Shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  verb->callback([&app, &environment, &exit_code, shell] {
    environment.out << (*shell == "bash" ? Bash(app) : *shell == "zsh" ? Zsh(app) : Fish(app));
    exit_code = kOk;
  });
}

}  // namespace march::cli
