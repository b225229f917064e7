// What the verbs that speak of a policy's cost need of the compiler.
#pragma once

#include "compiler/budget/lines.h"
#include "compiler/budget/verifier.h"
