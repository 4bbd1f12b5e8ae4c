/*
 * sort FILE MEGABYTES MEMORY SEED: makes a file of lines, sorts it with no more memory than given (in KB), and checks the
 * result: pieces that fit into memory are sorted and written away, then merged. Nothing is mapped; all of it is read and write.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_RUNS = 512, MAX_LINE = 200, OUT_ROOM = 256 * 1024 };

static void die(const char *what)
{
    fprintf(stderr, "sort: %s: %s\n", what, strerror(errno));
    exit(3);
}

static void *take(size_t size)
{
    void *p = malloc(size);
    if (!p) die("memory");
    return p;
}

/* ---- a file that is written ---- */

typedef struct {
    int file;
    char *bytes;
    size_t used;
    uint64_t total;
} Writer;

static void open_writer(Writer *w, const char *path)
{
    *w = (Writer){ open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644), take(OUT_ROOM), 0, 0 };
    if (w->file < 0) die(path);
}

static void flush(Writer *w)
{
    for (size_t done = 0; done < w->used;) {
        ssize_t n = write(w->file, w->bytes + done, w->used - done);
        if (n <= 0) die("write");
        done += (size_t)n;
    }
    w->total += w->used;
    w->used = 0;
}

static void put(Writer *w, const char *text, size_t length)
{
    if (w->used + length > OUT_ROOM) flush(w);
    memcpy(w->bytes + w->used, text, length);
    w->used += length;
}

static void close_writer(Writer *w)
{
    flush(w);
    if (close(w->file) != 0) die("close");
    free(w->bytes);
}

/* ---- a file that is read line by line ---- */

typedef struct {
    int file;
    char *bytes;
    size_t room, start, end;
    bool over;
} Reader;

static void open_reader(Reader *r, const char *path, size_t room)
{
    *r = (Reader){ open(path, O_RDONLY), take(room), room, 0, 0, false };
    if (r->file < 0) die(path);
}

/* The next line with its end; null at the end of the file. It is there until the next call. */
static char *next_line(Reader *r, size_t *length)
{
    for (;;) {
        char *newline = memchr(r->bytes + r->start, '\n', r->end - r->start);
        if (newline) {
            char *line = r->bytes + r->start;
            *length = (size_t)(newline + 1 - line);
            r->start += *length;
            return line;
        }
        if (r->over) {
            if (r->start < r->end) {
                errno = EINVAL;
                die("a line without an end");
            }
            return NULL;
        }
        memmove(r->bytes, r->bytes + r->start, r->end - r->start);
        r->end -= r->start;
        r->start = 0;
        ssize_t n = read(r->file, r->bytes + r->end, r->room - r->end);
        if (n < 0) die("read");
        r->over = n == 0;
        r->end += (size_t)n;
    }
}

static void close_reader(Reader *r)
{
    close(r->file);
    free(r->bytes);
}

/* ---- lines ---- */

static uint64_t state;

static uint64_t draw(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1du;
}

static uint64_t hash_line(const char *line, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ (unsigned char)line[i]) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

static int compare(const char *a, const char *b)
{
    /* Lines end with '\n', which is smaller than anything in them: the comparison ends in time. */
    while (*a == *b && *a != '\n') a++, b++;
    return (unsigned char)*a - (unsigned char)*b;
}

static int compare_pointers(const void *a, const void *b) { return compare(*(char *const *)a, *(char *const *)b); }

/* Returns the sum of the lines' hashes: it does not depend on their order. */
static uint64_t generate(const char *path, uint64_t bytes, uint64_t *lines)
{
    static const char *const words[] = { "alder", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "ivy", "juniper" };
    Writer w;
    uint64_t sum = 0;
    open_writer(&w, path);
    *lines = 0;
    for (uint64_t written = 0; written < bytes;) {
        char line[MAX_LINE];
        uint64_t a = draw(), b = draw();
        int length = snprintf(line, sizeof line, "%s-%" PRIu64 " %016" PRIx64 " %.*s\n", words[a % 10], a / 16 % 100000, b, (int)(b % 40),
            "................................................");
        put(&w, line, (size_t)length);
        sum += hash_line(line, (size_t)length);
        written += (uint64_t)length;
        ++*lines;
    }
    close_writer(&w);
    return sum;
}

/* ---- sorting ---- */

static void run_name(char *name, const char *path, int run) { sprintf(name, "%.180s.run%d", path, run); }

/* Writes sorted pieces; returns how many. */
static int split(const char *path, size_t memory)
{
    Reader r;
    int runs = 0;
    size_t room = memory * 3 / 4, used = 0, count = 0, most = memory / 4 / sizeof(char *), length;
    char *bytes = take(room), **lines = take(most * sizeof *lines), *line;
    open_reader(&r, path, 64 * 1024);
    do {
        line = next_line(&r, &length);
        if (!line || used + length > room || count == most) {
            if (count == 0) break;
            char name[220];
            Writer w;
            qsort(lines, count, sizeof *lines, compare_pointers);
            run_name(name, path, runs++);
            open_writer(&w, name);
            for (size_t i = 0; i < count; i++) put(&w, lines[i], (size_t)((char *)memchr(lines[i], '\n', MAX_LINE) + 1 - lines[i]));
            close_writer(&w);
            used = count = 0;
            if (runs == MAX_RUNS) {
                errno = E2BIG;
                die("too many pieces");
            }
        }
        if (line) {
            memcpy(bytes + used, line, length);
            lines[count++] = bytes + used;
            used += length;
        }
    } while (line);
    close_reader(&r);
    free(bytes);
    free(lines);
    return runs;
}

