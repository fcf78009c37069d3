/* Second names of hooks: each jumps to the first. */
#include "thunk.h"

#define HOOK(subset, when, ret, name, params, args, version)
#define OWN(subset, when, ret, name, params, args, version)
#define BLOCK(subset, kind, ret, name, params, args, version)
#define ALIAS(alias, name) THUNK(alias, name)
#define CHK(subset, name, ret, params)
#include "preload/hooks.def"
