/* Descriptors that a call of ours opens while it waits: high, out of the numbers the program counts on. */
#ifndef EVY_PRIVATE_FD_H
#define EVY_PRIVATE_FD_H

/* Moves fd up and enters it into the fd table. Returns its new number; -errno is handed through. */
int private_fd(int fd);
void private_fd_close(int fd);

#endif
