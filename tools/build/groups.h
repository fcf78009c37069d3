/* Reads preload/hooks.def for the manual: run through the preprocessor by man.sh, which collects the words
   after "@hook": the group and the name. Other names of a function are left out. */
#define HOOK(subset, flags, ret, name, params, args, version) @hook subset name;
#define OWN HOOK
#define BLOCK(subset, kind, ret, name, params, args, version) @hook subset name;
#define ALIAS(alias, name)
#define CHK(name, ...)

#include "preload/hooks.def"
