/* Hints to the processor, aarch64. */
#ifndef EVY_CPU_H
#define EVY_CPU_H

/* One turn of a spin loop. */
static inline void cpu_relax(void)
{
    __asm__ volatile("yield" : : : "memory");
}

#endif
