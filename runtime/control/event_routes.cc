#include "runtime/control/event_routes.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/number.h"
#include "runtime/control/query.h"

namespace march::control {
namespace {

class EventFeed final : public Feed {
 public:
  EventFeed(const events::EventLog& log, const events::BySort& sorts, std::uint64_t from,
            bool follows)
      : reader_(log, sorts, from, follows) {}

  std::string Take() override {
    return reader_.Take(std::chrono::steady_clock::now(), kPieceBytes);
  }
  bool HasEnded() const override { return reader_.has_ended(); }

 private:
  static constexpr std::size_t kPieceBytes = 64 * 1024;

  events::Reader reader_;
};

// The parameters of a query, read one by one; what is left at the end is a fault.
class Parameters {
 public:
  explicit Parameters(std::string_view target) {
    auto query = ParseQuery(target);
    if (auto* refusal = std::get_if<Refusal>(&query)) {
      fault_ = std::move(refusal->reason);
    } else {
      query_ = std::get<Query>(std::move(query));
    }
  }

  std::optional<std::uint64_t> Number(std::string_view name) {
    const auto text = Take(name);
    if (!text) return std::nullopt;
    const auto number = ReadNumber<std::uint64_t>(*text);
    if (!number) Fail(name, *text, "is no number");
    return number;
  }

  bool Flag(std::string_view name, bool otherwise) {
    const auto text = Take(name);
    if (!text) return otherwise;
    if (*text != "true" && *text != "false") Fail(name, *text, "is neither true nor false");
    return *text == "true";
  }

  // "" if all was understood.
  std::string Fault() {
    for (const auto& [name, value] : query_) Fail(name, value, "is not known here");
    return fault_;
  }

 private:
  std::optional<std::string> Take(std::string_view name) {
    const auto found = query_.find(name);
    if (found == query_.end()) return std::nullopt;
    std::string value = std::move(found->second);
    query_.erase(found);
    return value;
  }

  void Fail(std::string_view name, const std::string& value, const std::string& what) {
    if (fault_.empty()) fault_ = std::string(name) + "=" + value + " " + what;
  }

  Query query_;
  std::string fault_;
};

}  // namespace

Response AnswerEvents(std::string_view target, const events::EventLog& log) {
  Parameters parameters(target);
  const std::uint64_t last = parameters.Number("last").value_or(0);
  const auto since = parameters.Number("since");
  const bool follows = parameters.Flag("follow", true);
  const events::BySort sorts = {parameters.Flag("packets", true), parameters.Flag("flows", false)};
  if (const std::string fault = parameters.Fault(); !fault.empty()) {
    return ErrorResponse(400, "", "request", fault);
  }
  const std::uint64_t from = since.value_or(log.NumberBefore(sorts, last));
  Response response{200, "application/x-ndjson", ""};
  response.feed = std::make_unique<EventFeed>(log, sorts, from, follows);
  return response;
}

Response AnswerBundle(std::string_view target, const apply::Applier& applier) {
  Parameters parameters(target);
  const auto asked = parameters.Number("generation");
  if (const std::string fault = parameters.Fault(); !fault.empty()) {
    return ErrorResponse(400, "", "request", fault);
  }
  const auto generation = asked ? asked : applier.CurrentNumber();
  if (!generation) return ErrorResponse(404, "", "request", "no policy is in force");
  auto bytes = applier.StoredBundle(*generation);
  if (!bytes.ok()) {
    return ErrorResponse(
        404, "", "request",
        "the bundle of generation " + std::to_string(*generation) + " is not stored");
  }
  return {200, "application/octet-stream", *std::move(bytes)};
}

}  // namespace march::control
