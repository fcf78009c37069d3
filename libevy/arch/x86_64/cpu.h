/* Hints to the processor, x86-64. */
#ifndef EVY_CPU_H
#define EVY_CPU_H

/* One turn of a spin loop. */
static inline void cpu_relax(void)
{
    __builtin_ia32_pause();
}

#endif
