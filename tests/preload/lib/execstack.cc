// flags: -Wl,-z,execstack
// To be loaded: asks for stacks that code may be run on.
extern "C" int execstack_loaded()
{
    return 1;
}
