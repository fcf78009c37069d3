/* Says once, where EVY_LOG asks for messages (info), that every green thread waits for another one. */
#ifndef EVY_DEADLOCK_H
#define EVY_DEADLOCK_H

/* Before the first hub sleeps. */
void deadlock_start(void);

#endif
