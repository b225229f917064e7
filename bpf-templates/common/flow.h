/* Connections: which flow a packet belongs to, and what becomes of it (bundle/abi/flow.h). The one
 * implementation, compiled for BPF and for the host, where it is tested against a model.
 *
 * States of TCP follow RFC 9293 as far as a gateway can see them without following sequence
 * numbers: the acknowledgement of a handshake is checked, since it moves a flow to the table that
 * nothing evicts from; a forged FIN or RST only shortens how long a silent flow is remembered.
 *
 * The includer defines MARCH_INLINE, MARCH_OPAQUE, MARCH_ROLLED and MARCH_UNROLLED (how the loop
 * behind is compiled), MARCH_CONFIG (the march_config), and
 *   struct march_flow_bucket* march_flow_words(uint32_t bucket);   0: there is none
 *   struct march_flow* march_flow_at(uint32_t number);             likewise
 *   void march_flow_statistic(uint32_t which);                     enum march_statistic */
#ifndef MARCH_BPF_TEMPLATES_COMMON_FLOW_H
#define MARCH_BPF_TEMPLATES_COMMON_FLOW_H

#include "bits.h"
#include "bundle/abi/config.h"
#include "bundle/abi/flow.h"
#include "bundle/abi/tables.h"
#include "common/packet.h"

_Static_assert(sizeof(struct march_flow) == 128, "two lines of memory");
_Static_assert(__builtin_offsetof(struct march_flow, begun) == 64,
               "what a packet of a flow that goes on needs is in one line");
_Static_assert(__builtin_offsetof(struct march_flow, spilled_until) == 112,
               "behind the flow itself");

#define MARCH_NO_FLOW 0xffffffffu

/* The opener's side may have sent so much before its first acknowledgement is seen: no more than a
 * window without scaling (RFC 9293, 3.8). A blind guess meets it once in 2^16 times. */
#define MARCH_FLOW_FIRST_WINDOW 0xffffu

/* A packet, and the flow that it belongs to. */
struct march_track {
  uint64_t src_hi;
  uint64_t src_lo;
  uint64_t dst_hi;
  uint64_t dst_lo;
  uint64_t l4; /* as in a flow that the packet opens */
  uint64_t hash;
  uint64_t word;       /* of the flow, as it was found */
  uint32_t number;     /* of the flow, or MARCH_NO_FLOW */
  uint32_t is_reply;   /* 1: against the flow's direction */
  uint32_t directions; /* MARCH_DIRECTION_*: in which it can belong to a flow */
  uint32_t now;        /* tick */
  uint32_t bytes;      /* of the frame, which counts for its flow; 0: it does not */
  uint32_t flags;      /* TCP's, of the frame itself; else of no meaning */
  uint32_t vacant;     /* a free place among the new flows, or MARCH_NO_FLOW */
  uint32_t streak;     /* of the packets before it, how many were no flow's; outlives a packet */
};

#define MARCH_DIRECTION_FORWARD 1u
#define MARCH_DIRECTION_REPLY 2u

/* What is to be done with a packet of which the flows were asked. */
#define MARCH_TRACK_JUDGE 0u /* judge it: it belongs to none */
#define MARCH_TRACK_PASS 1u  /* with its flow */
#define MARCH_TRACK_DROP 2u  /* its flow was cut */
#define MARCH_TRACK_AGAIN                                                 \
  3u /* judge its flow, as march_flow_key gives it: the policy is another \
      */

#define MARCH_FLOW_FACTOR 0x9e3779b97f4a7c15ull
#define MARCH_FLOW_SECOND_FACTOR 0xd6e8feb86659fd93ull

/* Of one end of a flow. Who does not know the secret cannot choose ends that collide. */
MARCH_INLINE uint64_t march_flow_end_hash(uint64_t hi, uint64_t lo, uint64_t port) {
  uint64_t hash = (hi ^ MARCH_CONFIG.secret[0]) * MARCH_FLOW_FACTOR;
  hash =
      ((hash ^ hash >> 32) + (lo ^ port << 48) + MARCH_CONFIG.secret[1]) * MARCH_FLOW_SECOND_FACTOR;
  return hash ^ hash >> 29;
}

/* The same for both directions. */
MARCH_INLINE uint64_t march_flow_hash(const struct march_track* t) {
  uint64_t hash = march_flow_end_hash(t->src_hi, t->src_lo, MARCH_FLOW_SOURCE_PORT(t->l4)) +
                  march_flow_end_hash(t->dst_hi, t->dst_lo, MARCH_FLOW_DESTINATION_PORT(t->l4)) +
                  (t->l4 >> 32);
  hash = (hash ^ hash >> 32) * MARCH_FLOW_FACTOR;
  return hash ^ hash >> 29;
}

/* The bucket that a hash names among `count` of them. */
MARCH_INLINE uint32_t march_flow_bucket_of(uint64_t hash, uint32_t count) {
  return (uint32_t)((hash >> 32) * count >> 32);
}

