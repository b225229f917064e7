// What two hosts say to each other: connections as hosts have them, and now and then a packet that
// belongs nowhere. Whoever gets no answer tries again.
#pragma once

#include <cstdint>

#include "tests/connections/flow_model.h"
#include "tests/random/random.h"

namespace march::soak {

class Talk {
 public:
  // Talks whose numbers are less than 2 million apart have different ends.
  Talk(std::uint64_t number, tests::Random& random);

  tests::ModelPacket Next(tests::Random& random);
  // What became of it.
  void Learn(bool has_passed, tests::Random& random);
  bool is_over() const { return left_ == 0; }

  std::uint32_t protocol() const { return protocol_; }
  const tests::End& opener() const { return opener_; }
  const tests::End& other() const { return other_; }

 private:
  // Of TCP: what comes next.
  enum class Stage { kSyn, kSynAck, kAck, kData, kFin, kFinBack, kLastAck };

  struct Segment {
    bool is_openers = true;
    std::uint32_t flags = 0;
  };

  Segment Planned(tests::Random& random) const;
  void Shape(tests::ModelPacket& packet, const Segment& segment, tests::Random& random) const;
  tests::ModelPacket NextSegment(tests::Random& random);
  tests::ModelPacket NextDatagram(tests::Random& random);
  tests::ModelPacket NextEcho(tests::Random& random);
  tests::ModelPacket From(bool is_openers) const;
  void Proceed(tests::Random& random);
  void BeginAnew(tests::Random& random);

  std::uint32_t protocol_ = 0;
  tests::End opener_;
  tests::End other_;
  std::uint32_t left_ = 0;  // packets
  Stage stage_ = Stage::kSyn;
  bool opener_ends_ = true;
  bool is_planned_ = true;  // the packet that was given out last
  std::uint32_t opener_isn_ = 0;
  std::uint32_t other_isn_ = 0;
};

}  // namespace march::soak
