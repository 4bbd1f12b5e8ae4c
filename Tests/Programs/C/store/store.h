/* A store of keys and values in one file: a tree of pages, and a journal that undoes what was not finished. */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PAGE_SIZE = 4096, CACHE_PAGES = 48, MAX_KEY = 250, NO_FRAME = 0xffff };

typedef struct {
    uint32_t page; /* 0: free */
    int pins;
    bool dirty, recent;
    uint8_t data[PAGE_SIZE];
} Frame;

typedef struct {
    char path[200], journalPath[220];
    int file, journal; /* journal: -1 outside of transactions that write */
    uint32_t pageCount, firstPageCount; /* now, and when the transaction began */
    uint32_t free, root;
    uint16_t *frameOf;
    uint8_t *journaled; /* a bit for each page */
    uint32_t mapRoom;
    uint32_t journalRecords;
    bool journalSynced;
    int hand;
    Frame frames[CACHE_PAGES];
    uint64_t reads, writes, syncs, recovered;
    int failAfter; /* for tests: stops a commit after so many pages; -1 never */
} Pager;

/* pager.c. What fails ends the program: the journal is then as it is after a crash. */
Pager *pager_open(const char *path);
void pager_abandon(Pager *pager); /* as if the process had died */
void pager_close(Pager *pager);
Frame *page_get(Pager *pager, uint32_t page);
void page_release(Frame *frame);
void page_touch(Pager *pager, Frame *frame); /* before it is changed */
Frame *page_new(Pager *pager);
void page_free(Pager *pager, uint32_t page);
bool pager_commit(Pager *pager); /* false where failAfter stopped it */
void pager_roll_back(Pager *pager);
void set_root(Pager *pager, uint32_t root);

/* tree.c */
typedef struct {
    const uint8_t *bytes;
    size_t length;
} Slice;

typedef bool (*Visitor)(void *context, Slice key, Slice value);

void tree_put(Pager *pager, Slice key, Slice value);
bool tree_delete(Pager *pager, Slice key);
bool tree_get(Pager *pager, Slice key, uint8_t **value, size_t *length); /* the caller frees the value */
bool tree_scan(Pager *pager, Visitor visitor, void *context); /* in order, until the visitor returns false */
const char *tree_check(Pager *pager, uint32_t *depth); /* null, or what is wrong */

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length);
void die(const char *what);

static inline uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] | p[1] << 8); }
static inline uint32_t get32(const uint8_t *p) { return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24; }
static inline void set16(uint8_t *p, uint32_t v) { p[0] = v & 255; p[1] = (v >> 8) & 255; }
static inline void set32(uint8_t *p, uint32_t v) { set16(p, v); set16(p + 2, v >> 16); }

#endif