MARCH_INLINE uint64_t march_flow_fingerprint(const struct march_track* t) {
  return t->hash << 40;
}

/* Which place of a bucket a flow takes if it is free, so that its record is known before its word
 * is; and which place of the new ones says whether it has spilled (march_flow.spilled_until), so
 * that another choice needs other maps. */
MARCH_INLINE uint32_t march_flow_lane(const struct march_track* t) {
  return t->hash >> 24 & (MARCH_FLOW_LANES - 1);
}

/* Has a word's line come into the cache while other work goes on. */
MARCH_INLINE void march_flow_touch(const uint64_t* word) {
  (void)*(const volatile uint64_t*)word;
}

/* The flow's l4 as its replies have it. */
MARCH_INLINE uint64_t march_flow_turned(uint64_t l4) {
  return (l4 & ~0xffffffffull) | (l4 << 16 & 0xffff0000u) | (l4 >> 16 & 0xffffu);
}

/* The request that an answer of ICMP or ICMPv6 is to, or the type itself; 0xff: neither. */
MARCH_INLINE uint32_t march_icmp_request(uint32_t protocol, uint32_t type) {
  if (protocol == MARCH_PROTO_ICMPV6) return type == 128 || type == 129 ? 128 : 0xff;
  if (type == 0 || type == 8) return 8;
  return type >= 13 && type <= 18 ? (type - 13) / 2 * 2 + 13 : 0xff;
}

MARCH_INLINE void march_track_ports(struct march_track* t, const struct march_key* key,
                                    uint32_t source, uint32_t destination, uint32_t kind) {
  t->l4 = MARCH_FLOW_L4(source, destination, key->l4 >> 16 & 0xff, kind, key->family);
}

/* 1: packets of this kind belong to flows, and `t` says to which. 0: they do not, and have no
 * directions. The hash, the time and what is said of the frame are the caller's to fill in. */
MARCH_INLINE uint32_t march_track_key(struct march_track* t, const struct march_key* key) {
  const uint32_t protocol = key->l4 >> 16 & 0xff;
  t->src_hi = key->src_hi;
  t->src_lo = key->src_lo;
  t->dst_hi = key->dst_hi;
  t->dst_lo = key->dst_lo;
  t->number = MARCH_NO_FLOW;
  t->vacant = MARCH_NO_FLOW;
  t->is_reply = 0;
  t->directions = MARCH_DIRECTION_FORWARD;
  t->l4 = 0;
  if (key->l4 & MARCH_L4_FRAGMENT) {
    march_track_ports(t, key, key->fragment_id & 0xffff, key->fragment_id >> 16,
                      MARCH_KIND_FRAGMENTS);
    return 1;
  }
  if (protocol == MARCH_PROTO_ICMP || protocol == MARCH_PROTO_ICMPV6) {
    const uint32_t type = key->l4 >> 8 & 0xff;
    const uint32_t request = march_icmp_request(protocol, type);
    if (request == 0xff) {
      t->directions = 0;
      return 0;
    }
    if (type != request) t->directions = MARCH_DIRECTION_REPLY;
    march_track_ports(t, key, key->detail, key->detail, MARCH_KIND_ICMP(request));
    return 1;
  }
  t->directions = MARCH_DIRECTION_FORWARD | MARCH_DIRECTION_REPLY;
  march_track_ports(t, key, key->source_port, key->l4 & 0xffff, MARCH_KIND_PORTS);
  return 1;
}

/* What judges the flow: its first packet's key. */
MARCH_INLINE void march_flow_key(const struct march_flow* flow, struct march_key* key) {
  key->src_hi = flow->src_hi;
  key->src_lo = flow->src_lo;
  key->dst_hi = flow->dst_hi;
  key->dst_lo = flow->dst_lo;
  const uint32_t protocol = (uint32_t)MARCH_FLOW_PROTOCOL(flow->l4);
  const uint32_t kind = (uint32_t)MARCH_FLOW_KIND(flow->l4);
  if (kind == MARCH_KIND_PORTS) {
    key->l4 = MARCH_L4_KEY(protocol, (uint32_t)MARCH_FLOW_DESTINATION_PORT(flow->l4));
    key->source_port = (uint32_t)MARCH_FLOW_SOURCE_PORT(flow->l4);
  } else {
    key->l4 = MARCH_L4_KEY(protocol, MARCH_ICMP_PORT(kind & 0xff, 0));
    key->source_port = 0;
  }
}

