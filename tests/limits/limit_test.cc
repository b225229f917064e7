// The buckets of limits (bpf-templates/common/limit.h), natively, against exact arithmetic.
#include <catch2/catch.hpp>
#include <cstring>
#include <map>
#include <set>
#include <thread>

#include "base/file_system.h"
#include "compiler/pipeline/pipeline.h"
#include "tests/limits/native_limit.h"
#include "tests/random/random.h"

namespace march::tests {
namespace {

using space::Uint128;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kDay = 86'400 * kSecond;

// The records of one mapping, as the compiler makes them of its attribute.
std::vector<march_limit> LimitsOf(const std::string& limit) {
  MemoryFileSystem files;
  const std::string text =
      "apiVersion: march/v1\nkind: Policy\nmappings: { m: { limit: { " + limit + " } } }\n";
  REQUIRE(files.WriteAtomically("p.yaml", text, 0600).ok());
  const auto compiled = pipeline::Compile(files, "p.yaml", pipeline::Stage::kTables);
  REQUIRE(compiled.ok());
  march_tables_header header;
  std::memcpy(&header, compiled.tables->words.data(), sizeof(header));
  std::vector<march_limit> limits(header.limit_count);
  std::memcpy(limits.data(),
              &compiled.tables->words.at(std::size_t{header.limits} * MARCH_LINE_WORDS),
              limits.size() * sizeof(march_limit));
  return limits;
}

class Gateway {
 public:
  explicit Gateway(std::uint32_t lines = 16) : lines_(lines) {
    gateway_.config.secret[0] = 0x0123456789abcdef;
    gateway_.config.secret[1] = 0xfedcba9876543210;
    gateway_.config.limits.lines = lines;
    gateway_.lines = lines_.data();
  }

  bool Admits(const std::vector<march_limit>& limits, std::uint64_t time, std::uint64_t bytes = 1,
              const march_key& key = {}, bool is_new = false, std::uint64_t late = 0) {
    const std::uint32_t result =
        native_limit_admits(&gateway_, limits.data(), static_cast<std::uint32_t>(limits.size()),
                            &key, bytes, is_new ? 1 : 0, time, late);
    last_ = result;
    return result == 0;
  }
  std::uint32_t last() const { return last_; }
  std::uint64_t Statistic(march_statistic which) const { return gateway_.statistics[which]; }
  const native_gateway& native() const { return gateway_; }

 private:
  std::vector<march_bucket_line> lines_;
  native_gateway gateway_{};
  std::uint32_t last_ = 0;
};

march_key V4(std::uint32_t source, std::uint32_t destination = 0) {
  march_key key{};
  key.src_lo = source;
  key.dst_lo = destination;
  key.family = 4;
  return key;
}

march_key V6(std::uint64_t high, std::uint64_t low) {
  march_key key{};
  key.src_hi = high;
  key.src_lo = low;
  key.family = 6;
  return key;
}

// A bucket without rounding: in billionths of units.
class ExactBucket {
 public:
  // `more` billionths are added to the burst.
  ExactBucket(std::uint64_t rate, std::uint64_t burst, Uint128 more = 0)
      : rate_(rate), full_(Uint128{burst} * kSecond + more), room_(full_) {}

  bool Take(std::uint64_t time, std::uint64_t units) {
    room_ = std::min(full_, room_ + Uint128{time - time_} * rate_);
    time_ = time;
    if (room_ < Uint128{units} * kSecond) return false;
    room_ -= Uint128{units} * kSecond;
    return true;
  }

