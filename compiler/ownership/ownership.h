// Documents of kind Ownership: who may change which part of a policy.
//
//   owners:
//     team-pay:
//       members: [ada@example.com]           # git authors, or fingerprints of signing keys
//       services: [payments, "pay-*"]        # besides those that say `owner: team-pay`
//       mappings: ["pay-*"]
//       traffic: [{ to: [10.20.0.0/16] }]    # whose verdicts they may change
//     platform: { members: [root@example.com], administrator: true }
#pragma once

#include <string>
#include <vector>

#include "base/outcome.h"
#include "compiler/model/keys.h"
#include "compiler/model/policy.h"
#include "compiler/space/packet_set.h"
#include "compiler/yaml/document.h"

namespace march::ownership {

struct Owner {
  std::string name;
  SourceRange place;                  // of the name
  std::vector<std::string> members;   // as written, sorted
  bool administrator = false;         // may change everything, owners included
  std::vector<std::string> services;  // names, "*" for any characters; sorted
  std::vector<std::string> mappings;  // likewise
  space::PacketSet traffic;
  std::string comment;
};

// Of all documents together; empty if there are none.
struct Ownership {
  std::vector<Owner> owners;  // sorted by name, byte order
};

// The keys of such a document, of an owner, and of an entry of its `traffic`.
const model::KeyTable& DocumentKeys();
const model::KeyTable& OwnerKeys();
const model::KeyTable& TrafficKeys();

// The owners of all documents of kind Ownership; other documents are passed over. Where there are
// owners, the services of `policy` may name no other. All faults are reported.
Outcome<Ownership> ReadOwnership(const yaml::PolicyDoc& doc, const model::Policy& policy);

// An e-mail address is the same in capitals, and so are the digits of an OpenPGP fingerprint.
bool HasMember(const Owner& owner, std::string_view email_or_key, bool is_key);
// Whether `name` is what a pattern says: "pay-*".
bool MatchesAny(const std::vector<std::string>& patterns, std::string_view name);

}  // namespace march::ownership
