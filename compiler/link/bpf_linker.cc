#include "compiler/link/bpf_linker.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <mutex>

namespace march::link {
namespace {

// libbpf prints by one function for the whole process, so one links at a time.
std::mutex linking;
std::string warnings;

__attribute__((format(printf, 2, 0))) int Collect(libbpf_print_level level, const char* format,
                                                  va_list arguments) {
  constexpr std::size_t kMost = 4096;
  if (level == LIBBPF_DEBUG || warnings.size() > kMost) return 0;
  std::array<char, 512> line{};
  std::vsnprintf(line.data(), line.size(), format, arguments);
  warnings += line.data();
  return 0;
}

// Collects what libbpf says while it lives.
class Warnings {
 public:
  Warnings() : lock_(linking) {
    warnings.clear();
    before_ = libbpf_set_print(Collect);
  }
  Warnings(const Warnings&) = delete;
  Warnings& operator=(const Warnings&) = delete;
  ~Warnings() { libbpf_set_print(before_); }

 private:
  std::lock_guard<std::mutex> lock_;
  libbpf_print_fn_t before_ = nullptr;
};

Diagnostic Failed(const std::string& what, int error) {
  std::string why = what + ": " + std::strerror(error);
  if (!warnings.empty()) why += ": " + warnings;
  return MakeDiagnostic(Code::kClangFailed, {}, "the generated program does not link: " + why,
                        "this is a defect of marchctl; please report it with the policy");
}

// A file in memory that has a path, since libbpf of Debian bookworm takes nothing else; where there
// is no /proc to name it by, a temporary file, here if there is no other folder for it. It is gone
// when this is.
class ScratchFile {
 public:
  ScratchFile() : fd_(memfd_create("march-link", MFD_CLOEXEC)) {
    path_ = "/proc/self/fd/" + std::to_string(fd_);
    if (fd_ >= 0 && access(path_.c_str(), F_OK) == 0) return;
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
    std::error_code ignored;
    for (const std::filesystem::path& folder :
         {std::filesystem::temp_directory_path(ignored), std::filesystem::path(".")}) {
      if (folder.empty()) continue;
      path_ = folder / "march-link-XXXXXX";
      fd_ = mkostemp(path_.data(), O_CLOEXEC);
      is_temporary_ = fd_ >= 0;
      if (is_temporary_) return;
    }
  }
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile() {
    if (fd_ >= 0) close(fd_);
    if (is_temporary_) unlink(path_.c_str());
  }

  const std::string& path() const { return path_; }

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
  std::string path_;
  bool is_temporary_ = false;
};

struct FreeLinker {
  void operator()(bpf_linker* linker) const { bpf_linker__free(linker); }
};

}  // namespace

Outcome<std::string> LinkObjects(const std::vector<std::string_view>& objects) {
  const Warnings collecting;
  ScratchFile output;
  const std::unique_ptr<bpf_linker, FreeLinker> linker(
      bpf_linker__new(output.path().c_str(), nullptr));
  if (linker == nullptr) return Failed("libbpf's linker", errno);
  for (const std::string_view object : objects) {
    ScratchFile input;
    if (!input.Write(object)) return Failed("a temporary file " + input.path(), errno);
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
