/*
 * Pages of the file, through a small cache. Before a page is written over, the journal gets its old content, and is on the
 * disk before the page is. A commit writes the pages and removes the journal; who finds one when opening puts the old
 * pages back.
 *
 * Page 0 begins with "pages\1", then the first free page, the root, the number of pages. Free pages form a list.
 * Journal: "undo\1", the number of pages before; records of page number, page, checksum. A record that is not whole ends it.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RECORD = 4 + PAGE_SIZE + 8, JOURNAL_HEAD = 16 };

void die(const char *what)
{
    fprintf(stderr, "store: %s: %s\n", what, strerror(errno));
    exit(3);
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;
    for (size_t i = 0; i < length; i++) hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

static void read_all(int file, void *bytes, size_t length, off_t at)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = pread(file, (char *)bytes + done, length - done, at + (off_t)done);
        if (n < 0) die("pread");
        if (n == 0) memset((char *)bytes + done, 0, length - done), n = (ssize_t)(length - done);
        done += (size_t)n;
    }
}

static void write_all(int file, const void *bytes, size_t length, off_t at)
{
    for (size_t done = 0; done < length;) {
        ssize_t n = pwrite(file, (const char *)bytes + done, length - done, at + (off_t)done);
        if (n <= 0) die("pwrite");
        done += (size_t)n;
    }
}

static void sync_file(Pager *pager, int file)
{
    if (fsync(file) != 0) die("fsync");
    pager->syncs++;
}

static uint64_t checksum(uint32_t page, const uint8_t *data)
{
    uint64_t hash = hash_bytes(0xcbf29ce484222325u, &page, 4);
    for (int i = 0; i < PAGE_SIZE; i += 8) {
        uint64_t word;
        memcpy(&word, data + i, 8);
        hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return hash;
}

/* Puts old pages back, if there is a journal that says so. */
static void recover(Pager *pager)
{
    int journal = open(pager->journalPath, O_RDONLY);
    if (journal < 0) {
        if (errno != ENOENT) die(pager->journalPath);
        return;
    }
    uint8_t head[JOURNAL_HEAD], record[RECORD];
    if (pread(journal, head, sizeof head, 0) == sizeof head && memcmp(head, "undo\1", 5) == 0) {
        for (off_t at = JOURNAL_HEAD; pread(journal, record, RECORD, at) == RECORD; at += RECORD) {
            uint64_t sum;
            memcpy(&sum, record + 4 + PAGE_SIZE, 8);
            if (sum != checksum(get32(record), record + 4)) break;
            write_all(pager->file, record + 4, PAGE_SIZE, (off_t)get32(record) * PAGE_SIZE);
            pager->recovered++;
        }
        if (ftruncate(pager->file, (off_t)get32(head + 8) * PAGE_SIZE) != 0) die("ftruncate");
        sync_file(pager, pager->file);
    }
    close(journal);
    if (unlink(pager->journalPath) != 0) die("unlink");
}

static void grow_maps(Pager *pager)
{
    if (pager->pageCount <= pager->mapRoom) return;
    uint32_t room = pager->pageCount * 2 + 64;
    pager->frameOf = realloc(pager->frameOf, room * sizeof *pager->frameOf);
    pager->journaled = realloc(pager->journaled, room / 8 + 1);
    if (!pager->frameOf || !pager->journaled) die("memory");
    for (uint32_t i = pager->mapRoom; i < room; i++) pager->frameOf[i] = NO_FRAME;
    memset(pager->journaled + pager->mapRoom / 8, 0, room / 8 + 1 - pager->mapRoom / 8);
    pager->mapRoom = room;
}

static void read_head(Pager *pager)
{
    struct stat status;
    if (fstat(pager->file, &status) != 0) die("fstat");
    pager->pageCount = (uint32_t)(status.st_size / PAGE_SIZE);
    grow_maps(pager);
    if (pager->pageCount == 0) {
        pager->pageCount = 1;
        grow_maps(pager);
        pager->free = pager->root = 0;
    } else {
        uint8_t head[16];
        read_all(pager->file, head, sizeof head, 0);
        if (memcmp(head, "pages\1", 6) != 0) {
            errno = EINVAL;
            die(pager->path);
        }
        pager->free = get32(head + 8);
        pager->root = get32(head + 12);
    }
    pager->firstPageCount = (uint32_t)(status.st_size / PAGE_SIZE);
}

Pager *pager_open(const char *path)
{
    Pager *pager = calloc(1, sizeof *pager);
    if (pager == NULL) die("memory");
    snprintf(pager->path, sizeof pager->path, "%s", path);
    snprintf(pager->journalPath, sizeof pager->journalPath, "%s-undo", path);
    pager->journal = -1;
    pager->failAfter = -1;
    pager->file = open(path, O_RDWR | O_CREAT, 0644);
    if (pager->file < 0) die(path);
    recover(pager);
    read_head(pager);
    return pager;
}

void pager_abandon(Pager *pager)
{
    close(pager->file);
    if (pager->journal >= 0) close(pager->journal);
    free(pager->frameOf);
    free(pager->journaled);
    free(pager);
}

void pager_close(Pager *pager)
{
    pager_roll_back(pager);
    pager_abandon(pager);
}

static void begin_journal(Pager *pager)
{
    if (pager->journal >= 0) return;
    pager->journal = open(pager->journalPath, O_RDWR | O_CREAT | O_TRUNC, 0644);
    if (pager->journal < 0) die(pager->journalPath);
    uint8_t head[JOURNAL_HEAD] = "undo\1";
    set32(head + 8, pager->firstPageCount);
    write_all(pager->journal, head, sizeof head, 0);
    pager->journalRecords = 0;
    pager->journalSynced = false;
}

