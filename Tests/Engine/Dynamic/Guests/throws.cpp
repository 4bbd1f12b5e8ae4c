#include "error.h"
#include <stdio.h>
extern "C" {
void *dlopen(const char *, int);
void *dlsym(void *, const char *);
char *dlerror(void);
}
Error::~Error() {}
const char *Error::what() const { return "error"; }

static int direct(int kind, int (*function)(int))
{
    try {
        return function(kind);
    } catch (int number) {
        return number;
    } catch (const Error &e) {
        printf("  %s\n", e.what());
        return e.value;
    } catch (...) {
        return -1;
    }
}
static int own(int) { throw Error(99); }
int main()
{
    void *throwing = dlopen("libthrower.so", 2 | 0x100), *catching = dlopen("libcatcher.so", 2);
    if (!throwing || !catching) { printf("%s\n", dlerror()); return 1; }
    auto thrower = (int (*)(int))dlsym(throwing, "thrower");
    auto catcher = (int (*)(int (*)(int), int))dlsym(catching, "catcher");
    auto is_precise = (int (*)(const Error *))dlsym(catching, "is_precise");
    for (int kind = 0; kind <= 6; kind++) printf("%d: %d\n", kind, direct(kind, thrower));
    for (int kind = 0; kind <= 6; kind++) {
        try {
            printf("%d: %d\n", kind, catcher(thrower, kind));
        } catch (const Error &e) {
            printf("%d: through, %s\n", kind, e.what());
        } catch (...) {
            printf("%d: through\n", kind);
        }
    }
    try { catcher(own, 0); } catch (const Error &e) { printf("own: %d\n", e.value); }
    Error plain(1);
    printf("casts: %d", is_precise(&plain));
    try { thrower(3); } catch (const Error &e) { printf(" %d\n", is_precise(&e)); }
    printf("unwound: %d\n", ((int (*)(void))dlsym(throwing, "unwound_frames"))());
    return 0;
}
