// What the verbs that reviewers use need of the compiler.
#pragma once

#include "compiler/lint/lint.h"
#include "compiler/ruleset/flow_set.h"
#include "compiler/ruleset/regions.h"
#include "compiler/space/describe.h"