typedef struct {
    Reader reader;
    char line[MAX_LINE];
    size_t length;
} Run;

static bool advance(Run *run)
{
    char *line = next_line(&run->reader, &run->length);
    if (line) memcpy(run->line, line, run->length);
    return line != NULL;
}

static void sink(Run **heap, int count, int i)
{
    for (int child; (child = 2 * i + 1) < count; i = child) {
        if (child + 1 < count && compare(heap[child + 1]->line, heap[child]->line) < 0) child++;
        if (compare(heap[i]->line, heap[child]->line) <= 0) return;
        Run *swap = heap[i];
        heap[i] = heap[child];
        heap[child] = swap;
    }
}

static void merge(const char *path, int runs, size_t memory, const char *out)
{
    Run *all = take((size_t)(runs + 1) * sizeof *all), **heap = take((size_t)(runs + 1) * sizeof *heap);
    int count = 0;
    char name[220];
    Writer w;
    open_writer(&w, out);
    size_t room = memory / (size_t)(runs + 1);
    for (int i = 0; i < runs; i++) {
        run_name(name, path, i);
        open_reader(&all[i].reader, name, room < 2 * MAX_LINE ? 2 * MAX_LINE : room);
        if (advance(&all[i])) heap[count++] = &all[i];
    }
    for (int i = count / 2; i-- > 0;) sink(heap, count, i);
    while (count > 0) {
        put(&w, heap[0]->line, heap[0]->length);
        if (!advance(heap[0])) heap[0] = heap[--count];
        sink(heap, count, 0);
    }
    close_writer(&w);
    for (int i = 0; i < runs; i++) {
        close_reader(&all[i].reader);
        run_name(name, path, i);
        if (unlink(name) != 0) die("unlink");
    }
    free(all);
    free(heap);
}

/* The sum of hashes again, and one of all lines in their order. */
static uint64_t check(const char *path, uint64_t *lines, uint64_t *ordered, char *first, char *last)
{
    Reader r;
    char before[MAX_LINE] = "\n";
    size_t length;
    uint64_t sum = 0;
    *lines = 0;
    *ordered = 0;
    open_reader(&r, path, 64 * 1024);
    for (char *line; (line = next_line(&r, &length)) != NULL; ++*lines) {
        if (*lines > 0 && compare(before, line) > 0) {
            printf("WRONG: line %" PRIu64 " is out of order\n", *lines);
            exit(1);
        }
        memcpy(before, line, length);
        uint64_t hash = hash_line(line, length);
        sum += hash;
        *ordered = *ordered * 31 + hash;
        if (*lines == 0) memcpy(first, line, length), first[length - 1] = 0;
        memcpy(last, line, length), last[length - 1] = 0;
    }
    close_reader(&r);
    return sum;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fputs("usage: sort FILE MEGABYTES MEMORY SEED\n", stderr);
        return 2;
    }
    const char *path = argv[1];
    uint64_t bytes = (uint64_t)(strtod(argv[2], NULL) * 1e6);
    size_t memory = strtoul(argv[3], NULL, 10) * 1024;
    if (memory < 64 * 1024) memory = 64 * 1024;
    state = strtoull(argv[4], NULL, 10) * 0x9e3779b97f4a7c15u + 1;
    char out[220], first[MAX_LINE] = "", last[MAX_LINE] = "";
    snprintf(out, sizeof out, "%.180s.sorted", path);

    uint64_t lines, found, ordered;
    uint64_t sum = generate(path, bytes, &lines);
    struct stat status, sorted;
    if (stat(path, &status) != 0) die(path);
    printf("%" PRIu64 " lines, %lld bytes, sum %016" PRIx64 "\n", lines, (long long)status.st_size, sum);
    /* A size_t and a pointer are not the same everywhere: how many pieces there are is not told. */
    int runs = split(path, memory);
    merge(path, runs, memory, out);
    if (stat(out, &sorted) != 0) die(out);
    uint64_t again = check(out, &found, &ordered, first, last);
    printf("sorted: %s, %s, %s\n", found == lines ? "all lines" : "LINES LOST", again == sum ? "the same" : "OTHERS", sorted.st_size == status.st_size ? "same size" : "ANOTHER SIZE");
    printf("first %s\nlast  %s\norder %016" PRIx64 "\n", first, last, ordered);
    if (unlink(path) != 0 || unlink(out) != 0) die("unlink");
    return found != lines || again != sum;
}
