#include "error.h"

namespace {
struct Local { int value; };
struct Guard {
    int *counter;
    ~Guard() { ++*counter; }
};
}

static int unwound;

const char *Precise::what() const { return "precise"; }

extern "C" int thrower(int kind)
{
    Guard guard{&unwound};
    switch (kind) {
    case 0: return 7;
    case 1: throw 42;
    case 2: throw Error(2);
    case 3: throw Precise(3);
    case 4: throw Box<int>{};
    case 5: throw Local{5};
    default: throw "text";
    }
}

extern "C" int unwound_frames(void) { return unwound; }