/* Whether the packet's flow is the one in a bucket that has its fingerprint. */
MARCH_INLINE uint32_t march_flow_is_at(struct march_track* t, const struct march_flow_bucket* words,
                                       uint32_t bucket, uint32_t lane) {
  MARCH_OPAQUE(lane);
  lane &= MARCH_FLOW_LANES - 1;
  const uint64_t word = words->words[lane];
  if (MARCH_FLOW_DEADLINE(word) < t->now) return 0;
  const uint32_t number = bucket * MARCH_FLOW_LANES + lane;
  const struct march_flow* flow = march_flow_at(number);
  if (!flow) return 0;
  const uint64_t forward = (flow->src_hi ^ t->src_hi) | (flow->src_lo ^ t->src_lo) |
                           (flow->dst_hi ^ t->dst_hi) | (flow->dst_lo ^ t->dst_lo) |
                           (flow->l4 ^ t->l4);
  const uint64_t reply = (flow->src_hi ^ t->dst_hi) | (flow->src_lo ^ t->dst_lo) |
                         (flow->dst_hi ^ t->src_hi) | (flow->dst_lo ^ t->src_lo) |
                         (flow->l4 ^ march_flow_turned(t->l4));
  const uint32_t directions = (uint32_t)(march_is_zero(forward) * MARCH_DIRECTION_FORWARD |
                                         march_is_zero(reply) * MARCH_DIRECTION_REPLY) &
                              t->directions;
  if (directions == 0) return 0;
  /* Whether it was another flow's place when it was read. */
  if ((*(const volatile uint64_t*)&words->words[lane] ^ word) >> 32 != 0) return 0;
  t->is_reply = ~directions & MARCH_DIRECTION_FORWARD;
  t->number = number;
  t->word = word;
  return 1;
}

/* Where the packet's fingerprint is in a bucket, if it is, or MARCH_FLOW_LANES. With branches,
 * which is least work where it seldom is. */
MARCH_INLINE uint32_t march_flow_unlikely_lane(const struct march_track* t,
                                               const struct march_flow_bucket* words) {
  const uint32_t wanted = (uint32_t)((march_flow_fingerprint(t) | MARCH_FLOW_READY) >> 32);
  uint32_t lane = MARCH_FLOW_LANES;
  MARCH_UNROLLED
  for (uint32_t i = 0; i < MARCH_FLOW_LANES; ++i) {
    if ((uint32_t)(words->words[i] >> 32) == wanted) lane = i;
  }
  return lane;
}

/* Looks for the packet's flow in one bucket, whose fingerprints differ from each other. 1: found.
 * It is mostly in the place that it prefers: that one's record is asked for together with the
 * words, and a processor that guesses goes on with it before they have come. */
MARCH_INLINE uint32_t march_flow_in_bucket(struct march_track* t, uint32_t bucket) {
  uint32_t lane = march_flow_lane(t);
  const struct march_flow_bucket* words = march_flow_words(bucket);
  const struct march_flow* preferred = march_flow_at(bucket * MARCH_FLOW_LANES + lane);
  if (!words || !preferred) return 0;
  march_flow_touch(&preferred->src_hi);
  MARCH_OPAQUE(lane);
  const uint64_t word = words->words[lane & (MARCH_FLOW_LANES - 1)];
  if ((word ^ (march_flow_fingerprint(t) | MARCH_FLOW_READY)) >> 32 != 0) {
    lane = march_flow_unlikely_lane(t, words);
    if (lane == MARCH_FLOW_LANES) return 0;
  }
  return march_flow_is_at(t, words, bucket, lane);
}

/* As march_flow_in_bucket, where the flow seldom is. */
MARCH_INLINE uint32_t march_flow_in_unlikely_bucket(struct march_track* t, uint32_t bucket) {
  const struct march_flow_bucket* words = march_flow_words(bucket);
  if (!words) return 0;
  const uint32_t lane = march_flow_unlikely_lane(t, words);
  return lane != MARCH_FLOW_LANES ? march_flow_is_at(t, words, bucket, lane) : 0;
}

MARCH_INLINE uint32_t march_flow_second_bucket(const struct march_track* t, uint32_t count) {
  return march_flow_bucket_of(t->hash * MARCH_FLOW_SECOND_FACTOR, count);
}

/* After so many packets that were no flow's, the next one is taken for such, too: all memory that
 * it may need is asked for at once, where the first place of the established flows would be waited
 * for before. */
#define MARCH_FLOW_STREAK 3u

/* Where established flows are first looked for: where nearly all are. */
MARCH_INLINE uint32_t march_flow_find_first(struct march_track* t) {
  if (t->streak >= MARCH_FLOW_STREAK) return 0;
  if (!march_flow_in_bucket(t, march_flow_bucket_of(t->hash, MARCH_CONFIG.flows.established))) {
    return 0;
  }
  t->streak = 0;
  return 1;
}

/* In its first bucket among the new flows; if it is not, t->vacant becomes its lane there if that
 * is free. */
MARCH_INLINE uint32_t march_flow_find_new(struct march_track* t, uint32_t bucket,
                                          const struct march_flow_bucket* words) {
  const uint32_t lane = march_flow_unlikely_lane(t, words);
  if (lane != MARCH_FLOW_LANES) return march_flow_is_at(t, words, bucket, lane);
  const uint32_t own = march_flow_lane(t);
  if (words->words[own] == 0) t->vacant = bucket * MARCH_FLOW_LANES + own;
  return 0;
}