 private:
  Uint128 rate_;
  Uint128 full_;
  Uint128 room_;
  std::uint64_t time_ = 0;
};

TEST_CASE("what passes is what exact arithmetic lets pass, but for the last unit") {
  Random random(7);
  const std::vector<std::uint64_t> rates = {1,       3,         100,         9'999,         10'000,
                                            999'983, 1'000'000, 123'456'789, 16'000'000'000};
  constexpr std::uint64_t kTick = 4'000'000;
  for (const std::uint64_t rate : rates) {
    for (const std::uint64_t burst : {std::uint64_t{1}, rate, std::uint64_t{4096}}) {
      for (const bool is_late : {false, true}) {
        INFO(rate << " a second, " << burst << " at once, clock " << is_late);
        const auto limits =
            LimitsOf("packets: " + std::to_string(rate) + ", burst: " + std::to_string(burst));
        Gateway gateway;
        ExactBucket exact(rate, burst);
        // Time is cut into marks; and with the cheap clock, what comes in one tick of it may come
        // beyond the burst.
        const Uint128 marks = (2 * kSecond >> limits[0].shift) + 1;
        ExactBucket larger(rate, burst, marks + (is_late ? Uint128{rate} * kTick : 0));
        std::uint64_t time = random.Next() % (400 * kDay) + kTick;
        std::int64_t passed = 0;
        std::int64_t least = 0;
        std::int64_t most = 0;
        std::int64_t too_few = 0;
        std::int64_t too_many = 0;
        for (int i = 0; i < 20'000; ++i) {
          // Bursts, the rate itself, and idle times.
          const std::uint64_t gap = kSecond / rate + 1;
          time += random.OneIn(50) ? random.Next() % (gap * 20) : random.Next() % (gap * 2);
          const std::uint64_t late = is_late ? random.Next() % kTick : 0;
          passed += gateway.Admits(limits, time, 1, {}, false, late) ? 1 : 0;
          least += exact.Take(time, 1) ? 1 : 0;
          most += larger.Take(time, 1) ? 1 : 0;
          too_few = std::max(too_few, least - passed);
          too_many = std::max(too_many, passed - most);
        }
        CHECK(too_few <= 1);
        CHECK(too_many <= 1);
      }
    }
  }
}

TEST_CASE("over a day, what passes is the rate") {
  for (const std::uint64_t rate : {std::uint64_t{7}, std::uint64_t{1'000'000}}) {
    const auto limits = LimitsOf("bytes: " + std::to_string(rate) + ", burst: 100000000");
    Gateway gateway;
    const std::uint64_t begin = 123 * kDay + 456'789;
    const std::uint64_t all = rate * 86'400;
    std::uint64_t passed = 0;
    // What is there at first is taken away.
    for (std::uint64_t left = 100'000'000; left != 0; left /= 2) {
      while (gateway.Admits(limits, begin, std::max<std::uint64_t>(left, 1))) continue;
    }
    const std::uint64_t piece = std::max<std::uint64_t>(all / 100'000, 1);
    for (std::uint64_t time = begin; time <= begin + kDay; time += kDay / 400'000) {
      if (gateway.Admits(limits, time, piece)) passed += piece;
    }
    CHECK(passed <= all + 1);
    CHECK(passed + 2 * piece >= all);
  }
}

TEST_CASE("the clock does not overflow in 31 years, at any rate") {
  for (const char* const limit : {"packets: 16000000000", "bytes: 16000000000, burst: 16000000000",
                                  "packets: 1, burst: 16000000000", "packets: 1, burst: 1"}) {
    INFO(limit);
    const march_limit record = LimitsOf(limit).front();
    CHECK(record.room < MARCH_LIMIT_BEGINNING);
    CHECK(record.room == record.burst << record.shift);
    CHECK(record.speed <= MARCH_LIMIT_MOST_SPEED);
    std::uint64_t before = 0;
    for (std::uint64_t year = 0; year < 31; ++year) {
      const std::uint64_t time = year * 365 * kDay + kSecond - 1;
      const std::uint64_t clock = march_limit_clock(&record, time);
      CHECK(clock > before);
      before = clock;
      const Uint128 exact = (Uint128{time} * record.rate << record.shift) / kSecond;
      const Uint128 found = clock - MARCH_LIMIT_BEGINNING;
      const Uint128 error = found > exact ? found - exact : exact - found;
      // The speed is rounded to the nearest.
      CHECK(error <= (time >> 31) + 2);
    }
  }
}

TEST_CASE("a burst passes at once, and again after the time it takes") {
  const auto limits = LimitsOf("packets: 100, burst: 5");
  Gateway gateway;
  const std::uint64_t time = 10 * kSecond;
  for (int i = 0; i < 5; ++i) CHECK(gateway.Admits(limits, time));
  CHECK_FALSE(gateway.Admits(limits, time));
  CHECK(MARCH_LIMIT_DROP + 1 == (gateway.last() & 0xff));
  CHECK(gateway.last() >> 8 == limits[0].counter);
  CHECK_FALSE(gateway.Admits(limits, time + 9'990'000));
  CHECK(gateway.Admits(limits, time + 10'000'001));
  CHECK_FALSE(gateway.Admits(limits, time + 10'000'002));
  for (int i = 0; i < 5; ++i) CHECK(gateway.Admits(limits, time + 70'000'000));
  CHECK_FALSE(gateway.Admits(limits, time + 70'000'000));
}

TEST_CASE("bytes count as they are, and what is larger than the burst never passes") {
  const auto limits = LimitsOf("bytes: 1000, burst: 1500");
  Gateway gateway;
  CHECK_FALSE(gateway.Admits(limits, kSecond, 1501));
  CHECK(gateway.Admits(limits, kSecond, 1000));
  CHECK_FALSE(gateway.Admits(limits, kSecond, 501));
  CHECK(gateway.Admits(limits, kSecond, 500));
  CHECK_FALSE(gateway.Admits(limits, 1'000 * kSecond, 1501));
  // Without a burst, any packet that there is.
  CHECK(gateway.Admits(LimitsOf("bytes: 1000"), kSecond, 65'535));
}

TEST_CASE("of several limits all must have room, and none is charged when one has not") {
  const auto limits = LimitsOf("packets: 10, bytes: 100000, connections: 2");
  REQUIRE(limits.size() == 3);
  Gateway gateway;
  const std::uint64_t time = 5 * kSecond;
  CHECK(gateway.Admits(limits, time, 10, {}, true));
  CHECK(gateway.Admits(limits, time, 10, {}, true));
  for (int i = 0; i < 50; ++i) CHECK_FALSE(gateway.Admits(limits, time, 10, {}, true));
  // Eight packets are left, and of the bytes nothing was charged for those that did not pass.
  CHECK_FALSE(gateway.Admits(limits, time, 99'981, {}, false));
  CHECK(gateway.Admits(limits, time, 99'980, {}, false));
  CHECK_FALSE(gateway.Admits(limits, time, 1, {}, false));
  for (int i = 0; i < 10; ++i) CHECK(gateway.Admits(limits, time + kSecond, 10));
  CHECK_FALSE(gateway.Admits(limits, time + kSecond, 10));
}

TEST_CASE("packets of known connections are none of a limit of connections") {
  const auto limits = LimitsOf("connections: 1, exceed: mark");
  Gateway gateway;
  CHECK(gateway.Admits(limits, kSecond, 1, {}, true));
  for (int i = 0; i < 10; ++i) CHECK(gateway.Admits(limits, kSecond, 1, {}, false));
  CHECK_FALSE(gateway.Admits(limits, kSecond, 1, {}, true));
  CHECK((gateway.last() & 0xff) == MARCH_LIMIT_MARK + 1);
}

TEST_CASE("without lines nothing is limited") {
  const auto limits = LimitsOf("packets: 1");
  Gateway gateway(0);
  for (int i = 0; i < 10; ++i) CHECK(gateway.Admits(limits, kSecond));
}

// Whether two keys share a bucket of a limit that lets one packet pass.
bool Share(const std::string& limit, const march_key& a, const march_key& b) {
  const auto limits = LimitsOf("packets: 1, burst: 1, " + limit);
  Gateway gateway;
  REQUIRE(gateway.Admits(limits, kSecond, 1, a));
  return !gateway.Admits(limits, kSecond, 1, b);
}

TEST_CASE("addresses share a bucket by their prefix, and with nobody else") {
  CHECK(Share("per: mapping", V4(1, 2), V6(3, 4)));
  CHECK(Share("per: source", V4(0x0a000001, 1), V4(0x0a000001, 2)));
  CHECK_FALSE(Share("per: source", V4(0x0a000001), V4(0x0a000002)));
  CHECK_FALSE(Share("per: destination", V4(1, 1), V4(1, 2)));
  CHECK(Share("per: destination", V4(1, 2), V4(3, 2)));
  CHECK(Share("per: source, prefix_v4: 24", V4(0x0a000001), V4(0x0a0000ff)));
  CHECK_FALSE(Share("per: source, prefix_v4: 24", V4(0x0a000001), V4(0x0a000101)));
  CHECK(Share("per: source, prefix_v4: 0", V4(0), V4(0xffffffff)));
  CHECK_FALSE(Share("per: source, prefix_v4: 1", V4(0), V4(0x80000000)));
  CHECK(Share("per: source", V6(1, 2), V6(1, 3)));  // 64 bits
  CHECK_FALSE(Share("per: source", V6(1, 2), V6(2, 2)));
  CHECK(Share("per: source, prefix_v6: 48", V6(0xabcd0001, 2), V6(0xabcdffff, 3)));
  CHECK_FALSE(Share("per: source, prefix_v6: 48", V6(0xabcd0001, 2), V6(0xabce0001, 2)));
  CHECK_FALSE(Share("per: source, prefix_v6: 128", V6(1, 2), V6(1, 3)));
  CHECK(Share("per: source, prefix_v6: 127", V6(1, 2), V6(1, 3)));
  CHECK_FALSE(Share("per: source, prefix_v6: 127", V6(1, 2), V6(1, 4)));
  CHECK_FALSE(Share("per: source, prefix_v6: 65", V6(1, 0), V6(1, std::uint64_t{1} << 63)));
  CHECK(Share("per: source, prefix_v6: 0", V6(0, 0), V6(~std::uint64_t{0}, 5)));
  CHECK_FALSE(Share("per: source, prefix_v4: 0, prefix_v6: 0", V4(5), V6(0, 5)));
  CHECK_FALSE(Share("per: source", V4(0), V6(0, 0)));
}

TEST_CASE("another limit has another bucket, and an unchanged one keeps its own") {
  Gateway gateway;
  const auto limits = LimitsOf("packets: 1, burst: 1, per: source");
  CHECK(gateway.Admits(limits, kSecond, 1, V4(1)));
  CHECK_FALSE(gateway.Admits(LimitsOf("packets: 1, burst: 1, per: source"), kSecond, 1, V4(1)));
  // What becomes of packets above it is no part of it.
  CHECK_FALSE(gateway.Admits(LimitsOf("packets: 1, burst: 1, per: source, exceed: mark"), kSecond,
                             1, V4(1)));
  CHECK(gateway.Admits(LimitsOf("packets: 2, burst: 1, per: source"), kSecond, 1, V4(1)));
  CHECK(gateway.Admits(LimitsOf("packets: 1, burst: 2, per: source"), kSecond, 1, V4(1)));
  CHECK(gateway.Admits(LimitsOf("bytes: 1, burst: 1, per: source"), kSecond, 1, V4(1)));
}

TEST_CASE("a bucket makes room when it is full again, and before that the one that is soonest") {
  const auto slow = LimitsOf("packets: 1, burst: 100, per: source");
  Gateway gateway(1);
  std::uint64_t time = 100 * kSecond;
  // Four take the line's places, each a little later.
  for (std::uint32_t source = 0; source < 4; ++source) {
    time += kSecond;
    for (int i = 0; i < 100; ++i) CHECK(gateway.Admits(slow, time, 1, V4(source)));
    CHECK_FALSE(gateway.Admits(slow, time, 1, V4(source)));
  }
  CHECK(gateway.Statistic(MARCH_STATISTIC_LIMITS_EVICTED) == 0);
  // A fifth takes that of the first, whose share begins anew; the others keep theirs.
  CHECK(gateway.Admits(slow, time, 1, V4(4)));
  CHECK(gateway.Statistic(MARCH_STATISTIC_LIMITS_EVICTED) == 1);
  CHECK_FALSE(gateway.Admits(slow, time, 1, V4(3)));
  CHECK(gateway.Admits(slow, time + kSecond, 1, V4(3)));
  CHECK_FALSE(gateway.Admits(slow, time + kSecond, 1, V4(3)));
  CHECK(gateway.Statistic(MARCH_STATISTIC_LIMITS_EVICTED) == 1);
  // After the time that a burst takes, all are free for others.
  time += 102 * kSecond;
  for (std::uint32_t source = 10; source < 14; ++source) {
    CHECK(gateway.Admits(slow, time, 1, V4(source)));
  }
  CHECK(gateway.Statistic(MARCH_STATISTIC_LIMITS_EVICTED) == 1);
}

TEST_CASE("a flood of addresses does not take the bucket of a mapping as a whole") {
  const auto whole = LimitsOf("packets: 1, burst: 2");
  const auto each = LimitsOf("packets: 1, burst: 1000000, per: source");
  Gateway gateway(1);
  const std::uint64_t time = 7 * kSecond;
  CHECK(gateway.Admits(whole, time));
  CHECK(gateway.Admits(whole, time));
  for (std::uint32_t source = 0; source < 1000; ++source) {
    CHECK(gateway.Admits(each, time, 1, V4(source)));
    CHECK_FALSE(gateway.Admits(whole, time));
  }
  CHECK(gateway.Statistic(MARCH_STATISTIC_LIMITS_EVICTED) == 997);
}

// The most keys in one line, and how many share a tag there, of addresses `step` apart.
TEST_CASE("addresses spread over the lines evenly, however they are chosen") {
  constexpr std::uint32_t kLines = 1 << 14;
  constexpr std::uint32_t kKeys = 4 * kLines;
  const auto v4 = LimitsOf("packets: 1, per: source").front();
  const auto v6 = LimitsOf("packets: 1, per: source, prefix_v6: 128").front();
  const Gateway gateway(kLines);
  const auto check = [&](const march_limit& limit, auto key_of) {
    std::map<std::uint32_t, std::uint32_t> in_line;
    std::set<std::pair<std::uint32_t, std::uint32_t>> places;
    for (std::uint32_t i = 0; i < kKeys; ++i) {
      const march_key key = key_of(i);
      const std::uint64_t hash = native_limit_hash(&gateway.native(), &limit, &key);
      const std::uint32_t line = native_limit_line_of(&gateway.native(), hash);
      REQUIRE(line < kLines);
      ++in_line[line];
      places.emplace(line, native_limit_tag(&limit, hash));
    }
    // Of random places, less than one line in 10^9 would have more than 32.
    for (const auto& [line, count] : in_line) CHECK(count <= 32);
    CHECK(in_line.size() > kLines * 9 / 10);
    CHECK(places.size() >= kKeys - 2);
  };
  for (const std::uint32_t step : {1U, 2U, 256U, 257U, 65'536U, 0x9e3779b9U}) {
    INFO(step);
    check(v4, [&](std::uint32_t i) { return V4(i * step); });
  }
  for (const std::uint64_t step : {std::uint64_t{1}, std::uint64_t{1} << 32, std::uint64_t{1} << 47,
                                   std::uint64_t{0x9e3779b97f4a7c15}}) {
    INFO(step);
    check(v6, [&](std::uint32_t i) { return V6(i * step, 7); });
    check(v6, [&](std::uint32_t i) { return V6(0x20010db800000000, i * step); });
  }
}

TEST_CASE("threads share a bucket and pass no more than it has, nor less") {
  constexpr std::uint64_t kPackets = 2'000'000;
  constexpr std::uint64_t kBegin = 1'000 * kSecond;
  constexpr std::uint64_t kTakes = 2 * kSecond;
  for (const char* const limit : {"packets: 1000000, burst: 10", "packets: 10000, burst: 1"}) {
    INFO(limit);
    const auto limits = LimitsOf(limit);
    std::vector<march_bucket_line> lines(1);
    native_gateway gateway{};
    gateway.config.limits.lines = 1;
    gateway.lines = lines.data();
    std::atomic<std::uint64_t> passed = 0;
    std::atomic<std::uint64_t> next = 0;
    const auto work = [&] {
      const march_key key{};
      std::uint64_t own = 0;
      for (std::uint64_t i = next++; i < kPackets; i = next++) {
        const std::uint64_t time = kBegin + i * kTakes / kPackets;
        own += native_limit_admits(&gateway, limits.data(), 1, &key, 1, 0, time, 0) == 0 ? 1U : 0U;
      }
      passed += own;
    };
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < 4; ++i) threads.emplace_back(work);
    }
    const std::uint64_t allowed = limits[0].rate * 2 + limits[0].burst;
    CHECK(passed <= allowed + 1);
    CHECK(passed >= allowed - allowed / 50);
  }
}

}  // namespace
}  // namespace march::tests
