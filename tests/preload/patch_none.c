// env: EVY_PATCH=none
// Proves: with every hook passing through the conversations of echo_calls.c give the same output.
#include "echo_calls.c"
