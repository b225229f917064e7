// The routes of the control API: from a request to its response, without a socket in sight.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/apply/applier.h"
#include "runtime/block/blocks.h"
#include "runtime/control/http1.h"
#include "runtime/events/event_log.h"
#include "runtime/flows/keeper.h"

namespace march::control {

// A body without an end that is known when it begins.
class Feed {
 public:
  virtual ~Feed() = default;

  // What there is to send by now, "" if nothing is. A feed that may be silent for long says
  // something every few seconds, by which the server learns whether its peer is still there.
  virtual std::string Take() = 0;
  // Nothing will come after what was taken.
  virtual bool HasEnded() const = 0;
};

struct Response {
  int status = 200;
  std::string content_type;
  std::string body;
  std::string allow = {};                // the Allow header of a 405
  std::unique_ptr<Feed> feed = nullptr;  // instead of a body
};

// What a server asks of whatever answers its requests.
class Handler {
 public:
  virtual ~Handler() = default;

  // Whether a request deserves its body to be read: the largest body for it, or the response that
  // refuses it right away.
  struct Admission {
    std::uint64_t max_body = 0;
    bool admitted = true;
    Response refusal;
  };
  virtual Admission Admit(const RequestHead& head) const = 0;
  virtual Response Handle(const RequestHead& head, std::string_view body) = 0;
};

// GET /healthz, /metrics, /v1/status, /v1/rules, /v1/bundle, /v1/events, /v1/flows,
// /v1/flows/summary, /v1/blocks; POST /v1/bundles, /v1/flows/cut, /v1/blocks/add,
// /v1/blocks/remove.
class Api final : public Handler {
 public:
  // Everything, or, for a network address, only /healthz and /metrics.
  enum class Scope { kAll, kMetrics };

  Api(apply::Applier& applier, Scope scope, std::uint64_t max_bundle_bytes)
      : applier_(applier), scope_(scope), max_bundle_bytes_(max_bundle_bytes) {}

  // Where events are kept. It outlives the API.
  void ServeEvents(const events::EventLog& log) { events_ = &log; }
  // Where connections are kept. It outlives the API.
  void ServeFlows(flows::FlowKeeper& keeper) { flows_ = &keeper; }
  // The block list. It outlives the API.
  void ServeBlocks(block::Blocks& blocks) { blocks_ = &blocks; }
  // What the applier does not know of the gateway.
  using Describe = std::function<void(telemetry::Snapshot&)>;
  void DescribeWith(Describe describe) { describe_ = std::move(describe); }

  Admission Admit(const RequestHead& head) const override;
  Response Handle(const RequestHead& head, std::string_view body) override;

 private:
  Response Apply(std::string_view bundle);
  Response Bundle(std::string_view target) const;
  Response Events(std::string_view target) const;
  Response Flows(std::string_view target) const;
  Response Blocks(std::string_view target, std::string_view body) const;

  apply::Applier& applier_;
  Scope scope_;
  std::uint64_t max_bundle_bytes_;
  const events::EventLog* events_ = nullptr;
  flows::FlowKeeper* flows_ = nullptr;
  block::Blocks* blocks_ = nullptr;
  Describe describe_ = [](telemetry::Snapshot&) {};
};

// {"format_version":1,"error":{"code","class","message","hint"}}. `kind` is "refused", "failed" or
// "request".
Response ErrorResponse(int status, std::string_view code, std::string_view kind,
                       std::string_view message, std::string_view hint = {});

}  // namespace march::control
