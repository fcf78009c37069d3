// only-preload
// run: 1000000
// limit: 60
// Proves: a million threads in sequence; see create_join.c.
#include "create_join.c"
