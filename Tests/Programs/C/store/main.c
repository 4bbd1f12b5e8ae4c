/*
 * store WORK SCALE SEED: puts a store through what programs do to one, beside a model in memory, and prints what is in it.
 * The files are made in a directory "store" of the current one, and removed at the end.
 */
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the model: what is to be in the store ---- */

enum { KEYS = 4000 };

typedef struct {
    bool there[KEYS];
    uint32_t version[KEYS];
} Model;

static uint64_t state;

static uint32_t draw(uint32_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)((state * 0x2545f4914f6cdd1du) >> 33) % n;
}

static Slice key_for(uint32_t number, char *buffer)
{
    int length = sprintf(buffer, "%c%u/", 'a' + (int)(number * 7 % 26), number);
    for (uint32_t i = 0; i < number % 90; i++) buffer[length++] = (char)('A' + (number + i) % 50);
    return (Slice){ (uint8_t *)buffer, (size_t)length };
}

/* Most values are short, some need pages of their own. */
static Slice value_for(uint32_t number, uint32_t version, uint8_t *buffer)
{
    uint32_t kind = (number * 31 + version * 17) % 100;
    size_t length = kind < 3 ? 0 : kind < 80 ? 10 + kind * 3 : kind < 97 ? 500 + kind : 3000 + (number * 977 + version) % 20000;
    uint32_t x = number * 2654435761u + version;
    for (size_t i = 0; i < length; i++) {
        x = x * 1664525 + 1013904223;
        buffer[i] = (uint8_t)(x >> 24);
    }
    return (Slice){ buffer, length };
}

typedef struct {
    uint64_t hash;
    uint32_t count;
    uint64_t bytes;
} Digest;

static bool digest_one(void *context, Slice key, Slice value)
{
    Digest *digest = context;
    digest->hash = hash_bytes(hash_bytes(digest->hash, key.bytes, key.length), value.bytes, value.length);
    digest->count++;
    digest->bytes += value.length;
    return true;
}

static void fail(const char *what)
{
    printf("WRONG: %s\n", what);
    exit(1);
}

/* Compares all of the store with the model, and prints what it is like. */
static void report(Pager *pager, const Model *model, const char *name)
{
    static uint8_t buffer[64 * 1024];
    char text[MAX_KEY + 20];
    uint32_t depth = 0, wanted = 0;
    const char *wrong = tree_check(pager, &depth);
    if (wrong) fail(wrong);
    Digest digest = { .hash = 0xcbf29ce484222325u };
    tree_scan(pager, digest_one, &digest);
    for (uint32_t i = 0; i < KEYS; i++) {
        uint8_t *value = NULL;
        size_t length = 0;
        bool there = tree_get(pager, key_for(i, text), &value, &length);
        if (there != model->there[i]) fail(there ? "a key that should be gone" : "a key that is gone");
        if (there) {
            Slice expected = value_for(i, model->version[i], buffer);
            if (length != expected.length || memcmp(value, buffer, length) != 0) fail("another value");
            wanted++;
        }
        free(value);
    }
    if (wanted != digest.count) fail("more keys than there should be");
    printf("%-12s %5u keys %8llu bytes, depth %u, %u pages, %016llx\n", name, digest.count, (unsigned long long)digest.bytes, depth, pager->pageCount,
        (unsigned long long)digest.hash);
}

static void put_one(Pager *pager, Model *model, uint32_t number)
{
    static uint8_t buffer[64 * 1024];
    char text[MAX_KEY + 20];
    model->version[number]++;
    model->there[number] = true;
    tree_put(pager, key_for(number, text), value_for(number, model->version[number], buffer));
}

static void delete_one(Pager *pager, Model *model, uint32_t number)
{
    char text[MAX_KEY + 20];
    if (tree_delete(pager, key_for(number, text)) != model->there[number]) fail("a deletion");
    model->there[number] = false;
}

static void change(Pager *pager, Model *model, uint32_t times)
{
    for (uint32_t i = 0; i < times; i++) {
        uint32_t number = draw(KEYS);
        if (draw(3) == 0) delete_one(pager, model, number);
        else put_one(pager, model, number);
    }
}

/* ---- files around it ---- */

