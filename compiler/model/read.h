// Readers of single values: each reports what is wrong at its exact place and returns nothing then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "compiler/model/attributes.h"
#include "compiler/model/draft.h"
#include "compiler/model/fields.h"
#include "compiler/yaml/document.h"

namespace march::model {

// A letter or digit, then at most 127 letters, digits, '.', '_' and '-'.
bool IsName(std::string_view text);

// A scalar used as a name; a bad one is reported and returned all the same, so that what refers to
// it still finds it.
std::optional<Written<std::string_view>> ReadName(const yaml::Node& node, std::string_view what,
                                                  Diagnostics& out);

// Any scalar, as its text.
std::optional<std::string_view> ReadText(const yaml::Node& node, std::string_view what,
                                         Diagnostics& out);

// The actions of mappings, and of `defaults`.
std::optional<Action> ReadAction(const yaml::Node& node, Diagnostics& out);
std::optional<Action> ReadDefaultAction(const yaml::Node& node, Diagnostics& out);

// `true` or `false`.
std::optional<bool> ReadFlag(const yaml::Node& node, std::string_view what, Diagnostics& out);

std::optional<std::int32_t> ReadPriority(const yaml::Node& node, Diagnostics& out);
std::optional<DraftMapping::Protocol> ReadProtocol(const yaml::Node& node, Diagnostics& out);

// An address or a prefix without host bits.
std::optional<space::Prefix> ReadPrefix(const yaml::Node& node, Diagnostics& out);

// One entry of a port list: a number, a range, or several separated by commas.
void ReadPorts(const yaml::Node& node, std::vector<PortRange>& ports, Diagnostics& out);

// A name, a number, or TYPE/CODE.
std::optional<Written<DraftIcmpType>> ReadIcmpType(const yaml::Node& node, Diagnostics& out);

// In lower case; "*." may stand before it.
std::optional<std::string> ReadHostname(const yaml::Node& node, Diagnostics& out);

// Those of `members` that are given, sorted by name. Names of services in them go to `services`.
std::vector<Attribute> ReadAttributes(const Fields& fields, const std::vector<Member>& members,
                                      Names& services, Diagnostics& out);

// The limit that one of these asks for, if any. A member that could not be read is as if it were
// not there.
std::optional<Limit> LimitOf(const std::vector<Attribute>& attributes);

// One document of kind Policy, or a complaint about its envelope; tests and ownership only count as
// not being it. The draft is not sorted.
void ReadDocument(const yaml::Node& document, Draft& draft, Diagnostics& out);

}  // namespace march::model
