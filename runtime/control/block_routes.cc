#include "runtime/control/block_routes.h"

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "runtime/control/query.h"

namespace march::control {
namespace {

using Json = nlohmann::ordered_json;

Response JsonAnswer(const Json& json) {
  return {200, "application/json", json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
          ""};
}

Response BadRequest(const std::string& message, std::string_view hint = {}) {
  return ErrorResponse(400, "", "request", message, hint);
}

Response Failed(const Diagnostics& diagnostics) {
  const Diagnostic& first = diagnostics.front();
  const bool is_asked_wrong = first.code == Code::kBadBlock || first.code == Code::kBlockListFull;
  return ErrorResponse(is_asked_wrong ? 400 : 500, InfoOf(first.code).id,
                       is_asked_wrong ? "request" : "failed", first.message, first.hint);
}

// What a POST says. Of a value of another type, what is wrong is in `fault`.
struct Asked {
  std::optional<std::string> list;
  std::optional<std::uint64_t> seconds;
  std::string comment;
  bool all = false;
  std::string fault;
};

void ReadOne(const std::string& key, const nlohmann::json& value, Asked& asked) {
  if (key == "list" && value.is_string()) {
    asked.list = value.get<std::string>();
  } else if (key == "comment" && value.is_string()) {
    asked.comment = value.get<std::string>();
  } else if (key == "for" && value.is_number_unsigned()) {
    asked.seconds = value.get<std::uint64_t>();
  } else if (key == "all" && value.is_boolean()) {
    asked.all = value.get<bool>();
  } else {
    asked.fault = "\"" + key + "\" is not known here, or of another type";
  }
}

Asked ReadAsked(std::string_view body) {
  Asked asked;
  const auto json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    asked.fault = "the body is no JSON object";
    return asked;
  }
  for (const auto& [key, value] : json.items()) ReadOne(key, value, asked);
  return asked;
}

Json Sizes(const block::Blocks& blocks) {
  return {
      {"format_version", 1}, {"entries", blocks.list().size()}, {"capacity", blocks.capacity()}};
}

Response List(std::string_view target, const block::Blocks& blocks) {
  const auto parsed = ParseQuery(target);
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return BadRequest(refusal->reason);
  std::optional<block::Prefix> wanted;
  for (const auto& [name, value] : std::get<Query>(parsed)) {
    if (name != "prefix") return BadRequest(name + " is not known here");
    const auto prefix = block::ParsePrefix(value);
    if (!prefix.ok()) return Failed(prefix.diagnostics());
    wanted = *prefix;
  }
  Json json = Sizes(blocks);
  json["now"] = blocks.Now();
  json["blocks"] = Json::array();
  for (const block::Entry& entry : blocks.list()) {
    if (wanted && !wanted->Holds(entry.prefix) && !entry.prefix.Holds(*wanted)) continue;
    Json item = {{"prefix", entry.prefix.ToString()}};
    if (entry.until != 0) item["until"] = entry.until;
    if (!entry.comment.empty()) item["comment"] = entry.comment;
    json["blocks"].push_back(std::move(item));
  }
  return JsonAnswer(json);
}

Response Add(const Asked& asked, block::Blocks& blocks) {
  if (!asked.list || asked.all) return BadRequest("\"list\" has to say what to add");
  if (asked.seconds == 0) return BadRequest("\"for\" has to be a second at least");
  const auto start = std::chrono::steady_clock::now();
  const auto added = blocks.Add(*asked.list, asked.seconds, asked.comment);
  if (!added.ok()) return Failed(added.diagnostics());
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  Json json = Sizes(blocks);
  json["added"] = added->added;
  json["renewed"] = added->renewed;
  json["took_ms"] = took.count();
  return JsonAnswer(json);
}

Response Remove(const Asked& asked, block::Blocks& blocks) {
  if (asked.list.has_value() == asked.all) {
    return BadRequest("\"list\" has to say what to remove, or \"all\"");
  }
  const auto removed = asked.all ? blocks.RemoveAll() : blocks.Remove(*asked.list);
  if (!removed.ok()) return Failed(removed.diagnostics());
  Json json = Sizes(blocks);
  json["removed"] = removed->removed;
  json["missing"] = Json::array();
  for (const block::Prefix& prefix : removed->missing) json["missing"].push_back(prefix.ToString());
  return JsonAnswer(json);
}

}  // namespace

Response AnswerAboutBlocks(std::string_view target, std::string_view body, block::Blocks& blocks) {
  const std::string_view path = target.substr(0, target.find('?'));
  if (path == "/v1/blocks") return List(target, blocks);
  const Asked asked = ReadAsked(body);
  if (!asked.fault.empty()) return BadRequest(asked.fault);
  return path == "/v1/blocks/add" ? Add(asked, blocks) : Remove(asked, blocks);
}

}  // namespace march::control
