#include "runtime/control/query.h"

#include <catch2/catch.hpp>

namespace march::control {
namespace {

Query Parsed(std::string_view target) {
  const auto query = ParseQuery(target);
  INFO(target);
  REQUIRE(std::holds_alternative<Query>(query));
  return std::get<Query>(query);
}

TEST_CASE("a query is read by name") {
  CHECK(Parsed("/v1/flows").empty());
  CHECK(Parsed("/v1/flows?").empty());
  CHECK(Parsed("/x?a=1&b=2") == Query{{"a", "1"}, {"b", "2"}});
  CHECK(Parsed("/x?a=&b=2&") == Query{{"a", ""}, {"b", "2"}});
  CHECK(Parsed("/x?source=2001%3adb8%3A%3A%2F32") == Query{{"source", "2001:db8::/32"}});
  CHECK(Parsed("/x?a=b=c&d=e?f+g") == Query{{"a", "b=c"}, {"d", "e?f+g"}});
}

TEST_CASE("what two readers could take in two ways is refused") {
  for (const auto& [target, reason] :
       std::map<std::string, std::string>{{"/x?a", "\"a\" in the query is no NAME=VALUE"},
                                          {"/x?a=1&&b=2", "\"\" in the query is no NAME=VALUE"},
                                          {"/x?a=1&a=2", "\"a\" twice in the query"},
                                          {"/x?a=1&%61=2", "\"a\" twice in the query"},
                                          {"/x?a=%4", "a broken escape in the query"},
                                          {"/x?a=%", "a broken escape in the query"},
                                          {"/x?a=%-1", "a broken escape in the query"},
                                          {"/x?a=%zz", "a broken escape in the query"}}) {
    INFO(target);
    const auto query = ParseQuery(target);
    REQUIRE(std::holds_alternative<Refusal>(query));
    CHECK(std::get<Refusal>(query).status == 400);
    CHECK(std::get<Refusal>(query).reason == reason);
  }
}

}  // namespace
}  // namespace march::control
