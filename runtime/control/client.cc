#include "runtime/control/client.h"

#include <curl/curl.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <system_error>
#include <utility>

namespace march::control {
namespace {

constexpr std::string_view kScheme = "unix:";
constexpr long kConnectSeconds = 5;
constexpr long kTotalSeconds = 120;
constexpr std::size_t kMaxReply = std::size_t{1} << 30;
constexpr std::size_t kMaxLine = std::size_t{1} << 20;
constexpr int kOk = 200;
constexpr std::chrono::seconds kMostSilence{60};

using Clock = std::chrono::steady_clock;

struct CloseHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Handle = std::unique_ptr<CURL, CloseHandle>;
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

std::size_t Append(char* data, std::size_t size, std::size_t count, void* reply) {
  auto* body = static_cast<std::string*>(reply);
  if (body->size() + size * count > kMaxReply) return 0;
  body->append(data, size * count);
  return size * count;
}

// The path in "unix:PATH".
std::string SocketOf(const std::string& target) {
  return target.substr(kScheme.size());
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

// A handle that is set up for `target`, or why there is none.
Outcome<Handle> HandleFor(const std::string& target, const std::string& path) {
  if (!target.starts_with(kScheme) || target.size() == kScheme.size()) {
    return Unreachable("\"" + target + "\"", "this is not a target",
                       "write unix:PATH, as in unix:/run/march/control.sock");
  }
  Handle handle(curl_easy_init());
  if (handle == nullptr) return Unreachable(target, "libcurl cannot start", "");
  CURL* curl = handle.get();
  const std::string url = "http://localhost" + path;
  curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, SocketOf(target).c_str());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  return handle;
}

int StatusOf(CURL* curl) {
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

// What Follow keeps between libcurl's calls.
struct Following {
  CURL* curl;
  const std::function<bool(std::string_view)>& take;
  Reply reply = {};
  std::string rest = {};  // of a line that has not ended
  bool is_over = false;   // by the caller's wish
  bool is_silent = false;
  Clock::time_point last_byte = Clock::now();
};

std::size_t TakeLines(char* data, std::size_t size, std::size_t count, void* context) {
  auto& following = *static_cast<Following*>(context);
  if (StatusOf(following.curl) != kOk) return Append(data, size, count, &following.reply.body);
  following.rest.append(data, size * count);
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = following.rest.find('\n', begin)) != std::string::npos;
       begin = end + 1) {
    if (following.take(std::string_view(following.rest).substr(begin, end - begin))) continue;
    following.is_over = true;
    return 0;
  }
  following.rest.erase(0, begin);
  if (following.rest.size() > kMaxLine) return 0;
  // However long that took, it was not the other side's fault.
  following.last_byte = Clock::now();
  return size * count;
}

int Watch(void* context, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  auto& following = *static_cast<Following*>(context);
  following.is_silent = Clock::now() - following.last_byte > kMostSilence;
  return following.is_silent ? 1 : 0;
}

}  // namespace

Outcome<Reply> Request(const std::string& target, const std::string& method,
                       const std::string& path, std::string_view body) {
  const auto handle = HandleFor(target, path);
  if (!handle.ok()) return handle.diagnostics();
  CURL* curl = handle->get();
  Reply reply;
  // An empty Expect keeps libcurl from waiting a second for a 100 before it sends a body.
  curl_slist* list = curl_slist_append(nullptr, "Expect:");
  list = curl_slist_append(list, "Content-Type: application/octet-stream");
  const std::unique_ptr<curl_slist, FreeList> headers(list);
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
    return Explain(target, SocketOf(target), curl, result);
  }
  reply.status = StatusOf(curl);
  return reply;
}

Outcome<Reply> Follow(const std::string& target, const std::string& path,
                      const std::function<bool(std::string_view line)>& take) {
  const auto handle = HandleFor(target, path);
  if (!handle.ok()) return handle.diagnostics();
  CURL* curl = handle->get();
  Following following{.curl = curl, .take = take};
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &TakeLines);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &following);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Watch);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &following);
  const CURLcode result = curl_easy_perform(curl);
  if (following.is_silent) {
    return Unreachable(target, "nothing came for a minute", "is marchd still there?");
  }
  if (result != CURLE_OK && !following.is_over) {
    return Explain(target, SocketOf(target), curl, result);
  }
  following.reply.status = StatusOf(curl);
  return std::move(following.reply);
}

}  // namespace march::control
