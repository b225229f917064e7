// What the verbs that reviewers use need of the compiler.
#pragma once

#include "compiler/lint/lint.h"
#include "compiler/ownership/change.h"
#include "compiler/policytest/run.h"
#include "compiler/policytest/test_case.h"
#include "compiler/ruleset/flow_set.h"
#include "compiler/ruleset/regions.h"
#include "compiler/space/describe.h"
#include "compiler/yaml/format.h"
