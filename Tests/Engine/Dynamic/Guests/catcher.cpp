#include "error.h"

/* Catches what another library throws, and lets the rest through. */
extern "C" int catcher(int (*function)(int), int argument)
{
    try {
        return function(argument);
    } catch (const Precise &e) {
        return 1000 + e.value;
    } catch (const Box<int> &) {
        return 4000;
    }
}

extern "C" int is_precise(const Error *e) { return dynamic_cast<const Precise *>(e) != nullptr; }
