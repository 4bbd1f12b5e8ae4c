/* A library as clang's driver links it: its constructors are behind _initialize. */
static volatile int ready;

__attribute__((constructor)) static void make(void) { ready += 41; }

int answer(void) { return ready + 1; }
