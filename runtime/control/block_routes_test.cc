// The API's answers about the block list.
#include "runtime/control/block_routes.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

namespace march::control {
namespace {

class List {
 public:
  List() {
    blocks_.Start(
        [this](const std::vector<block::Prefix>& prefixes) { in_force = prefixes.size(); });
  }

  nlohmann::json Ask(const std::string& target, const std::string& body = {}, int status = 200) {
    const Response response = AnswerAboutBlocks(target, body, blocks_);
    INFO(response.body);
    CHECK(response.status == status);
    return nlohmann::json::parse(response.body);
  }

  std::size_t in_force = 0;

 private:
  MemoryFileSystem files_;
  telemetry::Logger log_{[](const std::string&) {}};
  block::Blocks blocks_{"/blocks", 4, files_, log_, [] { return std::int64_t{1000}; }};
};

std::string MessageOf(const nlohmann::json& answer) {
  return answer["error"]["code"].get<std::string>() + "|" +
         answer["error"]["class"].get<std::string>() + "|" +
         answer["error"]["message"].get<std::string>();
}

TEST_CASE("prefixes are added, listed and removed") {
  List list;
  const auto added =
      list.Ask("/v1/blocks/add",
               R"({"list":"192.0.2.0/24\n2001:db8::1 # seen","for":60,"comment":"scanner"})");
  CHECK(added["added"] == 2);
  CHECK(added["renewed"] == 0);
  CHECK(added["entries"] == 2);
  CHECK(added["capacity"] == 4);
  CHECK(list.in_force == 2);
  CHECK(list.Ask("/v1/blocks/add", R"({"list":"192.0.2.7"})")["added"] == 1);
  const auto all = list.Ask("/v1/blocks");
  CHECK(all["now"] == 1000);
  CHECK(all["blocks"].dump() == R"([{"comment":"scanner","prefix":"192.0.2.0/24","until":1060},)"
                                R"({"prefix":"192.0.2.7"},)"
                                R"({"comment":"seen","prefix":"2001:db8::1","until":1060}])");
  CHECK(list.Ask("/v1/blocks?prefix=192.0.2.9")["blocks"].size() == 1);
  CHECK(list.Ask("/v1/blocks?prefix=192.0.0.0%2F16")["blocks"].size() == 2);
  CHECK(list.Ask("/v1/blocks?prefix=198.51.100.1")["blocks"].empty());
  const auto removed = list.Ask("/v1/blocks/remove", R"({"list":"192.0.2.7\n192.0.2.8"})");
  CHECK(removed["removed"] == 1);
  CHECK(removed["missing"].dump() == R"(["192.0.2.8"])");
  CHECK(list.Ask("/v1/blocks/remove", R"({"all":true})")["removed"] == 2);
  CHECK(list.in_force == 0);
}

TEST_CASE("what is not understood changes nothing and says why") {
  List list;
  const auto said = [&](const std::string& target, const std::string& body) {
    return MessageOf(list.Ask(target, body, 400));
  };
  CHECK(said("/v1/blocks/add", "192.0.2.1") == "|request|the body is no JSON object");
  CHECK(said("/v1/blocks/add", "{}") == "|request|\"list\" has to say what to add");
  CHECK(said("/v1/blocks/add", R"({"list":7})") ==
        "|request|\"list\" is not known here, or of another type");
  CHECK(said("/v1/blocks/add", R"({"list":"192.0.2.1","for":-1})") ==
        "|request|\"for\" is not known here, or of another type");
  CHECK(said("/v1/blocks/add", R"({"list":"192.0.2.1","for":0})") ==
        "|request|\"for\" has to be a second at least");
  CHECK(said("/v1/blocks/add", R"({"list":"192.0.2.1","fro":1})") ==
        "|request|\"fro\" is not known here, or of another type");
  CHECK(said("/v1/blocks/add", R"({"list":"192.0.2.1","all":true})") ==
        "|request|\"list\" has to say what to add");
  CHECK(said("/v1/blocks/add", R"({"list":"192.0.2"})") ==
        "M0707|request|line 1: \"192.0.2\" is no IP address or prefix");
  CHECK(said("/v1/blocks/add", R"({"list":"1.1.1.1\n1.1.1.2\n1.1.1.3\n1.1.1.4\n1.1.1.5"})") ==
        "M0708|request|the block list has room for 4 entries, not for 5");
  CHECK(said("/v1/blocks/remove", "{}") ==
        "|request|\"list\" has to say what to remove, or \"all\"");
  CHECK(said("/v1/blocks/remove", R"({"all":true,"list":""})") ==
        "|request|\"list\" has to say what to remove, or \"all\"");
  CHECK(said("/v1/blocks?prefix=x", "") == "M0707|request|\"x\" is no IP address or prefix");
  CHECK(said("/v1/blocks?x=1", "") == "|request|x is not known here");
  CHECK(list.in_force == 0);
}

}  // namespace
}  // namespace march::control
