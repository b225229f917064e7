// Which kernel runs, and whether it is as new as one that is asked for.
#pragma once

#include <string>
#include <string_view>

namespace march::bpf {

// As `uname -r` prints it: "6.1.0-56-amd64".
std::string KernelRelease();

// Whether `release` is surely older than `minimum` ("6.1"): compares major and minor number, which
// what follows them (a patch level, a distribution's suffix) does not change. False if one of them
// does not begin with two numbers: a name that says nothing is no reason to refuse.
bool IsOlderThan(std::string_view release, std::string_view minimum);

}  // namespace march::bpf
