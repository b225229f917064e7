// The functions of bpf-templates/common/flow.h, compiled for the host, against a model: random
// packets, policies, cuts and times.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "runtime/flows/counts.h"
#include "runtime/flows/flow_table.h"
#include "tests/connections/flow_model.h"
#include "tests/connections/native_gateway.h"
#include "tests/course.h"

namespace march::tests {
namespace {

using flows::Ending;
using flows::Flow;
using flows::FlowRecord;
using flows::FlowTable;

constexpr std::uint32_t kBegin = 5000;  // tick
constexpr std::uint32_t kSlot = 40;

// A policy, by what it allows: a bit for each protocol and destination.
using Policy = std::set<std::pair<std::uint32_t, std::uint64_t>>;

bool Allows(const Policy& policy, std::uint32_t protocol, const End& to) {
  return policy.contains({protocol, to.address});
}

std::uint32_t JudgeKey(const void* policy, const march_key* key) {
  const std::uint32_t protocol = key->l4 >> 16 & 0xFF;
  const bool is_answer = protocol == 1 && (key->l4 >> 8 & 0xFF) != 8;
  const End to = {key->dst_lo, 0};
  return !is_answer && Allows(*static_cast<const Policy*>(policy), protocol, to) ? kSlot : 0;
}

march_config ConfigOf(std::uint32_t established, std::uint32_t fresh) {
  march_config config{};
  config.secret[0] = 11;
  config.secret[1] = 12;
  config.flows.established = established / MARCH_FLOW_LANES;
  config.flows.fresh = fresh / MARCH_FLOW_LANES;
  // All of different lengths, and short, so that flows end.
  for (std::uint32_t i = 0; i < MARCH_TIMEOUTS; ++i) config.flows.timeouts[i] = 9 + 13 * i;
  return config;
}

// A gateway whose tables are in ordinary memory.
class NativeGateway {
 public:
  explicit NativeGateway(const march_config& config)
      : config_(config),
        buckets_(config.flows.established + config.flows.fresh),
        records_(buckets_.size() * MARCH_FLOW_LANES),
        native_{&config_, buckets_.data(), records_.data(), {}, 0},
        table_(buckets_.data(), records_.data(), config_) {}

  void Enforce(const Policy& policy, std::uint32_t generation) {
    policy_ = policy;
    config_.flows.generation = generation;
  }

  bool Send(const ModelPacket& packet, std::uint32_t id, std::uint32_t now) {
    march_native_packet native{};
    native.key.src_lo = packet.from.address;
    native.key.dst_lo = packet.to.address;
    native.key.family = 4;
    native.key.source_port = packet.from.port;
    native.key.l4 = MARCH_L4_KEY(packet.protocol, packet.to.port);
    native.key.detail = packet.flags;
    if (packet.protocol == 1) {
      native.key.source_port = 0;
      native.key.l4 = MARCH_L4_KEY(1U, MARCH_ICMP_PORT(packet.is_answer ? 0U : 8U, 0U));
      native.key.detail = packet.from.port;
    }
    native.numbers = std::uint64_t{packet.sequence} << 32 | packet.acknowledged;
    native.bytes = packet.bytes;
    native.now = now;
    native.ifindex = id;
    return march_native_decide(&native_, &native, &JudgeKey, &policy_) != 0;
  }

  // By id.
  std::map<std::uint32_t, Flow> Living(std::uint32_t now) const {
    std::map<std::uint32_t, Flow> living;
    table_.Walk(now,
                [&](const Flow& flow) { CHECK(living.emplace(flow.record.ifindex, flow).second); });
    return living;
  }
  bool IsEstablished(const Flow& flow) const { return flow.number < table_.established_capacity(); }
  std::uint64_t Statistic(march_statistic which) const { return native_.statistics[which]; }

  // Of the places of new flows, those by whose hash flows have been put into a second bucket.
  std::size_t Spilled(std::size_t table) const {
    return static_cast<std::size_t>(
        std::count_if(records_.begin(), records_.end(),
                      [&](const march_flow& record) { return record.spilled_until[table] != 0; }));
  }

  FlowTable& table() { return table_; }

 private:
  march_config config_;
  std::vector<march_flow_bucket> buckets_;
  std::vector<march_flow> records_;
  march_native_gateway native_;
  FlowTable table_;
  Policy policy_;
};

// Packets among a few hosts and ports, so that many belong together, and policies.
class Traffic {
 public:
  Traffic(unsigned seed, std::uint32_t hosts, std::uint32_t ports)
      : random_(seed), hosts_(hosts), ports_(ports) {}

