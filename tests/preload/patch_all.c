// env: EVY_PATCH=all
// Proves: the default spelled out: same output as echo_calls.c.
#include "echo_calls.c"
