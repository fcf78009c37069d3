// A library whose constructor calls what the program (stuck.c) wants to be called there.
#include <dlfcn.h>

__attribute__((constructor)) static void construct()
{
    auto body = reinterpret_cast<void (*)()>(dlsym(RTLD_DEFAULT, "stuck_constructor"));
    if (body)
        body();
}
