// What the verbs that decide flows need of the compiler.
#pragma once

#include "compiler/explain/explainer.h"
#include "compiler/prove/decision.h"
#include "compiler/prove/engine.h"
#include "compiler/prove/frame.h"
#include "compiler/space/flow.h"
#include "compiler/space/protocol.h"