  std::uint32_t Below(std::uint32_t bound) {
    return std::uniform_int_distribution<std::uint32_t>(0, bound - 1)(random_);
  }

  ModelPacket Packet() {
    constexpr std::uint32_t kProtocols[] = {6, 6, 6, 17, 1, 47};
    ModelPacket packet;
    packet.protocol = kProtocols[Below(6)];
    packet.bytes = 60 + Below(1400);
    packet.from = {1 + Below(hosts_), 0};
    packet.to = {1 + (packet.from.address - 1 + 1 + Below(hosts_ - 1)) % hosts_, 0};
    const std::uint32_t ports[] = {100 + Below(ports_), 7};
    if (packet.protocol == 6 || packet.protocol == 17) {
      const bool is_back = Below(2) == 1;
      packet.from.port = ports[is_back ? 1 : 0];
      packet.to.port = ports[is_back ? 0 : 1];
    } else if (packet.protocol == 1) {
      packet.from.port = packet.to.port = ports[0];
      // Nobody pings back with the same identifier.
      packet.is_answer = packet.from.address > packet.to.address;
    }
    if (packet.protocol == 6) Shape(packet);
    return packet;
  }

  Policy NewPolicy() {
    Policy policy;
    for (const std::uint32_t protocol : {1U, 6U, 17U, 47U}) {
      for (std::uint64_t host = 1; host <= hosts_; ++host) {
        if (Below(3) != 0) policy.emplace(protocol, host);
      }
    }
    return policy;
  }

 private:
  // Flags and numbers, mostly such as make sense somewhere in a connection.
  void Shape(ModelPacket& packet) {
    constexpr std::uint32_t kFlags[] = {
        kTcpSyn, kTcpSyn,           kTcpSyn | kTcpAck, kTcpSyn | kTcpAck, kTcpAck, kTcpAck, kTcpAck,
        kTcpAck, kTcpFin | kTcpAck, kTcpRst,           kTcpRst | kTcpAck, kTcpFin, 0};
    packet.flags = kFlags[Below(std::size(kFlags))];
    packet.sequence = Below(2) * 0xFFFFFF00 + Below(3);
    packet.acknowledged = packet.flags == kTcpAck && Below(4) != 0
                              ? Below(2) * 0xFFFFFF00 + Below(0x10004)
                              : Below(0xFFFFFFFF);
  }

  std::mt19937 random_;
  std::uint32_t hosts_;
  std::uint32_t ports_;
};

bool CountsMatch(const march_flow& record, const ModelFlow& model) {
  return flows::CountsOf(record, MARCH_FLOW_FORWARD) == flows::Counts{model.packets, model.bytes} &&
         flows::CountsOf(record, MARCH_FLOW_REPLY) ==
             flows::Counts{model.reply_packets, model.reply_bytes};
}

bool IsTheSame(const Flow& flow, bool is_established, const ModelFlow& model) {
  const march_flow& record = flow.record;
  return MARCH_FLOW_STATE(record.judged) == model.state &&
         MARCH_FLOW_GENERATION(record.judged) == model.generation &&
         MARCH_FLOW_SLOT(record.judged) == kSlot &&
         MARCH_FLOW_DEADLINE(flow.word) == model.deadline && CountsMatch(record, model) &&
         record.src_lo == model.opener.address && record.dst_lo == model.other.address &&
         is_established == ((model.state & MARCH_FLOW_ESTABLISHED) != 0);
}

Ending EndingOf(const ModelFlow& model) {
  if (model.is_forbidden) return Ending::kForbidden;
  if ((model.state & MARCH_FLOW_CUT) != 0) return Ending::kCut;
  if ((model.state & MARCH_FLOW_RESET) != 0) return Ending::kReset;
  return (model.state & MARCH_FLOW_FINS) == MARCH_FLOW_FINS ? Ending::kFinished : Ending::kTimeout;
}

// Both of them, which must agree.
class Pair {
 public:
  explicit Pair(const march_config& config) : gateway_(config), model_(config) {}

  void Enforce(const Policy& policy) {
    model_.Enforce([policy](std::uint32_t protocol, const End&, const End& to) {
      return Allows(policy, protocol, to);
    });
    gateway_.Enforce(policy, model_.generation());
  }

