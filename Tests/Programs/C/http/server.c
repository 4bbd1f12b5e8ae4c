// A component that answers requests, well and badly: the path says how. It has no library, and a memory of two pages.
#include "wasi.h"

extern char __heap_base;
static char *heap = &__heap_base;
static uint32_t answered;
static handle kept_request = -1;

// What a call gets is given back when the next request comes.
__attribute__((export_name("cabi_realloc")))
void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    char *at = (char *)(((uintptr_t)heap + align - 1) & ~(uintptr_t)(align - 1));
    uintptr_t end = (uintptr_t)at + size, have = __builtin_wasm_memory_size(0) << 16;
    if (end > have && __builtin_wasm_memory_grow(0, (end - have + 0xffff) >> 16) == (size_t)-1) __builtin_trap();
    heap = (char *)end;
    for (size_t i = 0; i < old_size && i < size; i++) at[i] = ((char *)old)[i];
    return at;
}

static size_t length_of(const char *text) {
    size_t n = 0;
    while (text[n]) n++;
    return n;
}

static bool is(list path, const char *text) {
    size_t n = length_of(text);
    for (size_t i = 0; i < n; i++)
        if (i >= path.length || path.text[i] != text[i]) return false;
    return path.length == n || path.text[n] == '?';
}

// The number behind the question mark.
static uint32_t number_of(list path) {
    uint32_t value = 0, i = 0;
    while (i < path.length && path.text[i] != '?') i++;
    for (i++; i < path.length && path.text[i] >= '0' && path.text[i] <= '9'; i++) value = value * 10 + (path.text[i] - '0');
    return value;
}

static list text_of(uint32_t number, char buffer[11]) {
    size_t at = 11;
    do buffer[--at] = '0' + number % 10; while (number /= 10);
    return (list){ buffer + at, 11 - at };
}

static void append(handle fields, const char *name, const char *value) {
    unread result;
    fields_append(fields, name, length_of(name), value, length_of(value), &result);
}

static handle response(handle fields, uint32_t status) {
    handle made = response_new(fields);
    if (status != 200) response_set_status(made, status);
    return made;
}

static void give(handle out, handle made) { outparam_set(out, 0, made, 0, 0, 0, 0, 0, 0); }

static handle body_of(handle made) {
    handle_result result;
    response_body(made, &result);
    return result.value;
}

static handle stream_of(handle body) {
    handle_result result;
    outgoing_write(body, &result);
    return result.value;
}

static void finish(handle body) {
    unread result;
    outgoing_finish(body, 0, 0, &result);
}

static void write(handle stream, const char *text, size_t length) {
    size_result room;
    unread result;
    output_check(stream, &room);
    if (!room.is_error && room.value >= length) output_write(stream, text, length, &result);
}

// A whole response with a short text.
static void answer(handle out, handle fields, uint32_t status, list text) {
    append(fields, "content-type", "text/plain");
    handle made = response(fields, status), body = body_of(made), stream;
    give(out, made);
    stream = stream_of(body);
    write(stream, text.text, text.length);
    output_drop(stream);
    finish(body);
}

static void answer_text(handle out, uint32_t status, const char *text) { answer(out, fields_new(), status, (list){ text, length_of(text) }); }

// A response that is not over: its status, and some bytes that have been sent.
static void begin(handle out, handle *body, handle *stream) {
    list_result result;
    handle made = response(fields_new(), 200);
    *body = body_of(made);
    give(out, made);
    *stream = stream_of(*body);
    output_write_and_flush(*stream, "begun\n", 6, &result);
}

static void echo(handle request, handle out) {
    handle_result taken;
    size_result moved;
    handle made = response(fields_new(), 200), body = body_of(made), to, incoming, from;
    give(out, made);
    to = stream_of(body);
    request_consume(request, &taken);
    incoming = taken.value;
    body_stream(incoming, &taken);
    from = taken.value;
    do output_splice(to, from, 65536, &moved); while (!moved.is_error);
    input_drop(from);
    body_drop(incoming);
    output_drop(to);
    finish(body);
}

// Reads the body and answers with its length, and with what came behind it.
static void count(handle request, handle out) {
    handle_result taken;
    list_result read;
    trailers_option trailers;
    char buffer[11];
    uint32_t total = 0;
    request_consume(request, &taken);
    handle incoming = taken.value, fields = fields_new();
    body_stream(incoming, &taken);
    while (true) {
        char *before = heap;
        input_read(taken.value, 65536, &read);
        heap = before;
        if (read.is_error) break;
        total += read.length;
    }
    input_drop(taken.value);
    // A stream that has failed and not ended: the body was too large.
    if (*(uint8_t *)&read.text == 0) append(fields, "x-failed", "yes");
    handle future = body_finish(incoming), ready = trailers_subscribe(future);
    pollable_block(ready);
    pollable_drop(ready);
    trailers_get(future, &trailers);
    if (trailers.is_there && !trailers.is_gone && !trailers.is_error && trailers.has_fields) {
        field_list all;
        unread result;
        fields_entries(trailers.fields, &all);
        for (uint32_t i = 0; i < all.length; i++) {
            field f = all.items[i];
            fields_append(fields, f.name, f.name_length, f.value, f.value_length, &result);
        }
        fields_drop(trailers.fields);
    }
    trailers_drop(future);
    answer(out, fields, 200, text_of(total, buffer));
}