/* The record of the place that a flow's hash names among the new ones, wherever the flow is. */
MARCH_INLINE struct march_flow* march_flow_own(const struct march_track* t) {
  const uint32_t bucket =
      MARCH_CONFIG.flows.established + march_flow_bucket_of(t->hash, MARCH_CONFIG.flows.fresh);
  return march_flow_at(bucket * MARCH_FLOW_LANES + march_flow_lane(t));
}

MARCH_INLINE uint32_t march_flow_may_have_spilled(const struct march_track* t,
                                                  const struct march_flow* own, uint32_t table) {
  return *(const volatile uint32_t*)&own->spilled_until[table] >= t->now;
}

/* To be called before the flow in place `number` is made to live until `deadline`: if that is in
 * its second bucket, it is looked for there only as long as its own place says so. */
MARCH_INLINE void march_flow_note_spill(const struct march_track* t, uint32_t number,
                                        uint32_t deadline) {
  if (number == t->vacant) return;
  const uint32_t established = MARCH_CONFIG.flows.established;
  const uint32_t is_new = number >= established * MARCH_FLOW_LANES;
  const uint32_t first = is_new
                             ? established + march_flow_bucket_of(t->hash, MARCH_CONFIG.flows.fresh)
                             : march_flow_bucket_of(t->hash, established);
  if (number / MARCH_FLOW_LANES == first) return;
  struct march_flow* own = march_flow_own(t);
  if (!own) return;
  uint32_t* until = is_new ? &own->spilled_until[MARCH_FLOW_TABLE_NEW]
                           : &own->spilled_until[MARCH_FLOW_TABLE_ESTABLISHED];
  const uint32_t before = *(const volatile uint32_t*)until;
  if (before >= deadline) return;
  /* Another CPU has raised it meanwhile. The bits of both are at least the later one; if they are
   * later still, the second bucket is looked at in vain for longer. */
  if (__sync_val_compare_and_swap(until, before, deadline) != before) {
    __sync_fetch_and_or(until, deadline);
  }
}

/* What is promoted is in its new place before it leaves its old one; so the new flows are looked
 * through first, and the first place of the established ones at last, once more. */
MARCH_INLINE uint32_t march_flow_search(struct march_track* t) {
  t->vacant = MARCH_NO_FLOW;
  const uint32_t established = MARCH_CONFIG.flows.established;
  const uint32_t fresh = MARCH_CONFIG.flows.fresh;
  const uint32_t first_new = established + march_flow_bucket_of(t->hash, fresh);
  const uint32_t first = march_flow_bucket_of(t->hash, established);
  const struct march_flow_bucket* in_first_new = march_flow_words(first_new);
  const struct march_flow_bucket* in_first = march_flow_words(first);
  const struct march_flow* own = march_flow_own(t);
  if (!in_first_new || !in_first || !own) return 0;
  march_flow_touch(in_first_new->words);
  march_flow_touch(in_first->words);
  march_flow_touch(&own->src_hi);
  march_flow_touch(&own->carried_bytes[0]);
  if (march_flow_find_new(t, first_new, in_first_new)) return 1;
  if (march_flow_may_have_spilled(t, own, MARCH_FLOW_TABLE_NEW) &&
      march_flow_in_unlikely_bucket(t, established + march_flow_second_bucket(t, fresh))) {
    return 1;
  }
  if (march_flow_may_have_spilled(t, own, MARCH_FLOW_TABLE_ESTABLISHED) &&
      march_flow_in_unlikely_bucket(t, march_flow_second_bucket(t, established))) {
    return 1;
  }
  const uint32_t lane = march_flow_unlikely_lane(t, in_first);
  return lane != MARCH_FLOW_LANES ? march_flow_is_at(t, in_first, first, lane) : 0;
}

/* Everywhere. */
MARCH_INLINE uint32_t march_flow_find_else(struct march_track* t) {
  const uint32_t is_found = march_flow_search(t);
  t->streak = is_found ? 0 : t->streak + 1;
  return is_found;
}

MARCH_INLINE uint64_t* march_flow_word(uint32_t number) {
  struct march_flow_bucket* words = march_flow_words(number / MARCH_FLOW_LANES);
  if (!words) return 0;
  /* Or its address might be computed before that was known. */
  MARCH_OPAQUE(number);
  return &words->words[number % MARCH_FLOW_LANES];
}

/* How good a place for a flow is, less is better, and its number: one where it was before; a free
 * one; the one where a flow ends first. */
#define MARCH_FLOW_NO_PLACE (~0ull >> 1)
#define MARCH_FLOW_PLACE(rank, number) ((uint64_t)(rank) << 32 | (number))
#define MARCH_FLOW_RANK_WAS_HERE 0ull
#define MARCH_FLOW_RANK(word) (MARCH_FLOW_DEADLINE(word) / 8 + 1) /* below 2^30 */