  void Send(const ModelPacket& packet) {
    ++id_;
    const bool expected = model_.Send(packet, id_, now_);
    REQUIRE(gateway_.Send(packet, id_, now_) == expected);
  }

  void Cut(std::uint64_t host) {
    model_.Cut(now_, [&](const ModelFlow& flow) { return flow.opener.address == host; });
    gateway_.table().CutAll(now_, [&](const march_flow& flow) { return flow.src_lo == host; });
  }

  void Pass(std::uint32_t ticks) { now_ += ticks; }

  void Sweep() {
    gateway_.table().Sweep(now_, 1'000'000, [&](const FlowRecord& record) {
      CHECK(records_.emplace(record.flow.ifindex, record).second);
    });
  }

  void Compare() {
    const auto expected = model_.Living(now_);
    const auto living = gateway_.Living(now_);
    REQUIRE(living.size() == expected.size());
    for (const auto& [id, flow] : living) {
      REQUIRE(expected.contains(id));
      REQUIRE(IsTheSame(flow, gateway_.IsEstablished(flow), expected.at(id)));
    }
  }

  // Of which the model knows nothing.
  bool HasHadNoRoom() const {
    return gateway_.Statistic(MARCH_STATISTIC_FLOWS_EVICTED) +
               gateway_.Statistic(MARCH_STATISTIC_FLOWS_NO_ROOM) !=
           0;
  }

