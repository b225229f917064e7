// The routes of the control API: from a request to its response, without a socket in sight.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/apply/applier.h"
#include "runtime/control/http1.h"

namespace march::control {

struct Response {
  int status = 200;
  std::string content_type;
  std::string body;
  std::string allow;  // the Allow header of a 405
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

// GET /healthz, /metrics, /v1/status, /v1/rules; POST /v1/bundles.
class Api final : public Handler {
 public:
  // Everything, or, for a network address, only /healthz and /metrics.
  enum class Scope { kAll, kMetrics };

  Api(apply::Applier& applier, Scope scope, std::uint64_t max_bundle_bytes)
      : applier_(applier), scope_(scope), max_bundle_bytes_(max_bundle_bytes) {}

  Admission Admit(const RequestHead& head) const override;
  Response Handle(const RequestHead& head, std::string_view body) override;

 private:
  Response Apply(std::string_view bundle);

  apply::Applier& applier_;
  Scope scope_;
  std::uint64_t max_bundle_bytes_;
};

// {"format_version":1,"error":{"code","class","message","hint"}}. `kind` is "refused", "failed" or
// "request".
Response ErrorResponse(int status, std::string_view code, std::string_view kind,
                       std::string_view message, std::string_view hint = {});

}  // namespace march::control
