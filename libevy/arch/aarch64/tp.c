/* Nothing here: the register is always writable, tp.h says it all. */
#include "tp.h"
