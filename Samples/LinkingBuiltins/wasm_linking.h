/* The built-in module wasm:linking: modules and instances by handle. Negative results are errors; see Docs/linking-builtins.md. */
#ifndef WASM_LINKING_H
#define WASM_LINKING_H

#include <stddef.h>
#include <stdint.h>

#define WASM_LINKING(name) __attribute__((import_module("wasm:linking"), import_name(#name)))

typedef int32_t wasm_handle;

enum wasm_linking_error {
  WASM_INVALID_ARGUMENT = -1,
  WASM_NOT_ALLOWED = -2,
  WASM_QUOTA_EXCEEDED = -3,
  WASM_MALFORMED = -4,
  WASM_INVALID = -5,
  WASM_UNLINKABLE = -6,
  WASM_NOT_FOUND = -7,
  WASM_TYPE_MISMATCH = -8,
  WASM_OUT_OF_BOUNDS = -9,
  WASM_IO = -10,
  WASM_TRAPPED = -11
};

enum wasm_kind { WASM_FUNC, WASM_TABLE, WASM_MEMORY, WASM_GLOBAL, WASM_TAG, WASM_MODULE, WASM_INSTANCE, WASM_DIRECTORY, WASM_COMPONENT, WASM_COMPONENT_INSTANCE };

/* One import. With WASM_SINGLE_NAME for the name, the handle is an instance whose exports have the names, or what a
   single-level import asks for. */
#define WASM_SINGLE_NAME ((const char *)-1)
struct wasm_import {
  const char *module;
  size_t module_length;
  const char *name;
  size_t name_length;
  wasm_handle handle;
};

wasm_handle wasm_compile(const void *bytes, size_t length) WASM_LINKING(compile);
wasm_handle wasm_compile_stream(int descriptor) WASM_LINKING(compile_stream);
wasm_handle wasm_load(const char *path, size_t length) WASM_LINKING(load);
wasm_handle wasm_load_at(int directory, const char *path, size_t length) WASM_LINKING(load_at);
wasm_handle wasm_open_directory(const char *path, size_t length) WASM_LINKING(open_directory);
wasm_handle wasm_instantiate(wasm_handle module, const struct wasm_import *imports, size_t count) WASM_LINKING(instantiate);

/* A function into a slot of the table, -1 for a new one; the slot is the value of a function pointer. */
int32_t wasm_get_export(wasm_handle instance, const char *name, size_t length, int32_t slot) WASM_LINKING(get_export);
int32_t wasm_put_function(wasm_handle function, int32_t slot) WASM_LINKING(put_function);
wasm_handle wasm_get_export_handle(wasm_handle instance, const char *name, size_t length) WASM_LINKING(get_export_handle);
wasm_handle wasm_get_function(int32_t slot) WASM_LINKING(get_function);
wasm_handle wasm_self(void) WASM_LINKING(self);
int32_t wasm_kind(wasm_handle handle) WASM_LINKING(kind);

/* Text, as much as there is room for; the length of the whole is the result. */
int32_t wasm_imports(wasm_handle module, char *text, size_t room) WASM_LINKING(imports);
int32_t wasm_exports(wasm_handle module_or_instance, char *text, size_t room) WASM_LINKING(exports);
int32_t wasm_last_error(char *text, size_t room) WASM_LINKING(last_error);

/* Components and their instances, which the guest owns: wasm_drop frees them. Arguments and results are in the component model's binary format of
   values; the result of the last call is read with wasm_last_result. */
struct wasm_component_import {
  const char *name;
  size_t name_length;
  wasm_handle instance;
};
wasm_handle wasm_compile_component(const void *bytes, size_t length) WASM_LINKING(compile_component);
wasm_handle wasm_load_component(const char *name, size_t length) WASM_LINKING(load_component);
wasm_handle wasm_instantiate_component(wasm_handle component, const struct wasm_component_import *imports, size_t count) WASM_LINKING(instantiate_component);
int32_t wasm_call_component(wasm_handle instance, const char *name, size_t length, const void *arguments, size_t bytes) WASM_LINKING(call_component);
int32_t wasm_last_result(void *bytes, size_t room) WASM_LINKING(last_result);

wasm_handle wasm_new_global(int32_t type, int32_t is_mutable, const void *value) WASM_LINKING(new_global);
int32_t wasm_read_global(wasm_handle global, void *value) WASM_LINKING(read_global);
int32_t wasm_write_global(wasm_handle global, const void *value) WASM_LINKING(write_global);
int32_t wasm_memory_size(wasm_handle memory) WASM_LINKING(memory_size);
int32_t wasm_read_memory(wasm_handle memory, uint64_t from, void *to, size_t length) WASM_LINKING(read_memory);
int32_t wasm_write_memory(wasm_handle memory, uint64_t to, const void *from, size_t length) WASM_LINKING(write_memory);
int32_t wasm_drop(wasm_handle handle) WASM_LINKING(drop);

#endif
