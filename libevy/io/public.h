/* The calls that are public too. */
#ifndef EVY_IO_PUBLIC_H
#define EVY_IO_PUBLIC_H

#include "real/hooktypes.h"

#pragma GCC visibility push(default)
#include <evy/libc.h>
#pragma GCC visibility pop

#endif
