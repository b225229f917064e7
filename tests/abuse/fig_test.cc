#include <catch2/catch.hpp>
#include <iostream>
#include "bundle/abi/block.h"
#include "tests/connections/gateway.h"
using namespace march; using namespace march::tests;
const char* kPol=R"(apiVersion: march/v1
kind: Policy
services: { clients: { addresses: [10.1.0.0/16] } }
mappings: { web: { from: [clients], protocols: [tcp], ports: [80] } }
)";
TEST_CASE("x") {
  for (int flows=0; flows<2; ++flows) for (unsigned what : {0u,1u,2u,4u,8u,15u,16u,31u}) {
    march_config c{};
    c.abuse.screens = what & 15; if (what & 16) c.abuse.blocks = 1024;
    Gateway g(flows ? Gateway::Sizes{} : Gateway::Sizes{.established=0,.fresh=0}, c);
    try { g.Enforce(kPol); std::cerr << "flows " << flows << " what " << what << ": " << g.Figures().verified_instructions << " native " << g.Figures().native_bytes << "\n"; } catch (...) { std::cerr << "flows " << flows << " what " << what << " FAILED\n"; }
  }
}
