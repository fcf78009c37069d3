#include "core/observe.h"

uint8_t observed;
