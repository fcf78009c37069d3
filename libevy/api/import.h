/* Objects that were patched by themselves. */
#ifndef EVY_IMPORT_H
#define EVY_IMPORT_H

/* dlsym as a patched object sees it: hooked names lead where its own calls lead. */
void *import_dlsym(void *handle, const char *name);

/* The loader is about to run constructors on this thread: what evy_import_patched has it load is patched now. */
void import_arrived(void);

#endif
