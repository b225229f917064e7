#include "compiler/model/keys.h"

#include "compiler/model/attributes.h"

namespace march::model {
namespace {

KeyTable WithAttributes(KeyTable keys, const std::vector<Member>& attributes) {
  for (const Member& attribute : attributes) keys.push_back({attribute.name});
  return keys;
}

}  // namespace

const KeyTable& PolicyKeys() {
  static const KeyTable keys = {{"apiVersion", true, "write apiVersion: march/v1"},
                                {"kind", true, "write kind: Policy"},
                                {"cluster"},
                                {"defaults"},
                                {"services"},
                                {"mappings"}};
  return keys;
}

const KeyTable& DefaultsKeys() {
  static const KeyTable keys = {{"action"}, {"stateful"}};
  return keys;
}

const KeyTable& ServiceKeys() {
  static const KeyTable keys = WithAttributes(
      {{"addresses"}, {"except"}, {"fqdns"}, {"services"}, {"collection"}, {"owner"}, {"comment"}},
      ServiceAttributes());
  return keys;
}

const KeyTable& MappingKeys() {
  static const KeyTable keys = WithAttributes({{"from"},
                                               {"to"},
                                               {"protocols"},
                                               {"ports"},
                                               {"source_ports"},
                                               {"icmp_types"},
                                               {"action"},
                                               {"priority"},
                                               {"audit"},
                                               {"comment"}},
                                              MappingAttributes());
  return keys;
}

}  // namespace march::model
