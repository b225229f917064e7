// Events over the control API: GET /v1/events, and GET /v1/bundle, by which they are explained.
#pragma once

#include <string_view>

#include "runtime/apply/applier.h"
#include "runtime/control/api.h"
#include "runtime/events/event_log.h"

namespace march::control {

// The lines of the log from now on; `last=N`: and up to N before; `since=N`: from the one with this
// number on; `follow=false`: up to now. Of packets, unless `packets=false`; of connections that
// have ended, if `flows=true`. 400 for a query that is not understood.
Response AnswerEvents(std::string_view target, const events::EventLog& log);

// The bytes of the bundle in force, or with `generation=N` of that generation. 404 if it is not
// stored.
Response AnswerBundle(std::string_view target, const apply::Applier& applier);

}  // namespace march::control
