/* A program of 64 bits without a C library. */
void *dlopen(const char *path, int mode);
void *dlsym(void *library, const char *name);
int dlclose(void *library);

int base = 100;

__attribute__((export_name("run"))) long run(int argument)
{
    void *library = dlopen("libwide.so", 2);
    if (!library) return -1;
    long (*add)(int) = dlsym(library, "add_base");
    int *calls = dlsym(library, "calls");
    if (!add || !calls) return -2;
    long result = add(argument) + 1000 * *calls;
    return dlclose(library) ? -3 : result;
}
