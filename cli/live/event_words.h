// Events in the policy's words.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "cli/live/event.h"
#include "cli/live/policies.h"

namespace march::cli {

// Why something happened to a packet or a connection.
struct EventWords {
  struct Near {
    std::string mapping;
    std::string place;
    std::vector<std::string> differs;  // "from", "to", "protocol and port", "source port"
    std::string text;                  // "allows tcp/443 to it"
  };

  std::string why;         // "default deny: no mapping from payments to 203.0.113.9 tcp/25"
  std::vector<Near> near;  // mappings that would have let it pass, but for this
  std::string answer_of;   // the mapping that lets the opposite direction pass, or ""
};

// `policy` is that of the event's generation, null if it is not known.
EventWords Explain(const Event& event, const LivePolicy* policy);

// "10:15:02.113 deny  tcp 10.20.1.1:40000 > 203.0.113.9:25  default deny: ...", and indented lines
// for what else there is to say. Each ends with a line break.
std::string TextOf(const Event& event, const EventWords& words);

// The event with the words: `why`, `near`, `answer_of`.
nlohmann::ordered_json JsonOf(const Event& event, const EventWords& words);

}  // namespace march::cli
