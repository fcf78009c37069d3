// env: EVY_PATCH=-thread
// Proves: native threads with green sockets, select and time: same output as echo_calls.c.
#include "echo_calls.c"
