#include "compiler/link/bpf_linker.h"

#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

namespace march::link {
namespace {

thread_local std::string warnings;

__attribute__((format(printf, 2, 0))) int Collect(libbpf_print_level level, const char* format,
                                                  va_list arguments) {
  constexpr std::size_t kMost = 4096;
  if (level == LIBBPF_DEBUG || warnings.size() > kMost) return 0;
  std::array<char, 512> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  warnings += line.data();
  return 0;
}

// Collects what libbpf says of this thread's work while it lives.
class Warnings {
 public:
  Warnings() : before_(libbpf_set_print(Collect)) { warnings.clear(); }
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;
  ~Warnings() { libbpf_set_print(before_); }

 private:
  libbpf_print_fn_t before_;
};

Diagnostic Failed(const std::string& what, int error) {
  std::string why = what + ": " + std::strerror(error);
  if (!warnings.empty()) why += ": " + warnings;
  return MakeDiagnostic(Code::kClangFailed, {}, "the generated program does not link: " + why,
                        "this is a defect of marchctl; please report it with the policy");
}

// A file in memory, which libbpf of Debian bookworm needs: it takes nothing but paths.
class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("march-link", MFD_CLOEXEC)) {}
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() {
    if (fd_ >= 0) close(fd_);
  }

  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

  bool Write(std::string_view bytes) {
    while (fd_ >= 0 && !bytes.empty()) {
      const ssize_t written = write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno != EINTR) return false;
      if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return fd_ >= 0;
  }

  bool Read(std::string& bytes) const {
    const off_t size = lseek(fd_, 0, SEEK_END);
    if (size <= 0) return false;
    bytes.resize(static_cast<std::size_t>(size));
    return pread(fd_, bytes.data(), bytes.size(), 0) == size;
  }

 private:
  int fd_;
};

struct FreeLinker {
  void operator()(bpf_linker* linker) const { bpf_linker__free(linker); }
};

}  // namespace

Outcome<std::string> LinkObjects(const std::vector<std::string_view>& objects) {
  const Warnings collecting;
  MemoryFile output;
  const std::unique_ptr<bpf_linker, FreeLinker> linker(
      bpf_linker__new(output.path().c_str(), nullptr));
  if (linker == nullptr) return Failed("libbpf's linker", errno);
  for (const std::string_view object : objects) {
    MemoryFile input;
    if (!input.Write(object)) return Failed("an object in memory", errno);
    const int error = bpf_linker__add_file(linker.get(), input.path().c_str(), nullptr);
    if (error != 0) return Failed("an object", -error);
  }
  const int error = bpf_linker__finalize(linker.get());
  if (error != 0) return Failed("the whole", -error);
  std::string bytes;
  if (!output.Read(bytes)) return Failed("what was linked", errno);
  return bytes;
}

}  // namespace march::link
