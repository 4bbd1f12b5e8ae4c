/* Loading shared libraries at run time: what the host offers under "env". */
#ifndef DLFCN_H
#define DLFCN_H

#define RTLD_LOCAL 0
#define RTLD_LAZY 1
#define RTLD_NOW 2
#define RTLD_NOLOAD 4
#define RTLD_GLOBAL 0x100
#define RTLD_NODELETE 0x1000

#define RTLD_DEFAULT ((void *)0)
#define RTLD_NEXT ((void *)-1)

#define DLFCN_IMPORT(name) __attribute__((import_module("env"), import_name(#name)))

void *dlopen(const char *path, int flags) DLFCN_IMPORT(dlopen);
void *dlsym(void *library, const char *symbol) DLFCN_IMPORT(dlsym);
int dlclose(void *library) DLFCN_IMPORT(dlclose);
char *dlerror(void) DLFCN_IMPORT(dlerror);

typedef struct {
  const char *dli_fname; /* path of the library */
  void *dli_fbase;       /* where its data begin */
  const char *dli_sname; /* the symbol at or before the address, or null */
  void *dli_saddr;
} Dl_info;
int dladdr(const void *address, Dl_info *info) DLFCN_IMPORT(dladdr);

#endif
