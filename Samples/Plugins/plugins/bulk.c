/* A rule in C, without a library: ten percent off what is bought by the dozen. */
#include <stddef.h>
#include <stdint.h>

#define EXPORT(name) __attribute__((export_name(name)))
#define RULE "shop:rules/rule@1.0.0#"

/* The values of rule.wit as the canonical ABI lays them out. */
typedef struct { const char *at; size_t length; } text;
typedef struct { text name; uint32_t cents, quantity; } item;
typedef struct { text reason; int32_t cents; } change;
typedef struct { uint8_t is_error; change *changes; size_t count; } outcome;

/* Memory from the end of the program on. A call's is free when the call is over: post-return says so. */
extern char __heap_base;
static uintptr_t used;

EXPORT("cabi_realloc") void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t size)
{
    if (!used) used = (uintptr_t)&__heap_base;
    uintptr_t at = (used + alignment - 1) & ~(alignment - 1);
    uintptr_t pages = __builtin_wasm_memory_size(0), needed = (at + size + 0xffff) >> 16;
    if (at < used || at + size < at || (needed > pages && __builtin_wasm_memory_grow(0, needed - pages) == (size_t)-1)) __builtin_trap();
    used = at + size;
    if (old) __builtin_memcpy((void *)at, old, old_size < size ? old_size : size);
    return (void *)at;
}

EXPORT(RULE "describe") const text *describe(void)
{
    static const char words[] = "bulk: ten percent off by the dozen";
    static const text result = { words, sizeof words - 1 };
    return &result;
}

EXPORT(RULE "apply") const outcome *apply(const item *items, size_t count)
{
    static outcome result;
    result = (outcome){ 0, cabi_realloc(NULL, 0, _Alignof(change), count * sizeof(change)), 0 };
    for (size_t i = 0; i < count; i++)
        if (items[i].quantity >= 12)
            result.changes[result.count++] = (change){ items[i].name, -(int32_t)(items[i].cents * items[i].quantity / 10) };
    return &result;
}

EXPORT("cabi_post_" RULE "apply") void free_all(const outcome *result)
{
    (void)result;
    used = 0;
}
