#include "tests/soak/conversation.h"

#include <sstream>

#include "tests/soak/exchange.h"

namespace march::soak {
namespace {

// Both write down a deadline only when it moves by MARCH_FLOW_SLACK, and a packet may come in one
// tick after it was sent.
constexpr flows::Tick kUnsure = MARCH_FLOW_SLACK + 2;

std::string TextOf(const tests::ModelFlow& flow) {
  std::ostringstream text;
  text << "state " << flow.state << ", judged by the model's policy " << flow.generation
       << ", until tick " << flow.deadline << ", opened by port " << flow.opener.port << ", "
       << flow.packets << " packets, " << flow.reply_packets << " back"
       << (flow.is_forbidden ? ", forbidden" : "");
  return text.str();
}

}  // namespace

void Tally::Add(const tests::ModelFlow& flow) {
  ++ended;
  if (flow.is_forbidden) {
    ++forbidden;
  } else if ((flow.state & MARCH_FLOW_RESET) == 0 &&
             (flow.state & MARCH_FLOW_FINS) != MARCH_FLOW_FINS) {
    ++timed_out;
  }
}

Conversation::Conversation(std::uint64_t number, const march_config& config, tests::Random& random)
    : talk_(number, random), model_(config) {}

void Conversation::Enforce(const Allows& allows, std::uint64_t policy) {
  allows_ = allows;
  model_.Enforce(allows);
  policy_ = policy;
}

flows::Tick Conversation::SureFrom(flows::Tick now) const {
  flows::Tick sure = now;
  for (std::size_t i = 0; i < deadlines_.size(); ++i) {
    for (const flows::Tick deadline : deadlines_) {
      if (sure + kUnsure >= deadline && sure <= deadline + kUnsure) sure = deadline + kUnsure + 1;
    }
  }
  return sure;
}

Conversation::Said Conversation::Say(flows::Tick now, tests::Random& random) {
  Said said{talk_.Next(random), false};
  const tests::ModelPacket& packet = said.packet;
  // A flow's id; ids of one conversation differ.
  said.passes = model_.Send(packet, static_cast<std::uint32_t>(lines_.size()), now);
  was_reply_ =
      said.passes && (packet.is_answer || !allows_(packet.protocol, packet.from, packet.to));
  talk_.Learn(said.passes, random);
  deadlines_.clear();
  has_opened_ = false;
  for (const auto& [id, flow] : model_.Living(now)) {
    deadlines_.push_back(flow.deadline);
    if (id == lines_.size()) has_opened_ = true;
  }
  lines_.push_back({said, now, policy_});
  return said;
}

void Conversation::CountFlows(Tally& tally, flows::Tick now) {
  model_.Living(now);
  for (const auto& [id, flow] : model_.ended()) tally.Add(flow);
}

std::string Conversation::Describe() {
  std::ostringstream text;
  text << "the conversation, by tick and policy, and what the model says:\n";
  for (const Line& line : lines_) {
    text << "  " << line.when << "  policy " << line.policy << "  "
         << (line.said.passes ? "pass" : "drop") << "  " << TextOf(line.said.packet) << "\n";
  }
  const flows::Tick now = lines_.empty() ? 0 : lines_.back().when;
  for (const auto& [id, flow] : model_.Living(now)) text << "flow: " << TextOf(flow) << "\n";
  for (const auto& [id, flow] : model_.ended()) text << "ended flow: " << TextOf(flow) << "\n";
  return text.str();
}

}  // namespace march::soak
