#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "base/file_system.h"

namespace march {
namespace {

class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string Why(int error) {
  return std::generic_category().message(error);
}

Diagnostic CannotRead(const std::string& path, int error) {
  return MakeDiagnostic(Code::kCannotRead, {}, "cannot read " + path + ": " + Why(error));
}

Diagnostic CannotWrite(const std::string& path, int error) {
  return MakeDiagnostic(Code::kCannotWrite, {}, "cannot write " + path + ": " + Why(error));
}

bool WriteAll(int fd, const std::string& content) {
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = ::write(fd, content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

// Fills the new file `beside` and puts it in the place of `path`, for good.
Outcome<Done> FinishReplacing(const std::string& path, const std::string& content,
                              const FileDescriptor& file, const std::string& beside) {
  if (!WriteAll(file.get(), content) || ::fsync(file.get()) != 0 ||
      ::rename(beside.c_str(), path.c_str()) != 0) {
    const int why = errno;
    ::unlink(beside.c_str());
    return CannotWrite(path, why);
  }
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const FileDescriptor directory(
      ::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return CannotWrite(path, errno);
  return Done{};
}

}  // namespace

FileSystem::Kind DiskFileSystem::KindOf(const std::string& path) const {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::is_directory(status)) return Kind::kDirectory;
  switch (status.type()) {
    case std::filesystem::file_type::not_found:
      return Kind::kNothing;
    case std::filesystem::file_type::fifo:
    case std::filesystem::file_type::socket:
    case std::filesystem::file_type::block:
    case std::filesystem::file_type::character:
      return Kind::kOther;
    default:
      return Kind::kFile;
  }
}

Outcome<std::string> DiskFileSystem::Read(const std::string& path, std::uint64_t limit) const {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return CannotRead(path, errno);
  std::string content;
  std::size_t used = 0;
  for (;;) {
    content.resize(std::max<std::size_t>(used * 2, 64 * 1024));
    const ssize_t n = ::read(file.get(), content.data() + used, content.size() - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return CannotRead(path, errno);
    used += static_cast<std::size_t>(n);
    if (used > limit) {
      return MakeDiagnostic(Code::kInputTooLarge, {},
                            path + " is larger than " + std::to_string(limit) + " bytes");
    }
    if (n == 0) break;
  }
  content.resize(used);
  return content;
}

Outcome<std::vector<std::string>> DiskFileSystem::List(const std::string& path) const {
  std::error_code error;
  std::vector<std::string> names;
  for (std::filesystem::directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  if (error) return CannotRead(path, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

Outcome<Done> DiskFileSystem::WriteAtomically(const std::string& path, const std::string& content,
                                              unsigned mode) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) return CannotWrite(path, error.value());
  const std::string beside = path + ".new";
  ::unlink(beside.c_str());
  const FileDescriptor file(
      ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (file.get() < 0) return CannotWrite(path, errno);
  return FinishReplacing(path, content, file, beside);
}

Outcome<Done> DiskFileSystem::RewriteAtomically(const std::string& path,
                                                const std::string& content) {
  std::error_code error;
  const std::string target = std::filesystem::canonical(path, error).string();
  if (error) return CannotWrite(path, error.value());
  struct stat status{};
  if (::stat(target.c_str(), &status) != 0) return CannotWrite(path, errno);
  // A name that is nobody's: these directories are not ours.
  std::string beside = target + ".XXXXXX";
  const FileDescriptor file(::mkostemp(beside.data(), O_CLOEXEC));
  if (file.get() < 0) return CannotWrite(path, errno);
  if (::fchmod(file.get(), status.st_mode & 07777U) != 0) {
    const int why = errno;
    ::unlink(beside.c_str());
    return CannotWrite(path, why);
  }
  return FinishReplacing(target, content, file, beside);
}

Outcome<Done> DiskFileSystem::Remove(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return CannotWrite(path, error.value());
  return Done{};
}

}  // namespace march
