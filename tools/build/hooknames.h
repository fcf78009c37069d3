/* Reads preload/hooks.def for the list of names libevy.so may export besides evy_*: run through the
   preprocessor by the Makefile, which collects the words after "@hook". One macro per kind of line;
   a kind that is missing here stops the build. */
#define HOOK(subset, flags, ret, name, params, args, version) @hook name;
#define OWN HOOK
#define BLOCK(subset, kind, ret, name, params, args, version) @hook name;
#define ALIAS(alias, name) @hook alias;
#define CHK(subset, name, ...) @hook name;

#include "preload/hooks.def"
