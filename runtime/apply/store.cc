#include "runtime/apply/store.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/number.h"
#include "bundle/bundle.h"

namespace march::apply {
namespace {

using Json = nlohmann::json;
using telemetry::Count;

constexpr std::uint64_t kMaxStateBytes = std::uint64_t{4} << 30;
constexpr std::uint64_t kMaxCurrentBytes = 64;
constexpr unsigned kPrivate = 0600;

std::optional<std::uint64_t> ReadGeneration(std::string_view text) {
  const auto number = ReadNumber<std::uint64_t>(text);
  return number && *number != 0 ? number : std::nullopt;
}

// Names come from signed bundles, yet any byte of theirs must survive.
std::string Dump(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n";
}

Count CountAt(const Json& row, std::size_t index) {
  return {row.at(index).get<std::uint64_t>(), row.at(index + 1).get<std::uint64_t>()};
}

}  // namespace

std::string WriteStateJson(const State& state) {
  Json json;
  json["format_version"] = 1;
  json["highest_serial"] = state.highest_serial;
  json["last_generation"] = state.last_generation;
  json["folded"] = state.folded;
  json["slots"] = Json::array();
  for (const auto& [name, count] : state.ledger.slots) {
    json["slots"].push_back({name, count.packets, count.bytes});
  }
  json["defaults"] = Json::array();
  for (const auto& [action, count] : state.ledger.defaults) {
    json["defaults"].push_back({action, count.packets, count.bytes});
  }
  json["mappings"] = Json::array();
  for (const auto& [key, count] : state.ledger.mappings) {
    json["mappings"].push_back({key.name, key.action, count.packets, count.bytes});
  }
  json["rest"] = {state.ledger.rest.packets, state.ledger.rest.bytes};
  return Dump(json);
}

Outcome<State> ReadStateJson(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    if (json.at("format_version") != 1) {
      return MakeDiagnostic(Code::kStateDamaged, {}, "state.json is of another format version");
    }
    State state;
    state.highest_serial = json.at("highest_serial").get<std::uint64_t>();
    state.last_generation = json.at("last_generation").get<std::uint64_t>();
    state.folded = json.at("folded").get<std::set<std::uint64_t>>();
    for (const Json& row : json.at("slots")) {
      state.ledger.slots[row.at(0).get<std::string>()] = CountAt(row, 1);
    }
    for (const Json& row : json.at("defaults")) {
      state.ledger.defaults[row.at(0).get<std::string>()] = CountAt(row, 1);
    }
    for (const Json& row : json.at("mappings")) {
      state.ledger.mappings[{row.at(0).get<std::string>(), row.at(1).get<std::string>()}] =
          CountAt(row, 2);
    }
    state.ledger.rest = CountAt(json.at("rest"), 0);
    return state;
  } catch (const Json::exception&) {
    return MakeDiagnostic(Code::kStateDamaged, {}, "state.json cannot be read");
  }
}

bool Store::IsEmpty() const {
  const auto is_absent = [&](const char* name) {
    return files_.KindOf(directory_ + name) == FileSystem::Kind::kNothing;
  };
  return is_absent("/state.json") && is_absent("/current") && is_absent("/generations");
}

Outcome<State> Store::ReadState() const {
  auto text = files_.Read(directory_ + "/state.json", kMaxStateBytes);
  if (!text.ok()) return std::move(text).diagnostics();
  return ReadStateJson(*text);
}

Outcome<Done> Store::WriteState(const State& state) {
  return files_.WriteAtomically(directory_ + "/state.json", WriteStateJson(state), kPrivate);
}

Store::Current Store::ReadCurrent() const {
  const std::string path = directory_ + "/current";
  if (files_.KindOf(path) == FileSystem::Kind::kNothing) return {};
  const auto text = files_.Read(path, kMaxCurrentBytes);
  if (!text.ok() || !text->ends_with('\n')) return {true, std::nullopt};
  return {true, ReadGeneration(std::string_view(*text).substr(0, text->size() - 1))};
}

Outcome<Done> Store::WriteCurrent(std::uint64_t generation) {
  return files_.WriteAtomically(directory_ + "/current", std::to_string(generation) + "\n",
                                kPrivate);
}

Outcome<Done> Store::RemoveCurrent() {
  return files_.Remove(directory_ + "/current");
}

std::vector<std::uint64_t> Store::Stored() const {
  std::vector<std::uint64_t> numbers;
  const auto names = files_.List(directory_ + "/generations");
  if (!names.ok()) return numbers;
  for (const std::string& name : *names) {
    if (const auto number = ReadGeneration(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Outcome<std::string> Store::ReadBundle(std::uint64_t generation) const {
  return files_.Read(directory_ + "/generations/" + std::to_string(generation) + "/bundle.march",
                     bundle::kMaxBundleBytes);
}

Outcome<Done> Store::WriteBundle(std::uint64_t generation, const std::string& bytes) {
  return files_.WriteAtomically(
      directory_ + "/generations/" + std::to_string(generation) + "/bundle.march", bytes, kPrivate);
}

Outcome<Done> Store::RemoveBundle(std::uint64_t generation) {
  return files_.Remove(directory_ + "/generations/" + std::to_string(generation));
}

}  // namespace march::apply
