// Address classes laid out as words: IPv4 and IPv6 lookups.
#pragma once

#include "bundle/abi/tables.h"
#include "compiler/classify/classes.h"
#include "compiler/classify/runs.h"

namespace march::classify {

// From this many segments on, IPv4 tables have a root array of 65,536 runs: below it, half a
// mebibyte of root costs more than the few halvings it saves.
inline constexpr std::size_t kRootSegments = 512;

march_find4 LayOut4(const Classes& classes, Runs& runs);
march_find6 LayOut6(const Classes& classes, Runs& runs);

}  // namespace march::classify
