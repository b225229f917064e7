#include "compiler/model/keys.h"

namespace march::model {
namespace {

using enum Key::Status;

}  // namespace

const KeyTable& PolicyKeys() {
  static const KeyTable keys = {{"apiVersion", kRequired, "write apiVersion: march/v1"},
                                {"kind", kRequired, "write kind: Policy"},
                                {"cluster"},
                                {"defaults"},
                                {"services"},
                                {"mappings"}};
  return keys;
}

const KeyTable& DefaultsKeys() {
  static const KeyTable keys = {{"action"}};
  return keys;
}

const KeyTable& ServiceKeys() {
  static const KeyTable keys = {
      {"addresses", kRequired, "write addresses: [], if it is to match nothing"},
      {"collection"},
      {"owner"},
      {"comment"},
      {"except", kNotYetEnforced},
      {"fqdns", kNotYetEnforced},
      {"services", kNotYetEnforced}};
  return keys;
}

const KeyTable& MappingKeys() {
  static const KeyTable keys = {{"from"},
                                {"to"},
                                {"protocols"},
                                {"ports"},
                                {"action"},
                                {"priority"},
                                {"comment"},
                                {"source_ports", kNotYetEnforced},
                                {"icmp_types", kNotYetEnforced},
                                {"audit", kNotYetEnforced},
                                {"auth", kNotYetEnforced},
                                {"tls", kNotYetEnforced},
                                {"http", kNotYetEnforced}};
  return keys;
}

}  // namespace march::model
