// Programs that decide nothing, to see what is not the classifier's.
#include <algorithm>
#include <bit>

#include "bench/fastpath/subjects/subject.h"

namespace march::bench {
namespace {

class Control final : public ProgramSubject {
 public:
  Control(std::string_view name, const char* source, const char* program,
          const std::string& definitions = "")
      : ProgramSubject(name), object_(source, definitions), program_(program) {
    facts_.instructions = object_.instructions();
  }
  BpfObject& object() { return object_; }
  void Load() {
    facts_.load_seconds = SecondsOf([&] { object_.Load(); });
  }
  void SetTableBytes(std::uint64_t bytes) { facts_.table_bytes = bytes; }

  bool judges() const override { return false; }
  int program() const override { return object_.Program(program_); }

 private:
  BpfObject object_;
  const char* program_;
};

MadeSubject Simple(std::string_view name, const char* source) {
  auto control = std::make_unique<Control>(name, source, "bench_subject");
  control->Load();
  return {std::move(control), ""};
}

// An entry a mapping, all zero; a hash map needs them put in to be found.
MadeSubject Lookup(std::string_view name, const char* program, const char* map, bool fill,
                   std::size_t mappings) {
  const auto entries =
      static_cast<std::uint32_t>(std::bit_ceil(std::max<std::size_t>(mappings, 2)));
  auto control =
      std::make_unique<Control>(name, "fastpath/bpf/lookup.bpf.c", program,
                                "#define BENCH_ENTRIES " + std::to_string(entries) + "u\n");
  control->object().Resize(map, entries);
  control->Load();
  if (fill) {
    std::vector<std::uint32_t> keys(entries);
    for (std::uint32_t i = 0; i < entries; ++i) keys[i] = i;
    const std::vector<std::uint64_t> values(entries, 0);
    UpdateMap(control->object().Map(map), keys.data(), 4, values.data(), 8, entries);
  }
  control->SetTableBytes(control->object().MapBytes());
  return {std::move(control), ""};
}

}  // namespace

MadeSubject MakeDrop(const Policy&, const Workspace&) {
  return Simple("drop", "fastpath/bpf/drop.bpf.c");
}

MadeSubject MakeFloor(const Policy&, const Workspace&) {
  return Simple(kFloor, "fastpath/bpf/floor.bpf.c");
}

MadeSubject MakeRandomArray(const Policy& policy, const Workspace&) {
  return Lookup("array", "bench_array", "lookup_array", false, policy.rules.size());
}

MadeSubject MakeRandomHash(const Policy& policy, const Workspace&) {
  return Lookup("hash", "bench_hash", "lookup_hash", true, policy.rules.size());
}

}  // namespace march::bench
