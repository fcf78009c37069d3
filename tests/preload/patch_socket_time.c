// env: EVY_PATCH=socket,time
// Proves: a list of subsets: same output as echo_calls.c.
#include "echo_calls.c"
