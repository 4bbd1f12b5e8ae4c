// What Debian's C++ library (built for glibc) asks of the C library and musl does not have, so that .NET's build for musl runs on musl without Alpine's C++
// library. It stands in for glibc's loader, which that library names as one that it needs. For .ci/platforms alone.
#define _GNU_SOURCE
#include <link.h>
#include <locale.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

char __libc_single_threaded = 0;

size_t __strftime_l(char *to, size_t size, const char *format, const struct tm *time, locale_t locale) { return strftime_l(to, size, format, time, locale); }

uint32_t arc4random(void)
{
    uint32_t value;
    while (getrandom(&value, sizeof value, 0) != sizeof value) {}
    return value;
}

int __pthread_key_create(pthread_key_t *key, void (*end)(void *)) { return pthread_key_create(key, end); }

// The names of libgcc's own that have a version which is not the default; musl's loader does not find them.
unsigned __cpu_model[4];
int __cpu_indicator_init(void) { return 0; }

// Where exceptions of C++ find the tables of a function: the loaded object that has the address.
struct found { unsigned long long flags; void *start, *end, *map, *tables; unsigned long long reserved[7]; };
struct wanted { uintptr_t address; struct found *found; };

static int look(struct dl_phdr_info *info, size_t size, void *data)
{
    struct wanted *wanted = data;
    uintptr_t first = UINTPTR_MAX, last = 0;
    int is_inside = 0;
    void *tables = NULL;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + header->p_vaddr, end = start + header->p_memsz;
        if (header->p_type == PT_GNU_EH_FRAME) tables = (void *)start;
        if (header->p_type != PT_LOAD) continue;
        if (start < first) first = start;
        if (end > last) last = end;
        if (wanted->address >= start && wanted->address < end) is_inside = 1;
    }
    if (!is_inside || tables == NULL) return 0;
    *wanted->found = (struct found) { .start = (void *)first, .end = (void *)last, .tables = tables };
    return 1;
}

int _dl_find_object(void *address, struct found *found)
{
    struct wanted wanted = { (uintptr_t)address, found };
    return dl_iterate_phdr(look, &wanted) == 1 ? 0 : -1;
}

// Destructors of a thread's variables.
struct destructor { void (*call)(void *); void *object; struct destructor *next; };
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void run_all(void *list)
{
    for (struct destructor *each = list, *next; each != NULL; each = next) {
        next = each->next;
        each->call(each->object);
        free(each);
    }
}

static void make_key(void) { pthread_key_create(&key, run_all); }

int __cxa_thread_atexit_impl(void (*call)(void *), void *object, void *library)
{
    pthread_once(&once, make_key);
    struct destructor *made = malloc(sizeof *made);
    if (made == NULL) return -1;
    *made = (struct destructor) { call, object, pthread_getspecific(key) };
    return pthread_setspecific(key, made);
}