MARCH_INLINE uint64_t march_flow_better(uint64_t a, uint64_t b) {
  uint64_t is_less = (a - b) >> 63;
  MARCH_OPAQUE(is_less);
  return b ^ (a ^ b) * is_less;
}

/* The best place in a bucket, if there is none with the same fingerprint that lives; `used` is how
 * many are not free. Of those that are as good, the one that the flow prefers: the first, as places
 * are numbered here. */
MARCH_INLINE uint64_t march_flow_place_in(const struct march_track* t, uint32_t bucket,
                                          uint64_t* used) {
  const struct march_flow_bucket* words = march_flow_words(bucket);
  if (!words) return MARCH_FLOW_NO_PLACE;
  const uint64_t own = march_flow_fingerprint(t) | MARCH_FLOW_READY;
  const uint32_t preferred = march_flow_lane(t);
  uint64_t best = MARCH_FLOW_NO_PLACE;
  uint64_t is_shut = 0;
  *used = MARCH_FLOW_LANES;
  MARCH_ROLLED
  for (uint32_t i = 0; i < MARCH_FLOW_LANES; ++i) {
    const uint64_t word = words->words[i ^ preferred];
    const uint64_t is_own = march_is_zero((word ^ own) >> 32);
    const uint64_t has_ended = (MARCH_FLOW_DEADLINE(word) - t->now + 0ull) >> 63;
    const uint64_t is_taken = word >> 32 & 1;
    *used -= march_is_zero(word);
    is_shut |= is_own & (has_ended ^ 1);
    const uint64_t rank = MARCH_FLOW_RANK(word) * (is_own ^ 1);
    best = march_flow_better(
        MARCH_FLOW_PLACE(rank, bucket * MARCH_FLOW_LANES + i) | (is_taken << 62), best);
  }
  return is_shut || best >> 62 ? MARCH_FLOW_NO_PLACE : best ^ preferred;
}

/* Of this many places in its first bucket that are not free, a flow takes another all the same. */
#define MARCH_FLOW_CROWD 5u

/* Of `count` buckets from `first` on. Where nothing may be evicted, the emptier of two buckets is
 * taken (Azar, Broder, Karlin, Upfal, 1994) once the first, which is found soonest, is crowded;
 * else the first that will do. */
MARCH_INLINE uint64_t march_flow_place(const struct march_track* t, uint32_t first, uint32_t count,
                                       uint32_t is_fresh) {
  uint64_t used = 0;
  uint64_t second_used = 0;
  const uint64_t place =
      march_flow_place_in(t, first + march_flow_bucket_of(t->hash, count), &used);
  const uint32_t is_roomy = is_fresh || used < MARCH_FLOW_CROWD;
  if (place >> 32 == MARCH_FLOW_RANK_WAS_HERE || (is_roomy && place >> 32 == 1)) return place;
  const uint64_t second =
      march_flow_place_in(t, first + march_flow_second_bucket(t, count), &second_used);
  if (place >> 32 == 1 && second >> 32 == 1 && second_used < used) return second;
  return march_flow_better(second, place);
}

/* Takes a place for a flow in one of the tables: a free one, or that of a flow that has ended; for
 * new flows, at last that of the one that would end first. Its word and its number; 0: there is
 * none. Who has taken a place fills it and gives it free for reading with march_flow_publish. */
MARCH_INLINE uint64_t* march_flow_take(const struct march_track* t, uint32_t is_fresh,
                                       uint32_t* number) {
  const uint64_t taken = march_flow_fingerprint(t) | MARCH_FLOW_TAKEN;
  if (is_fresh && t->vacant != MARCH_NO_FLOW) {
    *number = t->vacant;
    uint64_t* vacant = march_flow_word(t->vacant);
    if (!vacant) return 0;
    const uint64_t before = __sync_val_compare_and_swap(vacant, 0, taken);
    if (before == 0) return vacant;
    /* Another CPU has begun the same flow. */
    if ((before ^ taken) >> 40 == 0) return 0;
  }
  const uint32_t established = MARCH_CONFIG.flows.established;
  const uint64_t place = is_fresh ? march_flow_place(t, established, MARCH_CONFIG.flows.fresh, 1)
                                  : march_flow_place(t, 0, established, 0);
  *number = (uint32_t)place;
  uint64_t* at = march_flow_word((uint32_t)place);
  const uint64_t word = at && place != MARCH_FLOW_NO_PLACE ? *at : MARCH_FLOW_TAKEN;
  if (word == 0) {
    /* Free. */
  } else if (MARCH_FLOW_DEADLINE(word) < t->now && (word & MARCH_FLOW_TAKEN) == 0) {
    march_flow_statistic(MARCH_STATISTIC_FLOWS_REPLACED);
  } else if (!is_fresh || (word & MARCH_FLOW_TAKEN) != 0) {
    march_flow_statistic(MARCH_STATISTIC_FLOWS_NO_ROOM);
    return 0;
  } else {
    march_flow_statistic(MARCH_STATISTIC_FLOWS_EVICTED);
  }
  /* If another CPU was faster, the next packet tries again. */
  return at && __sync_val_compare_and_swap(at, word, taken) == word ? at : 0;
}