static long size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (long)status.st_size : -1;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path)
{
    DIR *directory = opendir(path);
    char *names[64];
    int count = 0;
    if (directory == NULL) die(path);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        if (count < 64 && strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) names[count++] = strdup(entry->d_name);
    closedir(directory);
    qsort(names, (size_t)count, sizeof *names, by_name);
    printf("%s:", path);
    for (int i = 0; i < count; i++) {
        printf(" %s", names[i]);
        free(names[i]);
    }
    puts("");
}

static bool copy_one(void *context, Slice key, Slice value)
{
    tree_put(context, key, value);
    return true;
}

/* Writes what is there into a new file, which then takes the place of the old one. */
static Pager *compact(Pager *pager)
{
    Pager *fresh = pager_open("store/data.new");
    tree_scan(pager, copy_one, fresh);
    pager_commit(fresh);
    pager_close(fresh);
    pager_close(pager);
    if (rename("store/data.new", "store/data") != 0) die("rename");
    return pager_open("store/data");
}

/* A log that every process appends to. */
static void note(const char *text)
{
    int file = open("store/log", O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (file < 0 || write(file, text, strlen(text)) != (ssize_t)strlen(text) || write(file, "\n", 1) != 1) die("store/log");
    close(file);
}

static void remove_all(void)
{
    unlink("store/data");
    unlink("store/data-undo");
    unlink("store/data.new");
    unlink("store/log");
    rmdir("store");
}

/* ---- the work ---- */

static Pager *crash(Pager *pager, Model *model, const Model *before, int after)
{
    char name[40];
    pager->failAfter = after;
    change(pager, model, 60);
    bool done = pager_commit(pager);
    pager_abandon(pager);
    long journal = size_of("store/data-undo");
    pager = pager_open("store/data");
    sprintf(name, "crash %d", after);
    printf("%s: %s, journal of %ld bytes, %llu pages put back\n", name, done ? "committed" : "stopped", journal, (unsigned long long)pager->recovered);
    if (!done) *model = *before;
    report(pager, model, name);
    return pager;
}

static void work(uint32_t scale)
{
    static Model model, before;
    if (mkdir("store", 0755) != 0 && errno != EEXIST) die("mkdir");
    Pager *pager = pager_open("store/data");
    report(pager, &model, "empty");

    for (uint32_t i = 0; i < KEYS / 2; i++) put_one(pager, &model, i * 2);
    pager_commit(pager);
    report(pager, &model, "in order");
    note("in order");

    for (uint32_t round = 0; round < scale; round++) {
        change(pager, &model, 500);
        pager_commit(pager);
        if (round % 20 == 19 || round == scale - 1) report(pager, &model, "changed");
    }
    note("changed");
    list("store");

    before = model;
    change(pager, &model, 400);
    pager_roll_back(pager);
    model = before;
    report(pager, &model, "rolled back");

    pager_close(pager);
    pager = pager_open("store/data");
    report(pager, &model, "opened");

    for (int after = 0; after < 50; after += 7) {
        before = model;
        pager = crash(pager, &model, &before, after);
    }

    /* A journal whose last record was not written to its end. */
    before = model;
    pager->failAfter = 0;
    change(pager, &model, 30);
    pager_commit(pager);
    pager_abandon(pager);
    if (truncate("store/data-undo", size_of("store/data-undo") - 1000) != 0) die("truncate");
    model = before;
    pager = pager_open("store/data");
    report(pager, &model, "torn journal");

    for (uint32_t i = 0; i < KEYS; i++)
        if (i % 8 != 0) delete_one(pager, &model, i);
    pager_commit(pager);
    report(pager, &model, "thinned");
    pager = compact(pager);
    report(pager, &model, "compacted");
    note("compacted");

    for (uint32_t i = 0; i < KEYS; i++) delete_one(pager, &model, i);
    pager_commit(pager);
    report(pager, &model, "emptied");
    change(pager, &model, 200);
    pager_commit(pager);
    report(pager, &model, "used again");
    list("store");
    printf("log %ld, data %ld\n", size_of("store/log"), size_of("store/data"));
    pager_close(pager);
}

int main(int argc, char **argv)
{
    uint32_t scale = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 10;
    state = argc > 2 ? strtoull(argv[2], NULL, 10) * 0x9e3779b97f4a7c15u + 1 : 88172645463325252u;
    remove_all();
    work(scale);
    remove_all();
    printf("left: %ld\n", size_of("store/data"));
    return 0;
}
