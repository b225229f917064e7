#include "runtime/control/client.h"

#include <curl/curl.h>
#include <sys/stat.h>

#include <cerrno>
#include <memory>
#include <system_error>

namespace march::control {
namespace {

constexpr std::string_view kScheme = "unix:";
constexpr long kConnectSeconds = 5;
constexpr long kTotalSeconds = 120;
constexpr std::size_t kMaxReply = std::size_t{1} << 30;

struct CloseHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t Append(char* data, std::size_t size, std::size_t count, void* reply) {
  auto* body = static_cast<std::string*>(reply);
  if (body->size() + size * count > kMaxReply) return 0;
  body->append(data, size * count);
  return size * count;
}

Diagnostic Unreachable(const std::string& target, const std::string& why, std::string hint) {
  return MakeDiagnostic(Code::kTargetUnreachable, {}, "cannot reach " + target + ": " + why,
                        std::move(hint));
}

Diagnostic Explain(const std::string& target, const std::string& socket, CURL* handle,
                   CURLcode result) {
  struct stat status{};
  const bool there = ::stat(socket.c_str(), &status) == 0;
  const int stat_error = there ? 0 : errno;
  long os_error = 0;
  curl_easy_getinfo(handle, CURLINFO_OS_ERRNO, &os_error);
  if (stat_error == EACCES || os_error == EACCES || os_error == EPERM) {
    return Unreachable(target, "permission denied",
                       "only the user marchd runs as may use its socket");
  }
  if (!there) {
    return Unreachable(target, std::generic_category().message(stat_error),
                       "is marchd running, and is this its control socket?");
  }
  if (!S_ISSOCK(status.st_mode)) {
    return Unreachable(target, "it is not a socket", "give the path of marchd's control socket");
  }
  if (os_error == ECONNREFUSED) {
    return Unreachable(target, "connection refused", "marchd has left its socket behind; start it");
  }
  return Unreachable(target, curl_easy_strerror(result), "");
}

}  // namespace

Outcome<Reply> Request(const std::string& target, const std::string& method,
                       const std::string& path, std::string_view body) {
  if (!target.starts_with(kScheme) || target.size() == kScheme.size()) {
    return Unreachable("\"" + target + "\"", "this is not a target",
                       "write unix:PATH, as in unix:/run/march/control.sock");
  }
  const std::string socket = target.substr(kScheme.size());
  const std::unique_ptr<CURL, CloseHandle> handle(curl_easy_init());
  if (handle == nullptr) return Unreachable(target, "libcurl cannot start", "");
  CURL* curl = handle.get();
  Reply reply;
  // An empty Expect keeps libcurl from waiting a second for a 100 before it sends a body.
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  list = curl_slist_append(list, "Content-Type: application/octet-stream");
  const std::unique_ptr<curl_slist, FreeList> headers(list);
  const std::string url = "http://localhost" + path;
  curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket.c_str());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT, kTotalSeconds);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply.body);
  if (method == "POST") {
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    // The size is given below: curl looks for no terminator.
    // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  } else {
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
  if (const CURLcode result = curl_easy_perform(curl); result != CURLE_OK) {
    return Explain(target, socket, curl, result);
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  return reply;
}

}  // namespace march::control