/* Whoever reads the word sees the flow that was written before: BPF's exchange is a full barrier.
 */
MARCH_INLINE void march_flow_publish(const struct march_track* t, uint64_t* word, uint32_t number,
                                     uint32_t deadline) {
  march_flow_note_spill(t, number, deadline);
  const uint64_t ready = march_flow_fingerprint(t) | MARCH_FLOW_READY | deadline;
  const uint64_t before = __atomic_exchange_n(word, ready, __ATOMIC_SEQ_CST);
  __asm__ volatile("" : : "r"(before));
}

/* The flow that was found is over; `why` is 0 or MARCH_FLOW_FORBIDDEN. Nobody finds it any more,
 * and what it was is left for marchd to read. */
MARCH_INLINE void march_flow_end(const struct march_track* t, uint64_t why) {
  uint64_t* word = march_flow_word(t->number);
  const uint64_t ended =
      (t->word & MARCH_FLOW_FINGERPRINT) | MARCH_FLOW_ENDED | why | MARCH_FLOW_DEADLINE(t->now - 1);
  if (word) __sync_val_compare_and_swap(word, t->word, ended);
}

/* The flow that was found lives on in another place. */
MARCH_INLINE void march_flow_leave(const struct march_track* t) {
  uint64_t* word = march_flow_word(t->number);
  if (word) __sync_val_compare_and_swap(word, t->word, 0);
}

MARCH_INLINE uint32_t march_flow_timeout(uint64_t l4, uint32_t state) {
  const uint32_t protocol = MARCH_FLOW_PROTOCOL(l4);
  uint32_t timeout = MARCH_TIMEOUT_OTHER;
  if (MARCH_FLOW_KIND(l4) == MARCH_KIND_FRAGMENTS) {
    timeout = MARCH_TIMEOUT_FRAGMENTS;
  } else if (protocol == MARCH_PROTO_TCP) {
    timeout = MARCH_TIMEOUT_TCP_OPENING;
    if (state & MARCH_FLOW_ESTABLISHED) timeout = MARCH_TIMEOUT_TCP_ESTABLISHED;
    if (state & MARCH_FLOW_FINS) timeout = MARCH_TIMEOUT_TCP_CLOSING;
    if ((state & MARCH_FLOW_FINS) == MARCH_FLOW_FINS || (state & MARCH_FLOW_RESET)) {
      timeout = MARCH_TIMEOUT_TCP_CLOSED;
    }
  } else if (protocol == MARCH_PROTO_UDP) {
    timeout = state & MARCH_FLOW_ESTABLISHED ? MARCH_TIMEOUT_UDP : MARCH_TIMEOUT_UDP_NEW;
  } else if (MARCH_FLOW_KIND(l4) != MARCH_KIND_PORTS) {
    timeout = MARCH_TIMEOUT_ICMP;
  }
  return MARCH_CONFIG.flows.timeouts[timeout];
}

/* What a packet changes in a flow's state. `sequence` and `acknowledged` are TCP's numbers. */
MARCH_INLINE uint32_t march_flow_next_state(uint32_t state, uint32_t is_tcp, uint32_t is_reply,
                                            uint32_t flags, uint32_t acknowledged, uint32_t isn) {
  if (is_tcp && (flags & MARCH_TCP_RST)) return state | MARCH_FLOW_RESET;
  if (is_tcp && (flags & MARCH_TCP_FIN)) {
    state |= is_reply ? MARCH_FLOW_FIN_REPLY : MARCH_FLOW_FIN_FORWARD;
  }
  const uint32_t is_handshake = is_tcp && (state & MARCH_FLOW_SYN) != 0;
  if (is_reply) {
    if (!is_handshake ||
        (flags & (MARCH_TCP_SYN | MARCH_TCP_ACK)) == (MARCH_TCP_SYN | MARCH_TCP_ACK)) {
      state |= MARCH_FLOW_ANSWERED;
    }
    return state;
  }
  if ((state & MARCH_FLOW_ANSWERED) == 0) return state;
  if (!is_handshake) return state | MARCH_FLOW_ESTABLISHED;
  if ((flags & (MARCH_TCP_SYN | MARCH_TCP_ACK)) == MARCH_TCP_ACK &&
      acknowledged - isn - 1 <= MARCH_FLOW_FIRST_WINDOW) {
    state |= MARCH_FLOW_ESTABLISHED;
  }
  return state;
}

