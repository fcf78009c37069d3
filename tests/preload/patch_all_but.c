// env: EVY_PATCH=all,-socket,-time
// Proves: green threads whose sockets stay native (blocking calls are handed off): same output as
// echo_calls.c.
#include "echo_calls.c"
