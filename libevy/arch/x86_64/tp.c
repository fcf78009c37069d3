#include "tp.h"

#include "base/sys.h"

#include <asm/prctl.h>
#include <sys/auxv.h>

#define HWCAP2_FSGSBASE_BIT 2 /* the kernel lets user code use wrfsbase: asm/hwcap2.h, Linux 5.9 */

bool tp_fast;

void tp_init(void)
{
    tp_fast = getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE_BIT;
}

void tp_set_slow(uintptr_t tp)
{
    sys3(SYS_arch_prctl, ARCH_SET_FS, tp, 0);
}