/* Writes down that a flow lives on, or, once it closes, for how long. */
MARCH_INLINE void march_flow_prolong(struct march_track* t, uint64_t l4, uint32_t state) {
  const uint32_t deadline = t->now + march_flow_timeout(l4, state);
  const uint32_t written = MARCH_FLOW_DEADLINE(t->word);
  if (deadline >= written && deadline - written < MARCH_FLOW_SLACK) return;
  uint64_t* word = march_flow_word(t->number);
  if (!word) return;
  march_flow_note_spill(t, t->number, deadline);
  const uint64_t next = (t->word & ~0xffffffffull) | deadline;
  if (__sync_val_compare_and_swap(word, t->word, next) == t->word) t->word = next;
}

/* The flow alone, not what is the place's. */
MARCH_INLINE void march_flow_copy(struct march_flow* place, const struct march_flow* flow) {
  __builtin_memcpy(place, flow, __builtin_offsetof(struct march_flow, spilled_until));
}

/* Moves a new flow among the established ones; if those are too many it stays, and tries again with
 * the next packet. */
MARCH_INLINE void march_flow_promote(struct march_track* t, const struct march_flow* flow,
                                     uint32_t state) {
  uint32_t number = MARCH_NO_FLOW;
  uint64_t* word = march_flow_take(t, 0, &number);
  if (!word) {
    march_flow_prolong(t, flow->l4, state & ~MARCH_FLOW_ESTABLISHED);
    return;
  }
  struct march_flow* place = march_flow_at(number);
  if (!place) return;
  march_flow_copy(place, flow);
  place->judged |= state;
  march_flow_publish(t, word, number, t->now + march_flow_timeout(flow->l4, state));
  march_flow_leave(t);
  march_flow_statistic(MARCH_STATISTIC_FLOWS_ESTABLISHED);
  t->number = number;
}

/* Whether the flow has nothing to be told: it is established, and was judged by this policy. */
MARCH_INLINE uint32_t march_flow_is_settled(const struct march_track* t,
                                            const struct march_flow* flow, uint32_t flags) {
  if (MARCH_FLOW_GENERATION(flow->judged) != MARCH_CONFIG.flows.generation) return 0;
  if (MARCH_FLOW_PROTOCOL(t->l4) == MARCH_PROTO_TCP &&
      (flags & (MARCH_TCP_SYN | MARCH_TCP_FIN | MARCH_TCP_RST)) != 0) {
    return 0;
  }
  const uint32_t state = MARCH_FLOW_STATE(flow->judged);
  if ((state & ~MARCH_FLOW_SYN) != (MARCH_FLOW_ANSWERED | MARCH_FLOW_ESTABLISHED)) return 0;
  const uint32_t deadline = t->now + march_flow_timeout(t->l4, state);
  return deadline - MARCH_FLOW_DEADLINE(t->word) < MARCH_FLOW_SLACK;
}

/* What becomes of the packet and of the flow that was found for it, in all cases. `numbers` are
 * TCP's sequence number, in the upper half, and acknowledgement. */
MARCH_INLINE uint32_t march_flow_advance(struct march_track* t, uint32_t flags, uint64_t numbers) {
  struct march_flow* flow = march_flow_at(t->number);
  if (!flow) return MARCH_TRACK_JUDGE;
  const uint32_t before = MARCH_FLOW_STATE(flow->judged);
  const uint32_t is_tcp =
      MARCH_FLOW_PROTOCOL(t->l4) == MARCH_PROTO_TCP && MARCH_FLOW_KIND(t->l4) == MARCH_KIND_PORTS;
  const uint32_t is_over = (before & (MARCH_FLOW_RESET | MARCH_FLOW_CUT)) != 0 ||
                           (before & MARCH_FLOW_FINS) == MARCH_FLOW_FINS;
  if (is_tcp && is_over && (flags & (MARCH_TCP_SYN | MARCH_TCP_ACK)) == MARCH_TCP_SYN) {
    march_flow_end(t, 0);
    t->number = MARCH_NO_FLOW;
    return MARCH_TRACK_JUDGE;
  }
  if (before & MARCH_FLOW_CUT) return MARCH_TRACK_DROP;
  if (MARCH_FLOW_GENERATION(flow->judged) != MARCH_CONFIG.flows.generation) {
    return MARCH_TRACK_AGAIN;
  }
  const uint32_t state =
      march_flow_next_state(before, is_tcp, t->is_reply, flags, (uint32_t)numbers, flow->isn);
  if (state == before) {
    march_flow_prolong(t, flow->l4, state);
    return MARCH_TRACK_PASS;
  }
  if (is_tcp && (state & ~before & MARCH_FLOW_ANSWERED)) flow->isn = (uint32_t)(numbers >> 32);
  if (state & ~before & MARCH_FLOW_ESTABLISHED) {
    march_flow_promote(t, flow, state);
    return MARCH_TRACK_PASS;
  }
  __sync_fetch_and_or(&flow->judged, state);
  march_flow_prolong(t, flow->l4, state);
  return MARCH_TRACK_PASS;
}