// The request as it came: method, path, authority, headers.
static void show(handle request, handle out, list path) {
    method how;
    option_string authority;
    field_list all;
    char buffer[11];
    handle headers = request_headers(request), made = response(fields_new(), 200), body = body_of(made), stream;
    request_method(request, &how);
    request_authority(request, &authority);
    fields_entries(headers, &all);
    fields_drop(headers);
    give(out, made);
    stream = stream_of(body);
    list number = text_of(how.kind, buffer);
    write(stream, number.text, number.length);
    write(stream, " ", 1);
    if (authority.is_there) write(stream, authority.text, authority.length);
    write(stream, path.text, path.length);
    write(stream, "\n", 1);
    for (uint32_t i = 0; i < all.length; i++) {
        write(stream, all.items[i].name, all.items[i].name_length);
        write(stream, "=", 1);
        write(stream, all.items[i].value, all.items[i].value_length);
        write(stream, "\n", 1);
    }
    output_drop(stream);
    finish(body);
}

// So many pieces of 1,000 bytes, as fast as they are taken.
static void many(handle out, uint32_t pieces) {
    static char piece[1000];
    list_result result;
    handle made = response(fields_new(), 200), body = body_of(made), stream;
    for (int i = 0; i < 1000; i++) piece[i] = 'a' + i % 26;
    give(out, made);
    stream = stream_of(body);
    for (uint32_t i = 0; i < pieces; i++) output_write_and_flush(stream, piece, 1000, &result);
    output_drop(stream);
    finish(body);
}

static void with_trailers(handle out) {
    unread result;
    handle made = response(fields_new(), 200), body = body_of(made), stream, trailers = fields_new();
    give(out, made);
    stream = stream_of(body);
    write(stream, "body\n", 5);
    output_drop(stream);
    append(trailers, "x-behind", "it");
    outgoing_finish(body, 1, trailers, &result);
}

static void wait(uint64_t nanoseconds) {
    handle pollable = clock_subscribe(nanoseconds);
    pollable_block(pollable);
    pollable_drop(pollable);
}

// Has the host keep more than it may.
static void huge_headers(handle out) {
    static char value[4096];
    unread result;
    handle fields = fields_new();
    for (int i = 0; i < 4096; i++) value[i] = 'x';
    for (int i = 0; i < 10000; i++) fields_append(fields, "x-huge", 6, value, 4096, &result);
    give(out, response(fields, 200));
}

__attribute__((export_name("wasi:http/incoming-handler@0.2.8#handle")))
void handle_request(handle request, handle out) {
    option_string given;
    handle body, stream;
    char buffer[11];
    heap = &__heap_base;
    answered++;
    request_path(request, &given);
    list path = { given.text, given.length };
    if (is(path, "/hello")) answer_text(out, 200, "hello\n");
    else if (is(path, "/echo")) echo(request, out);
    else if (is(path, "/count")) count(request, out);
    else if (is(path, "/show")) show(request, out, path);
    else if (is(path, "/answered")) answer(out, fields_new(), 200, text_of(answered, buffer));
    else if (is(path, "/status")) answer_text(out, number_of(path), "text\n");
    else if (is(path, "/empty")) give(out, response(fields_new(), 204));
    else if (is(path, "/many")) many(out, number_of(path));
    else if (is(path, "/trailers")) with_trailers(out);
    else if (is(path, "/grow")) while (__builtin_wasm_memory_grow(0, 16) != (size_t)-1) {}
    else if (is(path, "/slow")) { begin(out, &body, &stream); wait((uint64_t)1 << 60); }
    else if (is(path, "/trap")) __builtin_trap();
    else if (is(path, "/nothing")) {}
    else if (is(path, "/spin")) while (true) __asm__ volatile("");
    else if (is(path, "/wait")) wait((uint64_t)1 << 60);
    else if (is(path, "/error")) outparam_set(out, 1, number_of(path), 0, 0, 0, 0, 0, 0);
    else if (is(path, "/late-trap")) { begin(out, &body, &stream); __builtin_trap(); }
    else if (is(path, "/trap-behind")) { answer_text(out, 200, "whole\n"); __builtin_trap(); }
    else if (is(path, "/unfinished")) begin(out, &body, &stream);
    else if (is(path, "/twice")) { answer_text(out, 200, "once\n"); give(out, response(fields_new(), 500)); }
    else if (is(path, "/huge")) huge_headers(out);
    else if (is(path, "/control")) { handle fields = fields_new(); append(fields, "x-bad", "a\x01z"); answer(out, fields, 200, (list){ "text\n", 5 }); }
    else if (is(path, "/short") || is(path, "/long")) {
        handle fields = fields_new();
        append(fields, "content-length", is(path, "/short") ? "10" : "2");
        answer(out, fields, 200, (list){ "text\n", 5 });
    }
    else if (is(path, "/keep")) { kept_request = request; answer_text(out, 200, "kept\n"); return; }
    else if (is(path, "/peek")) { request_path(kept_request, &given); answer(out, fields_new(), 200, (list){ given.text, given.length }); }
    else answer_text(out, 404, "no such path\n");
    request_drop(request);
}
