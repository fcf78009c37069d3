// Proves: what cancel_altstack.c does, where cleanups are destructors that the unwinder finds.
#include "cancel_altstack.c"
