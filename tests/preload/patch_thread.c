// env: EVY_PATCH=thread
// Proves: green threads alone: conditions and signals between them as in cond_signal.c.
#include "cond_signal.c"
