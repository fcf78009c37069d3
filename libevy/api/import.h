/* Objects that were patched by themselves. */
#ifndef EVY_IMPORT_H
#define EVY_IMPORT_H

/* dlsym as a patched object sees it: hooked names lead where its own calls lead. */
void *import_dlsym(void *handle, const char *name);

#endif