  // Everything has ended.
  void CompareRecords() {
    Pass(10'000);
    REQUIRE(model_.Living(now_).empty());
    Sweep();
    const auto& ended = model_.ended();
    for (const auto& [id, record] : records_) {
      REQUIRE(ended.contains(id));
      const ModelFlow& model = ended.at(id);
      REQUIRE(CountsMatch(record.flow, model));
      REQUIRE(record.ending == EndingOf(model));
      REQUIRE(record.ended >= record.flow.begun);
    }
    // The others' places were taken before the sweeper came.
    REQUIRE(records_.size() + gateway_.Statistic(MARCH_STATISTIC_FLOWS_REPLACED) == ended.size());
    REQUIRE(gateway_.Statistic(MARCH_STATISTIC_FLOWS_OPENED) == ended.size());
    REQUIRE_FALSE(HasHadNoRoom());
  }

  std::size_t records() const { return records_.size(); }
  std::size_t Spilled(std::size_t table) const { return gateway_.Spilled(table); }

 private:
  NativeGateway gateway_;
  FlowModel model_;
  std::uint32_t now_ = kBegin;
  std::uint32_t id_ = 0;
  std::map<std::uint32_t, FlowRecord> records_;
};

struct Course {
  std::size_t full = 0;  // runs that ended since there was no room
  std::size_t records = 0;
  std::size_t spilled[2] = {0, 0};  // by MARCH_FLOW_TABLE_*
};

void RunCourse(unsigned seed, const march_config& config, Traffic traffic, Course& course) {
  CAPTURE(seed);
  Pair pair(config);
  pair.Enforce(traffic.NewPolicy());
  for (int step = 0; step < 1500; ++step) {
    CAPTURE(step);
    const std::uint32_t what = traffic.Below(200);
    if (what == 0) pair.Enforce(traffic.NewPolicy());
    if (what == 1) pair.Cut(1 + traffic.Below(4));
    if (what < 4) pair.Pass(traffic.Below(150));
    if (what < 40) pair.Pass(1);
    if (what < 80) pair.Sweep();
    pair.Send(traffic.Packet());
    if (pair.HasHadNoRoom()) break;
    if (step % 16 == 0) pair.Compare();
  }
  if (pair.HasHadNoRoom()) {
    ++course.full;
  } else {
    pair.Compare();
    pair.CompareRecords();
  }
  course.records += pair.records();
  for (std::size_t table = 0; table < 2; ++table) course.spilled[table] += pair.Spilled(table);
}

TEST_CASE("connections do what the model does") {
  Course course;
  for (unsigned seed = 0; seed < tests::Course(150U, 30U); ++seed) {
    RunCourse(seed, ConfigOf(2048, 2048), Traffic(seed, 2 + seed % 4, 1 + seed % 5), course);
  }
  CHECK(course.records > tests::Course(10'000U, 2'000U));
}

TEST_CASE("established connections in their second places do what the model does") {
  Course course;
  march_config config = ConfigOf(32, 512);
  for (std::uint32_t& timeout : config.flows.timeouts) timeout *= 10;
  for (unsigned seed = 0; seed < tests::Course(150U, 30U); ++seed) {
    RunCourse(seed, config, Traffic(seed, 4, 1), course);
  }
  CHECK(course.spilled[MARCH_FLOW_TABLE_ESTABLISHED] > tests::Course(500U, 80U));
  CHECK(course.full == 0);
}

TEST_CASE("new connections in their second places do what the model does") {
  Course course;
  for (unsigned seed = 0; seed < tests::Course(150U, 30U); ++seed) {
    RunCourse(seed, ConfigOf(128, 128), Traffic(seed, 6, 12), course);
  }
  CHECK(course.spilled[MARCH_FLOW_TABLE_NEW] > tests::Course(180U, 30U));
  CHECK(course.full < tests::Course(20U, 6U));
}

using Ends = std::tuple<std::uint32_t, End, End>;

Ends EndsOf(const Flow& flow) {
  const std::uint64_t l4 = flow.record.l4;
  return {static_cast<std::uint32_t>(MARCH_FLOW_PROTOCOL(l4)),
          {flow.record.src_lo, static_cast<std::uint32_t>(MARCH_FLOW_SOURCE_PORT(l4))},
          {flow.record.dst_lo, static_cast<std::uint32_t>(MARCH_FLOW_DESTINATION_PORT(l4))}};
}

bool Concerns(const ModelPacket& packet, const Flow& flow) {
  const auto ends = EndsOf(flow);
  return ends == Ends(packet.protocol, packet.from, packet.to) ||
         ends == Ends(packet.protocol, packet.to, packet.from);
}

TEST_CASE("in tables that are far too small, established flows stay and nothing passes unasked") {
  std::uint64_t evicted = 0;
  std::uint64_t no_room = 0;
  for (unsigned seed = 0; seed < tests::Course(60U, 30U); ++seed) {
    CAPTURE(seed);
    Traffic traffic(seed, 4, 4);
    const std::uint32_t established = MARCH_FLOW_LANES * (1 + seed % 2);
    const std::uint32_t fresh = MARCH_FLOW_LANES * (1 + seed % 3);
    NativeGateway gateway(ConfigOf(established, fresh));
    std::uint32_t generation = 1;
    Policy policy = traffic.NewPolicy();
    gateway.Enforce(policy, generation);
    std::set<Ends> seen;
    std::uint32_t now = kBegin;
    for (std::uint32_t step = 0; step < 1500; ++step) {
      CAPTURE(step);
      const std::uint32_t what = traffic.Below(200);
      if (what == 0) gateway.Enforce(policy = traffic.NewPolicy(), ++generation);
      if (what < 30) now += 1;
      if (what < 10) gateway.table().Sweep(now, 1000, [](const FlowRecord&) {});
      const ModelPacket packet = traffic.Packet();
      const auto before = gateway.Living(now);
      const bool passes = gateway.Send(packet, step + 1, now);

      // Only what the policy allows, or an answer to what it allows and has been asked.
      const bool is_allowed = !packet.is_answer && Allows(policy, packet.protocol, packet.to);
      const bool is_asked = seen.contains({packet.protocol, packet.to, packet.from}) &&
                            Allows(policy, packet.protocol, packet.from);
      if (passes) REQUIRE((is_allowed || is_asked));
      if (!packet.is_answer) seen.insert({packet.protocol, packet.from, packet.to});

      const auto after = gateway.Living(now);
      for (const auto& [id, flow] : before) {
        if (!gateway.IsEstablished(flow) || Concerns(packet, flow)) continue;
        REQUIRE(after.contains(id));
        REQUIRE(after.at(id).number == flow.number);
      }
      // One flow in one place.
      std::set<Ends> living;
      for (const auto& [id, flow] : after) REQUIRE(living.insert(EndsOf(flow)).second);
    }
    evicted += gateway.Statistic(MARCH_STATISTIC_FLOWS_EVICTED);
    no_room += gateway.Statistic(MARCH_STATISTIC_FLOWS_NO_ROOM);
  }
  CAPTURE(evicted, no_room);
  CHECK(evicted > tests::Course(1000U, 500U));
  CHECK(no_room > tests::Course(100U, 50U));
}

}  // namespace
}  // namespace march::tests
