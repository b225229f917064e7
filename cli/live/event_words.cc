#include "cli/live/event_words.h"

#include "bundle/mappings.h"

namespace march::cli {
namespace {

constexpr std::size_t kNearest = 3;
constexpr std::size_t kVerdictWidth = 5;
constexpr const char* kIndent = "             ";  // as wide as a time

// "denies it", and the like.
std::string VerbOf(const Event& event, const LivePolicy* policy) {
  const model::Mapping* mapping =
      policy != nullptr ? model::FindMapping(policy->policy(), event.mapping) : nullptr;
  if (mapping != nullptr && mapping->action == model::Action::kReject) return "rejects it";
  return event.type == "drop" ? "denies it" : "allows it";
}

std::string CommentOf(const Event& event, const LivePolicy* policy) {
  const model::Mapping* mapping =
      policy != nullptr ? model::FindMapping(policy->policy(), event.mapping) : nullptr;
  return mapping == nullptr || mapping->comment.empty() ? "" : ": " + mapping->comment;
}

std::string MappingWords(const Event& event, const LivePolicy* policy) {
  if (event.mapping.empty()) {
    return "a mapping of generation " + std::to_string(event.generation) +
           ", whose bundle is not stored any more";
  }
  return event.mapping + " " + VerbOf(event, policy) + " (" + TextIn(event.json, "place") + ")" +
         CommentOf(event, policy);
}

// Above a limit: of which mapping, only the policy knows.
std::string DeciderOf(const Event& event, const LivePolicy* policy) {
  if (!event.flow || policy == nullptr) return "";
  const auto decision = prove::ModelEngine(policy->policy()).Decide(*event.flow);
  if (!decision || !decision->mapping) return "";
  return policy->policy().mappings[*decision->mapping].name;
}

std::string SlotWords(const Event& event, const LivePolicy* policy) {
  if (event.reason == "default") {
    const std::string verdict = event.type == "drop" ? "default deny: " : "default allow: ";
    if (!event.flow || policy == nullptr) return verdict + "no mapping matches it";
    return verdict + policy->explainer().NoMapping(*event.flow);
  }
  if (event.reason == "limit") {
    const std::string decider = DeciderOf(event, policy);
    if (!decider.empty()) return "limit: above that of " + decider + ", which allows it";
  }
  const std::string_view meaning = bundle::SlotMeaning(event.reason);
  return event.reason + (meaning.empty() ? "" : ": " + std::string(meaning));
}

std::vector<std::string> DiffersIn(const explain::NearMiss& miss) {
  std::vector<std::string> differs;
  if (miss.from) differs.emplace_back("from");
  if (miss.to) differs.emplace_back("to");
  if (miss.layer4) differs.emplace_back("protocol and port");
  if (miss.source_port) differs.emplace_back("source port");
  return differs;
}

// Whether it can be: a SYN alone answers nothing.
bool MayBeAnswer(const Event& event) {
  const bool is_opening = event.tcp_flags.find('S') != std::string::npos &&
                          event.tcp_flags.find('A') == std::string::npos;
  return event.flow && !event.flow->later_fragment && !is_opening;
}

std::string FlowWords(const Event& event) {
  const auto count = [&](const char* key) { return std::to_string(NumberIn(event.json, key)); };
  const auto seconds = event.json.find("duration_s");
  std::string text = event.mapping.empty() ? event.reason : event.mapping;
  text += ", " + TextIn(event.json, "ending");
  if (seconds != event.json.end() && seconds->is_number())
    text += " after " + seconds->dump() + " s";
  return text + ": " + count("packets") + " packets, " + count("bytes") + " bytes there, " +
         count("reply_packets") + " packets, " + count("reply_bytes") + " bytes back";
}

// What is known of its ends, when it is no flow.
std::string EndsText(const Event& event) {
  if (event.flow) return event.flow->ToString();
  if (!event.source || !event.destination) {
    return "a frame of " + std::to_string(NumberIn(event.json, "bytes")) + " bytes";
  }
  return event.source->ToString() + " > " + event.destination->ToString();
}

}  // namespace

EventWords Explain(const Event& event, const LivePolicy* policy) {
  if (event.type == "flow") return {FlowWords(event), {}, ""};
  EventWords words;
  words.why = event.reason == "mapping" ? MappingWords(event, policy) : SlotWords(event, policy);
  const bool is_default_deny = event.type == "drop" && event.reason == "default";
  if (!is_default_deny || !event.flow || policy == nullptr) return words;
  const explain::Explainer& explainer = policy->explainer();
  for (const explain::NearMiss& miss : explainer.Nearest(*event.flow, kNearest)) {
    const model::Mapping& mapping = policy->policy().mappings[miss.mapping];
    words.near.push_back(
        {mapping.name, mapping.place.PolicyLine(), DiffersIn(miss), explainer.Describe(miss)});
  }
  if (MayBeAnswer(event)) {
    if (const auto question = explainer.OppositeOf(*event.flow)) {
      words.answer_of = policy->policy().mappings[*question].name;
    }
  }
  return words;
}

std::string TextOf(const Event& event, const EventWords& words) {
  std::string verdict = event.type == "drop" ? "deny" : event.type;
  verdict.resize(kVerdictWidth, ' ');
  std::string text = ClockText(TextIn(event.json, "time")) + " " + verdict + " " + EndsText(event) +
                     "  " + words.why + "\n";
  if (!words.answer_of.empty()) {
    text += kIndent + words.answer_of +
            " allows the opposite direction: an answer without a connection that is known\n";
  }
  for (const EventWords::Near& near : words.near) {
    text += kIndent + near.mapping + " " + near.text + " (" + near.place + ")\n";
  }
  return text;
}

nlohmann::ordered_json JsonOf(const Event& event, const EventWords& words) {
  nlohmann::ordered_json json = event.json;
  json["why"] = words.why;
  json["near"] = nlohmann::ordered_json::array();
  for (const EventWords::Near& near : words.near) {
    json["near"].push_back({{"mapping", near.mapping},
                            {"place", near.place},
                            {"differs", near.differs},
                            {"text", near.text}});
  }
  if (!words.answer_of.empty()) json["answer_of"] = words.answer_of;
  return json;
}

}  // namespace march::cli
