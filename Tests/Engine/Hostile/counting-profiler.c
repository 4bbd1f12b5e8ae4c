// A profiler of .NET that counts what it is told of, and writes the number into the file that COUNTING_PROFILER_FILE names. Every method of its objects is one function,
// apart from those that have to answer.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int64_t told;

typedef struct Unknown { void **methods; } Unknown;
typedef int32_t (*QueryInterface)(Unknown *, const void *, void **);
typedef int32_t (*SetEventMask)(Unknown *, uint32_t);

static void *profiler_methods[256], *factory_methods[5];
static Unknown profiler = { profiler_methods }, factory = { factory_methods };

static int32_t count(void) {
    __atomic_fetch_add(&told, 1, __ATOMIC_RELAXED);
    return 0;
}

static int32_t query(Unknown *self, const void *interface, void **result) {
    *result = self;
    return 0;
}

static int32_t reference(Unknown *self) { return 1; }

// ICorProfilerInfo, whose SetEventMask is its 17th method.
static const uint8_t info_id[16] = { 0x7d, 0x55, 0xb5, 0x28, 0x3f, 0x3f, 0xb4, 0x48, 0x90, 0xb2, 0x5f, 0x9e, 0xea, 0x2f, 0x6c, 0x48 };

// Modules, methods that are compiled, exceptions.
static const uint32_t events = 0x4 | 0x20 | 0x40;

static int32_t initialize(Unknown *self, Unknown *unknown) {
    Unknown *info;
    int32_t problem = ((QueryInterface)unknown->methods[0])(unknown, info_id, (void **)&info);
    return problem ? problem : ((SetEventMask)info->methods[16])(info, events);
}

static int32_t shut_down(Unknown *self) {
    FILE *file = fopen(getenv("COUNTING_PROFILER_FILE"), "w");
    fprintf(file, "%lld\n", (long long)told);
    fclose(file);
    return 0;
}

static int32_t create(Unknown *self, Unknown *outer, const void *interface, void **result) { return query(&profiler, interface, result); }

int32_t DllGetClassObject(const void *class, const void *interface, void **result) {
    for (int i = 0; i < 256; i++) profiler_methods[i] = count;
    profiler_methods[0] = query;
    profiler_methods[1] = profiler_methods[2] = reference;
    profiler_methods[3] = initialize;
    profiler_methods[4] = shut_down;
    factory_methods[0] = query;
    factory_methods[1] = factory_methods[2] = reference;
    factory_methods[3] = create;
    factory_methods[4] = count;
    return query(&factory, interface, result);
}

int32_t DllCanUnloadNow(void) { return 1; }
