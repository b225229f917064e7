#include "tests/budget/shapes.h"

#include <cstdlib>
#include <iostream>
#include <sstream>
#include <utility>

#include "base/print.h"
#include "bundle/abi/verdict.h"
#include "compiler/emit/bpf_source.h"
#include "runtime/bpf/state_maps.h"

namespace march::tests {
namespace {

constexpr std::uint8_t kAllViews =
    MARCH_VIEW_SOURCE | MARCH_VIEW_DESTINATION | MARCH_VIEW_MATRIX | MARCH_VIEW_PAIRS;

// Pairs are there only with rows by source.
const std::vector<std::uint8_t>& EveryViews() {
  static const std::vector<std::uint8_t> views = {0, 1, 2, 3, 4, 5, 6, 7, 9, 11, 13, 15};
  return views;
}

// As tables have them: tails where there are rows, pairs where there are rows by source.
march_family_shape WithViews(march_family_shape family, std::uint8_t views) {
  family.views = views;
  if ((views & MARCH_VIEW_SOURCE) == 0) family.source_tail = 0;
  if ((views & MARCH_VIEW_DESTINATION) == 0) family.destination_tail = 0;
  if (views == 0) family = {};
  return family;
}

}  // namespace

march_shape WorstShape() {
  march_shape shape{};
  shape.v4 = {kAllViews, 12, 5, 0, 7, 7, 0, 0};
  shape.v6 = {kAllViews, 0, 14, 14, 7, 7, 0, 0};
  shape.list_max = MARCH_LIST_MAX;
  shape.table_depth = 25;
  shape.source_port_depth = 16;
  shape.set_depth = 24;
  shape.source_ports = 1;
  shape.audits = 1;
  return shape;
}

std::vector<march_shape> LargestShapes() {
  std::vector<march_shape> shapes(6, WorstShape());
  shapes[1].v4 = {};
  shapes[2].v6 = {};
  shapes[3].v4.depth = shapes[3].v6.depth = 1;
  shapes[3].v6.low_depth = 0;
  shapes[4].v4.shared = shapes[4].v6.shared = 1;
  shapes[5] = shapes[4];
  shapes[5].v4.direct = 1;
  return shapes;
}

std::vector<march_shape> ExtremeShapes() {
  std::vector<march_shape> shapes = LargestShapes();
  const auto without_ports = [](march_shape shape) {
    shape.list_max = shape.table_depth = shape.source_port_depth = shape.set_depth = 0;
    shape.source_ports = shape.audits = 0;
    return shape;
  };
  for (const std::uint8_t views : EveryViews()) {
    march_shape only_v6 = WorstShape();
    only_v6.v4 = {};
    only_v6.v6 = WithViews(only_v6.v6, views);
    if (views != kAllViews) shapes.push_back(only_v6);
    shapes.push_back(without_ports(only_v6));
    march_shape only_v4 = WorstShape();
    only_v4.v4 = WithViews(only_v4.v4, views);
    only_v4.v6 = {};
    if (views != kAllViews) shapes.push_back(only_v4);
    shapes.push_back(without_ports(only_v4));
  }
  return shapes;
}

march_shape RandomShape(Random& random) {
  const bool beyond = random.OneIn(3);
  const auto up_to = [&](std::uint32_t most, std::uint32_t farther) {
    return static_cast<std::uint8_t>(random.Below((beyond ? farther : most) + 1));
  };
  const auto bit = [&] { return static_cast<std::uint8_t>(random.Below(2)); };
  march_shape shape{};
  shape.v4 = {0,
              random.Pick<std::uint8_t>({8, 10, 12, 14}),
              up_to(5, 40),
              0,
              up_to(7, 15),
              up_to(7, 15),
              bit(),
              bit()};
  shape.v6 = {0, 0, up_to(14, 40), up_to(14, 40), up_to(7, 15), up_to(7, 15), bit(), 0};
  shape.v4 = WithViews(shape.v4, random.Pick(EveryViews()));
  shape.v6 = WithViews(shape.v6, random.Pick(EveryViews()));
  shape.list_max = up_to(MARCH_LIST_MAX, 64);
  shape.table_depth = random.OneIn(2) ? up_to(25, 40) : 0;
  shape.source_port_depth = random.OneIn(2) ? up_to(16, 40) : 0;
  shape.set_depth = up_to(24, 40);
  shape.source_ports = bit();
  shape.audits = bit();
  return shape;
}

std::string Describe(const march_shape& shape) {
  std::ostringstream out;
  for (const march_family_shape* family : {&shape.v4, &shape.v6}) {
    out << (family == &shape.v4 ? "v4" : ", v6") << " views " << int{family->views} << " depth "
        << int{family->depth} << "+" << int{family->low_depth} << " tails "
        << int{family->source_tail} << "/" << int{family->destination_tail} << " shared "
        << int{family->shared} << " direct " << int{family->direct};
  }
  out << ", lists " << int{shape.list_max} << " tables " << int{shape.table_depth} << "/"
      << int{shape.source_port_depth} << " sets " << int{shape.set_depth} << " source ports "
      << int{shape.source_ports} << " audits " << int{shape.audits};
  return out.str();
}

Outcome<clang::BpfObject> CompileShape(const march_shape& shape, std::uint32_t lines) {
  classify::Tables tables;
  tables.shape = shape;
  tables.words.resize(std::size_t{lines} * MARCH_LINE_WORDS);
  return clang::CompileBpf(emit::EmitBpf(ruleset::RuleSet{}, tables));
}

Outcome<Loaded> LoadShape(const march_shape& shape, std::uint32_t lines,
                          const march_config& config) {
  const auto object = CompileShape(shape, lines);
  if (!object) return object.diagnostics();
  const auto state = bpf::StateMaps::Open("", config);
  if (!state) return state.diagnostics();
  const std::vector<bpf::StateMap> maps = state->maps();
  // What the tables hold is nothing to the verifier.
  const std::string few_lines(std::size_t{4} * MARCH_LINE_BYTES, '\0');
  const auto program = bpf::TestRun::Load(
      {object->bytes, few_lines, MARCH_SLOT_FIRST_MAPPING, state->config(), maps});
  return Loaded{object->longest_function, object->stack_bytes,
                program ? program->Figures() : Outcome<bpf::LoadFigures>(program.diagnostics())};
}

void SkipWithoutPrivileges() {
  if (const auto may_load = bpf::MayLoadPrograms(); !may_load) {
    std::cerr << "SKIPPED: " << TextOf(may_load.diagnostics());
    std::exit(77);
  }
}

}  // namespace march::tests
