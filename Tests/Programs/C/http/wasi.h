// What wasi:http and wasi:io look like to a core module: the canonical ABI's form of the functions that server.c calls.
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FROM(module, name) __attribute__((import_module(module), import_name(name)))
#define HTTP(name) FROM("wasi:http/types@0.2.8", name)
#define STREAMS(name) FROM("wasi:io/streams@0.2.8", name)

typedef int32_t handle;

// A result whose value is a handle, a list or nothing; and an option of a string.
typedef struct { uint8_t is_error; handle value; uint32_t length; } handle_result;
typedef struct { uint8_t is_error; const char *text; uint32_t length; } list_result;
typedef struct { uint8_t is_error; uint64_t value; } size_result;
typedef struct { uint8_t is_there; const char *text; uint32_t length; } option_string;
typedef struct { uint8_t kind; const char *text; uint32_t length; } method;
typedef struct { const char *text; uint32_t length; } list;
typedef struct { const char *name; uint32_t name_length; const char *value; uint32_t value_length; } field;
typedef struct { field *items; uint32_t length; } field_list;
// option<result<result<option<trailers>, error-code>>>; an error-code is aligned to eight bytes.
typedef struct { _Alignas(8) uint8_t is_there; _Alignas(8) uint8_t is_gone; _Alignas(8) uint8_t is_error; _Alignas(8) uint8_t has_fields; handle fields; char rest[40]; } trailers_option;
typedef struct { _Alignas(8) char bytes[64]; } unread;

HTTP("[constructor]fields") handle fields_new(void);
HTTP("[method]fields.append") void fields_append(handle, const char *, size_t, const char *, size_t, unread *);
HTTP("[method]fields.entries") void fields_entries(handle, field_list *);
HTTP("[resource-drop]fields") void fields_drop(handle);
HTTP("[method]incoming-request.method") void request_method(handle, method *);
HTTP("[method]incoming-request.path-with-query") void request_path(handle, option_string *);
HTTP("[method]incoming-request.authority") void request_authority(handle, option_string *);
HTTP("[method]incoming-request.headers") handle request_headers(handle);
HTTP("[method]incoming-request.consume") void request_consume(handle, handle_result *);
HTTP("[resource-drop]incoming-request") void request_drop(handle);
HTTP("[method]incoming-body.stream") void body_stream(handle, handle_result *);
HTTP("[static]incoming-body.finish") handle body_finish(handle);
HTTP("[resource-drop]incoming-body") void body_drop(handle);
HTTP("[method]future-trailers.subscribe") handle trailers_subscribe(handle);
HTTP("[method]future-trailers.get") void trailers_get(handle, trailers_option *);
HTTP("[resource-drop]future-trailers") void trailers_drop(handle);
HTTP("[constructor]outgoing-response") handle response_new(handle fields);
HTTP("[method]outgoing-response.set-status-code") int32_t response_set_status(handle, int32_t);
HTTP("[method]outgoing-response.body") void response_body(handle, handle_result *);
HTTP("[static]response-outparam.set") void outparam_set(handle, int32_t is_error, handle response_or_code, int32_t, int64_t, int32_t, int32_t, int32_t, int32_t);
HTTP("[method]outgoing-body.write") void outgoing_write(handle, handle_result *);
HTTP("[static]outgoing-body.finish") void outgoing_finish(handle, int32_t has_trailers, handle trailers, unread *);

STREAMS("[method]input-stream.blocking-read") void input_read(handle, uint64_t, list_result *);
STREAMS("[resource-drop]input-stream") void input_drop(handle);
STREAMS("[method]output-stream.check-write") void output_check(handle, size_result *);
STREAMS("[method]output-stream.write") void output_write(handle, const char *, size_t, unread *);
STREAMS("[method]output-stream.blocking-write-and-flush") void output_write_and_flush(handle, const char *, size_t, list_result *);
STREAMS("[method]output-stream.blocking-splice") void output_splice(handle, handle from, uint64_t, size_result *);
STREAMS("[resource-drop]output-stream") void output_drop(handle);

FROM("wasi:io/poll@0.2.8", "[method]pollable.block") void pollable_block(handle);
FROM("wasi:io/poll@0.2.8", "[resource-drop]pollable") void pollable_drop(handle);
FROM("wasi:clocks/monotonic-clock@0.2.8", "subscribe-duration") handle clock_subscribe(uint64_t nanoseconds);
