/* A program for several threads, without a C library. */
void *dlopen(const char *path, int mode);
void *dlsym(void *library, const char *name);

_Thread_local int own = 3;
int shared = 10;
static int (*bump)(int);

__attribute__((export_name("open_library"))) int open_library(void)
{
    void *library = dlopen("libthreads.so", 2);
    if (library) bump = dlsym(library, "bump");
    return bump != 0;
}

static void fill(volatile int *values, int with)
{
    for (int i = 0; i < 100; i++) values[i] = with;
}

/* Adds to variables of this thread, here and in the library, with much on the stack. */
int work(int times, int by)
{
    volatile int values[100];
    for (int n = 0; n < times; n++) {
        fill(values, by);
        for (int i = 0; i < 100; i++)
            if (values[i] != by) return -1;
        own += values[n % 100];
        bump(by);
        __atomic_fetch_add(&shared, 1, __ATOMIC_SEQ_CST);
    }
    return own;
}