static void write_journal(Pager *pager, uint32_t page, const uint8_t *data)
{
    uint8_t record[RECORD];
    begin_journal(pager);
    pager->journaled[page / 8] |= (uint8_t)(1 << page % 8);
    set32(record, page);
    memcpy(record + 4, data, PAGE_SIZE);
    uint64_t sum = checksum(page, data);
    memcpy(record + 4 + PAGE_SIZE, &sum, 8);
    write_all(pager->journal, record, RECORD, JOURNAL_HEAD + (off_t)pager->journalRecords++ * RECORD);
    pager->journalSynced = false;
}

static void write_frame(Pager *pager, Frame *frame)
{
    begin_journal(pager);
    if (!pager->journalSynced) {
        sync_file(pager, pager->journal);
        pager->journalSynced = true;
    }
    write_all(pager->file, frame->data, PAGE_SIZE, (off_t)frame->page * PAGE_SIZE);
    pager->writes++;
    frame->dirty = false;
}

static Frame *take_frame(Pager *pager, uint32_t page)
{
    for (int tries = 0; tries < 3 * CACHE_PAGES; tries++) {
        Frame *frame = &pager->frames[pager->hand];
        pager->hand = (pager->hand + 1) % CACHE_PAGES;
        if (frame->pins > 0) continue;
        if (frame->recent) {
            frame->recent = false;
            continue;
        }
        if (frame->page) {
            if (frame->dirty) write_frame(pager, frame);
            pager->frameOf[frame->page] = NO_FRAME;
        }
        frame->page = page;
        frame->pins = 1;
        frame->dirty = false;
        frame->recent = true;
        pager->frameOf[page] = (uint16_t)(frame - pager->frames);
        return frame;
    }
    errno = ENOMEM;
    die("all pages are in use");
    return NULL;
}

Frame *page_get(Pager *pager, uint32_t page)
{
    if (page == 0 || page >= pager->pageCount) {
        errno = EINVAL;
        die("a page that is none");
    }
    if (pager->frameOf[page] != NO_FRAME) {
        Frame *frame = &pager->frames[pager->frameOf[page]];
        frame->pins++;
        frame->recent = true;
        return frame;
    }
    Frame *frame = take_frame(pager, page);
    read_all(pager->file, frame->data, PAGE_SIZE, (off_t)page * PAGE_SIZE);
    pager->reads++;
    return frame;
}

void page_release(Frame *frame) { frame->pins--; }

void page_touch(Pager *pager, Frame *frame)
{
    uint32_t page = frame->page;
    if (!frame->dirty && page < pager->firstPageCount && !(pager->journaled[page / 8] >> page % 8 & 1)) write_journal(pager, page, frame->data);
    frame->dirty = true;
}

Frame *page_new(Pager *pager)
{
    Frame *frame;
    if (pager->free) {
        frame = page_get(pager, pager->free);
        page_touch(pager, frame);
        pager->free = get32(frame->data);
    } else {
        uint32_t page = pager->pageCount++;
        grow_maps(pager);
        frame = take_frame(pager, page);
        frame->dirty = true;
    }
    memset(frame->data, 0, PAGE_SIZE);
    return frame;
}

void page_free(Pager *pager, uint32_t page)
{
    Frame *frame = page_get(pager, page);
    page_touch(pager, frame);
    memset(frame->data, 0, PAGE_SIZE);
    set32(frame->data, pager->free);
    pager->free = page;
    page_release(frame);
}

void set_root(Pager *pager, uint32_t root) { pager->root = root; }

static void end_transaction(Pager *pager)
{
    if (pager->journal >= 0) {
        close(pager->journal);
        pager->journal = -1;
        if (unlink(pager->journalPath) != 0) die("unlink");
    }
    memset(pager->journaled, 0, pager->mapRoom / 8 + 1);
}

bool pager_commit(Pager *pager)
{
    uint8_t head[PAGE_SIZE];
    read_all(pager->file, head, PAGE_SIZE, 0);
    bool changed = pager->firstPageCount == 0 || get32(head + 8) != pager->free || get32(head + 12) != pager->root;
    int left = pager->failAfter;
    if (changed && pager->firstPageCount > 0) write_journal(pager, 0, head);
    for (int i = 0; i < CACHE_PAGES; i++) {
        if (!pager->frames[i].page || !pager->frames[i].dirty) continue;
        if (left-- == 0) return false;
        write_frame(pager, &pager->frames[i]);
        changed = true;
    }
    if (!changed && pager->journal < 0) return true;
    memset(head, 0, sizeof head);
    memcpy(head, "pages\1", 6);
    set32(head + 8, pager->free);
    set32(head + 12, pager->root);
    begin_journal(pager);
    if (!pager->journalSynced) sync_file(pager, pager->journal);
    if (left-- == 0) return false;
    write_all(pager->file, head, PAGE_SIZE, 0);
    if (ftruncate(pager->file, (off_t)pager->pageCount * PAGE_SIZE) != 0) die("ftruncate");
    sync_file(pager, pager->file);
    if (left-- == 0) return false;
    end_transaction(pager);
    pager->firstPageCount = pager->pageCount;
    return true;
}

void pager_roll_back(Pager *pager)
{
    for (int i = 0; i < CACHE_PAGES; i++) {
        if (pager->frames[i].page) pager->frameOf[pager->frames[i].page] = NO_FRAME;
        pager->frames[i].page = 0;
        pager->frames[i].dirty = false;
    }
    if (pager->journal >= 0) {
        sync_file(pager, pager->journal);
        close(pager->journal);
        pager->journal = -1;
        recover(pager);
    }
    memset(pager->journaled, 0, pager->mapRoom / 8 + 1);
    read_head(pager);
}