/* A packet counts for its flow. */
MARCH_INLINE void march_flow_count(struct march_flow* flow, uint32_t is_reply, uint32_t bytes) {
  uint32_t direction = is_reply & 1;
  MARCH_OPAQUE(direction);
  direction &= 1;
  const uint32_t packets = flow->packets[direction] + 1u;
  const uint64_t sum = flow->bytes[direction] + (uint64_t)bytes;
  if ((packets >> 16 | sum >> 32) != 0) {
    flow->carried_packets[direction] += packets >> 16;
    flow->carried_bytes[direction] += sum >> 32;
  }
  flow->packets[direction] = (uint16_t)packets;
  flow->bytes[direction] = (uint32_t)sum;
}

/* Writes down that the policy in force allows the flow, and by which mapping. Its packet counts,
 * and what it ends has ended. */
MARCH_INLINE void march_flow_confirm(struct march_track* t, uint32_t slot, uint32_t audit) {
  struct march_flow* flow = march_flow_at(t->number);
  if (!flow) return;
  const uint64_t before = flow->judged;
  const uint64_t after =
      MARCH_FLOW_JUDGED(MARCH_CONFIG.flows.generation, slot, MARCH_FLOW_STATE(before));
  flow->audit = audit;
  /* If another packet of it has just changed its state, the next one is judged again. */
  __sync_val_compare_and_swap(&flow->judged, before, after);
  march_flow_count(flow, t->is_reply, t->bytes);
  if (MARCH_FLOW_PROTOCOL(t->l4) != MARCH_PROTO_TCP) return;
  uint32_t ends = 0;
  if (t->flags & MARCH_TCP_RST) ends = MARCH_FLOW_RESET;
  if (t->flags & MARCH_TCP_FIN) {
    ends |= t->is_reply ? MARCH_FLOW_FIN_REPLY : MARCH_FLOW_FIN_FORWARD;
  }
  if (!ends) return;
  __sync_fetch_and_or(&flow->judged, ends);
  march_flow_prolong(t, flow->l4, MARCH_FLOW_STATE(before) | ends);
}

/* A later policy forbids the flow. */
MARCH_INLINE void march_flow_forbid(const struct march_track* t) {
  march_flow_end(t, MARCH_FLOW_FORBIDDEN);
  march_flow_statistic(MARCH_STATISTIC_FLOWS_CUT);
}

/* Makes the flow that `t` begins. `flags` are TCP's; `ifindex`, where its packet came in. */
MARCH_INLINE uint32_t march_flow_open(struct march_track* t, uint32_t slot, uint32_t audit,
                                      uint32_t flags, uint32_t ifindex) {
  uint32_t number = MARCH_NO_FLOW;
  uint64_t* word = march_flow_take(t, 1, &number);
  if (!word) return MARCH_NO_FLOW;
  struct march_flow* flow = march_flow_at(number);
  if (!flow) return MARCH_NO_FLOW;
  const uint32_t is_tcp = MARCH_FLOW_PROTOCOL(t->l4) == MARCH_PROTO_TCP;
  uint32_t state = 0;
  if (is_tcp && (flags & (MARCH_TCP_SYN | MARCH_TCP_ACK)) == MARCH_TCP_SYN) state = MARCH_FLOW_SYN;
  flow->src_hi = t->src_hi;
  flow->src_lo = t->src_lo;
  flow->dst_hi = t->dst_hi;
  flow->dst_lo = t->dst_lo;
  flow->l4 = t->l4;
  flow->judged = MARCH_FLOW_JUDGED(MARCH_CONFIG.flows.generation, slot, state);
  flow->begun = t->now;
  flow->isn = 0;
  flow->audit = audit;
  flow->ifindex = ifindex;
  for (uint32_t i = 0; i < 2; ++i) {
    flow->carried_packets[i] = 0;
    flow->carried_bytes[i] = 0;
  }
  flow->packets[MARCH_FLOW_FORWARD] = t->bytes ? 1 : 0;
  flow->bytes[MARCH_FLOW_FORWARD] = t->bytes;
  flow->packets[MARCH_FLOW_REPLY] = 0;
  flow->bytes[MARCH_FLOW_REPLY] = 0;
  march_flow_publish(t, word, number, t->now + march_flow_timeout(t->l4, state));
  march_flow_statistic(MARCH_STATISTIC_FLOWS_OPENED);
  t->number = number;
  return number;
}

/* Whether the first packet of what is no flow yet may open one. */
MARCH_INLINE uint32_t march_flow_may_open(const struct march_track* t, uint32_t flags) {
  if ((t->directions & MARCH_DIRECTION_FORWARD) == 0) return 0;
  if (MARCH_FLOW_KIND(t->l4) == MARCH_KIND_FRAGMENTS) return 0;
  if (MARCH_FLOW_PROTOCOL(t->l4) != MARCH_PROTO_TCP) return 1;
  return (flags & (MARCH_TCP_RST | MARCH_TCP_FIN)) == 0;
}

#endif
