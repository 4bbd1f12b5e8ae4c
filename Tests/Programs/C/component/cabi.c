/* The canonical ABI's allocator. With it the adapter for WASI preview 1 gets its memory from malloc. Without it the adapter grows the memory
   before malloc has been used, and an older malloc takes all that is there at its first use: it would give away the adapter's own memory. */
#include <stdlib.h>

__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t alignment, size_t size)
{
    (void)old_size;
    (void)alignment; /* malloc aligns to 16, and nothing needs more. */
    void *result = realloc(old, size);
    if (!result && size) abort();
    return result;
}
