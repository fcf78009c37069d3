#include "base/base.h"

#include <evy.h>

EVY_API const char *evy_version(void);

const char *evy_version(void)
{
    return EVY_VERSION;
}
