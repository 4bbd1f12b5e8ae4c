/* Handlers in handlers: thrown on, thrown again, thrown by destructors' functions; the order in which objects go; pointers; several bases. */
#include <stdio.h>
#include "../error.h"

Error::~Error() { printf("  error %d goes\n", value); }
const char *Error::what() const { return "error"; }
const char *Precise::what() const { return "precise"; }

#ifdef __wasm__
extern "C" unsigned uncaught(void) __asm__("__cxa_uncaught_exceptions");
#else
#include <exception>
static unsigned uncaught(void) { return std::uncaught_exceptions(); }
#endif

struct Left { int left = 1; virtual ~Left() {} };
struct Right { int right = 2; virtual ~Right() {} };
struct Both : Left, Right {};

struct Note {
    const char *name;
    ~Note() { printf("  %s goes, %u in flight\n", name, uncaught()); }
};

/* volatile: what is called is not known when this is compiled. */
static void (*volatile called)(int);

static void throws(int kind)
{
    Note note{"inner"};
    switch (kind) {
    case 0: throw 10;
    case 1: throw 1.5;
    case 2: throw Precise(2);
    case 3: throw "text";
    case 4: throw Both();
    case 5: static Precise kept(5); throw &kept;
    default: printf("  no exception\n");
    }
}

static void again(int kind)
{
    try {
        called(kind);
    } catch (Error &e) {
        printf("  seen: %s\n", e.what());
        e.value += 100;
        throw;
    } catch (double) {
        throw 20;
    }
}

static void nested(int kind)
{
    try {
        again(kind);
    } catch (int number) {
        printf("  %d, and while it is handled:\n", number);
        try {
            Note note{"middle"};
            throws(2);
        } catch (const Precise &e) {
            printf("  %s %d\n", e.what(), e.value);
        }
        printf("  still %d\n", number);
        throw Error(number);
    }
}

static void outer(int kind)
{
    printf("%d\n", kind);
    try {
        Note note{"outer"};
        nested(kind);
    } catch (const Error &e) {
        printf("  caught %s %d\n", e.what(), e.value);
    } catch (const char *text) {
        printf("  caught %s\n", text);
    } catch (Right &right) {
        printf("  caught %d\n", right.right);
    } catch (Error *e) {
        printf("  caught pointer to %s %d\n", e->what(), e->value);
    } catch (...) {
        printf("  caught something\n");
    }
    printf("  %u in flight\n", uncaught());
}

static int deep(int depth)
{
    if (depth == 0) throw Error(-1);
    try {
        return deep(depth - 1);
    } catch (int) {
        return 0;
    }
}

int main()
{
    called = throws;
    for (int kind = 0; kind <= 6; kind++) outer(kind);
    int sum = 0;
    for (int i = 0; i < 200; i++) {
        try {
            if (i % 3) throw i;
        } catch (int number) {
            sum += number;
        }
    }
    printf("%d\n", sum);
    try {
        deep(50);
    } catch (const Error &e) {
        printf("from below: %d\n", e.value);
    }
    fflush(stdout);
    throw Precise(7);
}
