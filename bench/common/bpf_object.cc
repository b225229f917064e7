#include "bench/common/bpf_object.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "bench/common/fail.h"
#include "bench/embedded.h"
#include "compiler/clang/bpf_object.h"

namespace march::bench {
namespace {

constexpr std::string_view kIncludes = "#include \"bench/";

std::string_view EmbeddedText(std::string_view name) {
  for (const auto& file : EmbeddedPrograms()) {
    if (file.name == name) return file.text;
  }
  FailWith("there is no BPF source " + std::string(name));
}

// A program with the headers of bench/ in place: clang knows those of bpf-templates only.
std::string TextOf(std::string_view name) {
  std::string text(EmbeddedText(name));
  for (std::size_t at; (at = text.find(kIncludes)) != std::string::npos;) {
    const std::size_t from = at + kIncludes.size();
    const std::size_t end = text.find('"', from);
    const std::string header = TextOf(text.substr(from, end - from));
    text.replace(at, end + 1 - at, header);
  }
  return text;
}

}  // namespace

void BpfObject::Close::operator()(bpf_object* object) const {
  bpf_object__close(object);
}

BpfObject::BpfObject(std::string_view name, const std::string& definitions) : name_(name) {
  const auto object = clang::CompileBpf({definitions + TextOf(name)});
  if (!object) FailWith(object.diagnostics());
  instructions_ = object->instructions;
  object_.reset(bpf_object__open_mem(object->bytes.data(), object->bytes.size(), nullptr));
  if (object_ == nullptr) Fail("open " + name_);
}

void BpfObject::Resize(const char* map, std::size_t entries) {
  bpf_map__set_max_entries(bpf_object__find_map_by_name(object_.get(), map),
                           static_cast<std::uint32_t>(std::max<std::size_t>(entries, 1)));
}

std::optional<std::string> BpfObject::TryLoad() {
  const libbpf_print_fn_t print = libbpf_set_print(nullptr);
  const int error = bpf_object__load(object_.get());
  libbpf_set_print(print);
  if (error == 0) return {};
  return "the kernel does not load " + name_ + ": " + std::strerror(-error);
}

void BpfObject::Load() {
  if (const auto refusal = TryLoad()) FailWith(*refusal);
}

int BpfObject::Program(const char* name) const {
  return bpf_program__fd(bpf_object__find_program_by_name(object_.get(), name));
}

int BpfObject::Map(const char* name) const {
  return bpf_map__fd(bpf_object__find_map_by_name(object_.get(), name));
}

std::uint64_t BpfObject::MapBytes() const {
  std::uint64_t bytes = 0;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_.get()) {
    std::ifstream info("/proc/self/fdinfo/" + std::to_string(bpf_map__fd(map)));
    for (std::string word; info >> word;) {
      std::uint64_t size = 0;
      if (word == "memlock:" && info >> size) bytes += size;
    }
  }
  return bytes;
}

void UpdateMap(int map, const void* keys, std::size_t key_bytes, const void* values,
               std::size_t value_bytes, std::size_t count) {
  if (count == 0) return;
  auto done = static_cast<std::uint32_t>(count);
  bpf_map_batch_opts options{};
  options.sz = sizeof(options);
  if (bpf_map_update_batch(map, keys, values, &done, &options) == 0 && done == count) return;
  for (std::size_t i = 0; i < count; ++i) {
    const char* key = static_cast<const char*>(keys) + i * key_bytes;
    const char* value = static_cast<const char*>(values) + i * value_bytes;
    if (bpf_map_update_elem(map, key, value, BPF_ANY) != 0) Fail("fill a map");
  }
}

MappedArray::MappedArray(int map, std::size_t bytes) : bytes_((bytes + 4095) / 4096 * 4096) {
  data_ = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
  if (data_ == MAP_FAILED) Fail("map an array");
}

MappedArray::~MappedArray() {
  ::munmap(data_, bytes_);
}

}  // namespace march::bench
