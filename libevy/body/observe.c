#include "body/observe.h"

uint8_t observed;
