// BPF objects of ours, and filling their maps.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct bpf_object;

namespace march::bench {

class BpfObject {
 public:
  // `name` is that of a file in bench/ ("fastpath/bpf/floor.bpf.c"); `definitions` are put before
  // its text ("#define N 1\n").
  explicit BpfObject(std::string_view name, const std::string& definitions = "");

  // Before Load. At least one entry.
  void Resize(const char* map, std::size_t entries);
  // The kernel's refusal, if it refuses.
  std::optional<std::string> TryLoad();
  void Load();

  int Program(const char* name) const;
  int Map(const char* name) const;

  std::size_t instructions() const { return instructions_; }
  // Of all maps, as the kernel accounts them.
  std::uint64_t MapBytes() const;

 private:
  struct Close {
    void operator()(bpf_object* object) const;
  };
  std::unique_ptr<bpf_object, Close> object_;
  std::string name_;
  std::size_t instructions_ = 0;
};

// `count` keys and as many values, side by side. With one system call where the map can.
void UpdateMap(int map, const void* keys, std::size_t key_bytes, const void* values,
               std::size_t value_bytes, std::size_t count);

// The memory of an mmapable array of `bytes` bytes.
class MappedArray {
 public:
  MappedArray(int map, std::size_t bytes);
  ~MappedArray();
  MappedArray(const MappedArray&) = delete;
  MappedArray& operator=(const MappedArray&) = delete;

  void* data() const { return data_; }

 private:
  void* data_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace march::bench
