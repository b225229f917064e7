// Two hosts that talk, and what the model says of each of their packets. No other hosts' packets
// have anything to do with theirs, so each conversation has a model of its own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/flows/clock.h"
#include "tests/connections/flow_model.h"
#include "tests/random/random.h"
#include "tests/soak/talk.h"

namespace march::soak {

// What a soak has had to do with, so that it is seen to have done something.
struct Tally {
  std::uint64_t opened = 0;     // flows
  std::uint64_t ended = 0;      // of these, in conversations that are over
  std::uint64_t forbidden = 0;  // of these, by a later policy
  std::uint64_t timed_out = 0;  // of these, by silence
  std::uint64_t replies = 0;    // packets that passed since they belong to a flow, for nothing else

  void Add(const tests::ModelFlow& flow);
};

class Conversation {
 public:
  using Allows = tests::FlowModel::Allows;

  Conversation(std::uint64_t number, const march_config& config, tests::Random& random);

  // A policy is in force from now on, or since before the conversation.
  void Enforce(const Allows& allows, std::uint64_t policy);

  // When, at or after `now`, it is certain which flows live: near a deadline, gateway and model may
  // differ by as much as the deadlines that they have written down.
  flows::Tick SureFrom(flows::Tick now) const;

  // The next packet, as of now, and what becomes of it.
  struct Said {
    tests::ModelPacket packet;
    bool passes = false;
  };
  Said Say(flows::Tick now, tests::Random& random);

  bool is_over() const { return talk_.is_over(); }
  // Whether the last packet passes only since it belongs to a flow.
  bool was_reply() const { return was_reply_; }
  // Whether it opened a flow.
  bool has_opened() const { return has_opened_; }
  void CountFlows(Tally& tally, flows::Tick now);
  // All that was said, and the flows in the model.
  std::string Describe();

 private:
  struct Line {
    Said said;
    flows::Tick when = 0;
    std::uint64_t policy = 0;
  };

  Talk talk_;
  tests::FlowModel model_;
  Allows allows_;
  std::uint64_t policy_ = 0;
  std::vector<flows::Tick> deadlines_;  // of the flows that lived at the last packet
  std::vector<Line> lines_;
  bool was_reply_ = false;
  bool has_opened_ = false;
};

}  // namespace march::soak
