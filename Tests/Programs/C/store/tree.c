/*
 * A tree of pages with all values in its leaves. A page: its kind, the number of cells (16 bits at 2), where cells begin (at 4), the bytes of
 * removed cells (at 6), the right-most child (32 bits at 8); from 12 on the offsets of the cells, in the order of keys; cells
 * from the end downwards.
 *
 * Leaf cell: length of key (16), of value (32), first page of a long value or 0 (32); key; short value.
 * Inner cell: child (32), length of key (16), key: the child has what is smaller than the key.
 * Page of a long value: its kind, next page (32 bits at 8), data from 12 on.
 */
#include "store.h"

#include <stdlib.h>
#include <string.h>

enum { LEAF = 1, INNER = 2, LONG = 3 };
enum { HEAD = 12, LEAF_HEAD = 10, INNER_HEAD = 6, MAX_SHORT = 900, LONG_DATA = PAGE_SIZE - HEAD };

typedef struct {
    uint32_t right; /* 0: no split */
    uint8_t key[MAX_KEY];
    size_t keyLength;
} Split;

static uint8_t *cell_at(uint8_t *page, int i) { return page + get16(page + HEAD + 2 * i); }
static int count_of(const uint8_t *page) { return get16(page + 2); }
static uint32_t last_child(const uint8_t *page) { return get32(page + 8); }

static Slice key_of(uint8_t *page, int i)
{
    uint8_t *cell = cell_at(page, i);
    if (page[0] == LEAF) return (Slice){ cell + LEAF_HEAD, get16(cell) };
    return (Slice){ cell + INNER_HEAD, get16(cell + 4) };
}

static size_t cell_size(const uint8_t *page, const uint8_t *cell)
{
    if (page[0] == INNER) return INNER_HEAD + (size_t)get16(cell + 4);
    return LEAF_HEAD + (size_t)get16(cell) + (get32(cell + 6) ? 0 : get32(cell + 2));
}

static uint32_t child_at(uint8_t *page, int i) { return i == count_of(page) ? last_child(page) : get32(cell_at(page, i)); }

static void set_child(uint8_t *page, int i, uint32_t child) { set32(i == count_of(page) ? page + 8 : cell_at(page, i), child); }

static int compare(Slice a, Slice b)
{
    int order = memcmp(a.bytes, b.bytes, a.length < b.length ? a.length : b.length);
    return order ? order : a.length < b.length ? -1 : a.length > b.length;
}

static void init_page(uint8_t *page, int kind)
{
    memset(page, 0, PAGE_SIZE);
    page[0] = (uint8_t)kind;
    set16(page + 4, PAGE_SIZE);
}

/* The first cell with a key that is not smaller; in inner pages, the child to go to. */
static int search(uint8_t *page, Slice key, bool *found)
{
    int low = 0, high = count_of(page);
    *found = false;
    while (low < high) {
        int middle = (low + high) / 2, order = compare(key_of(page, middle), key);
        if (order == 0) {
            *found = true;
            /* What equals a key of an inner page is on its right. */
            return page[0] == LEAF ? middle : middle + 1;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static void defragment(uint8_t *page)
{
    uint8_t copy[PAGE_SIZE];
    memcpy(copy, page, PAGE_SIZE);
    uint32_t top = PAGE_SIZE;
    for (int i = 0; i < count_of(page); i++) {
        size_t size = cell_size(copy, cell_at(copy, i));
        top -= (uint32_t)size;
        memcpy(page + top, cell_at(copy, i), size);
        set16(page + HEAD + 2 * i, top);
    }
    set16(page + 4, top);
    set16(page + 6, 0);
}

static void remove_cell(uint8_t *page, int i)
{
    int count = count_of(page);
    set16(page + 6, get16(page + 6) + (uint32_t)cell_size(page, cell_at(page, i)));
    memmove(page + HEAD + 2 * i, page + HEAD + 2 * (i + 1), 2 * (size_t)(count - i - 1));
    set16(page + 2, (uint32_t)count - 1);
}

static bool insert_cell(uint8_t *page, int i, const uint8_t *cell, size_t size)
{
    int count = count_of(page);
    size_t low = HEAD + 2 * ((size_t)count + 1);
    /* A page that was full begins its cells at 4096, which 16 bits hold. */
    if (low + size > get16(page + 4)) {
        if (low + size > (size_t)get16(page + 4) + get16(page + 6)) return false;
        defragment(page);
    }
    uint32_t top = get16(page + 4) - (uint32_t)size;
    memcpy(page + top, cell, size);
    memmove(page + HEAD + 2 * (i + 1), page + HEAD + 2 * i, 2 * (size_t)(count - i));
    set16(page + HEAD + 2 * i, top);
    set16(page + 4, top);
    set16(page + 2, (uint32_t)count + 1);
    return true;
}

/* Divides a page and a cell that has no room in it over the page and a new one. */
static void split(Pager *pager, Frame *frame, int i, const uint8_t *cell, size_t size, Split *result)
{
    uint8_t copy[PAGE_SIZE];
    memcpy(copy, frame->data, PAGE_SIZE);
    int count = count_of(copy) + 1, at;
    size_t total = size, half = 0;
    for (int j = 0; j < count - 1; j++) total += cell_size(copy, cell_at(copy, j));

    Frame *right = page_new(pager);
    init_page(right->data, copy[0]);
    init_page(frame->data, copy[0]);
    uint8_t *target = frame->data;
    bool inner = copy[0] == INNER;
    for (int j = at = 0; j < count; j++) {
        const uint8_t *source = j == i ? cell : cell_at(copy, j < i ? j : j - 1);
        size_t length = cell_size(copy, source);
        /* At least one cell goes to each side, and of an inner page one goes up. */
        bool over = half + length > total / 2 || j >= count - (inner ? 2 : 1);
        if (target == frame->data && j > 0 && over) {
            target = right->data;
            at = 0;
            const uint8_t *key = source + (inner ? INNER_HEAD : LEAF_HEAD);
            result->keyLength = inner ? get16(source + 4) : get16(source);
            memcpy(result->key, key, result->keyLength);
            if (inner) {
                set32(frame->data + 8, get32(source));
                half += length;
                continue;
            }
        }
        if (!insert_cell(target, at++, source, length)) die("a split that does not fit");
        half += length;
    }
    if (inner) set32(right->data + 8, last_child(copy));
    result->right = right->page;
    page_release(right);
}

/* ---- long values ---- */

static uint32_t write_long(Pager *pager, Slice value)
{
    uint32_t first = 0;
    Frame *before = NULL;
    for (size_t done = 0; done < value.length;) {
        Frame *frame = page_new(pager);
        size_t piece = value.length - done < LONG_DATA ? value.length - done : LONG_DATA;
        frame->data[0] = LONG;
        memcpy(frame->data + HEAD, value.bytes + done, piece);
        if (before) {
            set32(before->data + 8, frame->page);
            page_release(before);
        } else first = frame->page;
        before = frame;
        done += piece;
    }
    if (before) page_release(before);
    return first;
}

static void free_long(Pager *pager, uint32_t page)
{
    while (page) {
        Frame *frame = page_get(pager, page);
        uint32_t next = get32(frame->data + 8);
        page_release(frame);
        page_free(pager, page);
        page = next;
    }
}

static uint8_t *read_value(Pager *pager, const uint8_t *cell, size_t *length)
{
    *length = get32(cell + 2);
    uint8_t *value = malloc(*length + 1);
    if (value == NULL) die("memory");
    uint32_t page = get32(cell + 6);
    if (page == 0) memcpy(value, cell + LEAF_HEAD + get16(cell), *length);
    for (size_t done = 0; page && done < *length; done += LONG_DATA) {
        Frame *frame = page_get(pager, page);
        memcpy(value + done, frame->data + HEAD, *length - done < LONG_DATA ? *length - done : LONG_DATA);
        page = get32(frame->data + 8);
        page_release(frame);
    }
    return value;
}

/* ---- putting in ---- */

static void put(Pager *pager, uint32_t page, Slice key, const uint8_t *cell, size_t size, Split *result)
{
    bool found;
    Frame *frame = page_get(pager, page);
    int i = search(frame->data, key, &found);
    result->right = 0;
    if (frame->data[0] == LEAF) {
        page_touch(pager, frame);
        if (found) {
            uint32_t tail = get32(cell_at(frame->data, i) + 6);
            remove_cell(frame->data, i);
            free_long(pager, tail);
        }
        if (!insert_cell(frame->data, i, cell, size)) split(pager, frame, i, cell, size, result);
    } else {
        Split below;
        uint32_t child = child_at(frame->data, i);
        put(pager, child, key, cell, size, &below);
        if (below.right) {
            /* The child keeps the smaller half, before a new cell; what pointed to it now points to the other half. */
            uint8_t up[INNER_HEAD + MAX_KEY];
            set32(up, child);
            set16(up + 4, (uint32_t)below.keyLength);
            memcpy(up + INNER_HEAD, below.key, below.keyLength);
            page_touch(pager, frame);
            set_child(frame->data, i, below.right);
            if (!insert_cell(frame->data, i, up, INNER_HEAD + below.keyLength)) split(pager, frame, i, up, INNER_HEAD + below.keyLength, result);
        }
    }
    page_release(frame);
}

void tree_put(Pager *pager, Slice key, Slice value)
{
    uint8_t cell[LEAF_HEAD + MAX_KEY + MAX_SHORT];
    if (key.length > MAX_KEY) die("a key too long");
    bool isLong = value.length > MAX_SHORT;
    set16(cell, (uint32_t)key.length);
    set32(cell + 2, (uint32_t)value.length);
    set32(cell + 6, isLong ? write_long(pager, value) : 0);
    memcpy(cell + LEAF_HEAD, key.bytes, key.length);
    size_t size = LEAF_HEAD + key.length;
    if (!isLong) {
        if (value.length > 0) memcpy(cell + size, value.bytes, value.length);
        size += value.length;
    }
    if (pager->root == 0) {
        Frame *leaf = page_new(pager);
        init_page(leaf->data, LEAF);
        set_root(pager, leaf->page);
        page_release(leaf);
    }
    Split result;
    put(pager, pager->root, key, cell, size, &result);
    if (result.right) {
        Frame *root = page_new(pager);
        init_page(root->data, INNER);
        uint8_t up[INNER_HEAD + MAX_KEY];
        set32(up, pager->root);
        set16(up + 4, (uint32_t)result.keyLength);
        memcpy(up + INNER_HEAD, result.key, result.keyLength);
        insert_cell(root->data, 0, up, INNER_HEAD + result.keyLength);
        set32(root->data + 8, result.right);
        set_root(pager, root->page);
        page_release(root);
    }
}

/* ---- taking out ---- */

/* Says whether the page is now empty, and to be freed by whoever points to it. */
static bool take(Pager *pager, uint32_t page, Slice key, bool *taken)
{
    bool found;
    Frame *frame = page_get(pager, page);
    int i = search(frame->data, key, &found);
    bool empty = false;
    if (frame->data[0] == LEAF) {
        *taken = found;
        if (found) {
            uint32_t tail = get32(cell_at(frame->data, i) + 6);
            page_touch(pager, frame);
            remove_cell(frame->data, i);
            empty = count_of(frame->data) == 0;
            free_long(pager, tail);
        }
    } else {
        uint32_t child = child_at(frame->data, i);
        if (take(pager, child, key, taken)) {
            page_free(pager, child);
            page_touch(pager, frame);
            int count = count_of(frame->data);
            if (count == 0) empty = true;
            else if (i < count) remove_cell(frame->data, i);
            else {
                set32(frame->data + 8, get32(cell_at(frame->data, count - 1)));
                remove_cell(frame->data, count - 1);
            }
        }
    }
    page_release(frame);
    return empty;
}

bool tree_delete(Pager *pager, Slice key)
{
    bool taken = false;
    if (pager->root == 0) return false;
    if (take(pager, pager->root, key, &taken)) {
        page_free(pager, pager->root);
        set_root(pager, 0);
    }
    /* A root with a single child is none. */
    while (pager->root) {
        Frame *root = page_get(pager, pager->root);
        bool single = root->data[0] == INNER && count_of(root->data) == 0;
        uint32_t child = last_child(root->data);
        page_release(root);
        if (!single) break;
        page_free(pager, pager->root);
        set_root(pager, child);
    }
    return taken;
}

/* ---- looking ---- */

bool tree_get(Pager *pager, Slice key, uint8_t **value, size_t *length)
{
    bool found;
    for (uint32_t page = pager->root; page;) {
        Frame *frame = page_get(pager, page);
        int i = search(frame->data, key, &found);
        if (frame->data[0] == LEAF) {
            if (found) *value = read_value(pager, cell_at(frame->data, i), length);
            page_release(frame);
            return found;
        }
        page = child_at(frame->data, i);
        page_release(frame);
    }
    return false;
}

static bool scan(Pager *pager, uint32_t page, Visitor visitor, void *context)
{
    Frame *frame = page_get(pager, page);
    bool more = true;
    for (int i = 0; more && i < count_of(frame->data) + (frame->data[0] == INNER); i++) {
        if (frame->data[0] == INNER) {
            more = scan(pager, child_at(frame->data, i), visitor, context);
            continue;
        }
        size_t length;
        uint8_t *value = read_value(pager, cell_at(frame->data, i), &length);
        more = visitor(context, key_of(frame->data, i), (Slice){ value, length });
        free(value);
    }
    page_release(frame);
    return more;
}

bool tree_scan(Pager *pager, Visitor visitor, void *context) { return pager->root == 0 || scan(pager, pager->root, visitor, context); }

/* ---- checking ---- */

typedef struct {
    Pager *pager;
    uint8_t *seen;
    uint32_t count;
    const char *wrong;
    int leafDepth;
} Check;

static bool see(Check *check, uint32_t page)
{
    if (page == 0 || page >= check->pager->pageCount) check->wrong = "a page outside of the file";
    else if (check->seen[page]) check->wrong = "a page in two places";
    else {
        check->seen[page] = 1;
        check->count++;
    }
    return check->wrong == NULL;
}

static void check_page(Check *check, uint32_t page, Slice low, Slice high, int depth)
{
    if (!see(check, page)) return;
    if (depth > 20) {
        check->wrong = "a tree too deep";
        return;
    }
    Frame *frame = page_get(check->pager, page);
    uint8_t *data = frame->data;
    if (data[0] != LEAF && data[0] != INNER) check->wrong = "a page of no kind";
    else if (data[0] == LEAF) check->leafDepth = depth > check->leafDepth ? depth : check->leafDepth;
    Slice before = low;
    for (int i = 0; i < count_of(data) && !check->wrong; i++) {
        Slice key = key_of(data, i);
        int order = before.bytes ? compare(before, key) : -1;
        if (order > 0 || (order == 0 && i > 0)) check->wrong = "keys out of order";
        if (high.bytes && compare(key, high) >= 0) check->wrong = "a key beyond its page";
        if (data[0] == INNER) check_page(check, child_at(data, i), before, key, depth + 1);
        else
            for (uint32_t tail = get32(cell_at(data, i) + 6); tail && see(check, tail);) {
                Frame *next = page_get(check->pager, tail);
                if (next->data[0] != LONG) check->wrong = "a long value that is none";
                tail = get32(next->data + 8);
                page_release(next);
            }
        before = key;
    }
    if (data[0] == INNER && !check->wrong) check_page(check, last_child(data), before, high, depth + 1);
    page_release(frame);
}

const char *tree_check(Pager *pager, uint32_t *depth)
{
    Check check = { .pager = pager, .seen = calloc(pager->pageCount, 1), .count = 1 };
    if (check.seen == NULL) die("memory");
    if (pager->root) check_page(&check, pager->root, (Slice){ 0 }, (Slice){ 0 }, 1);
    for (uint32_t page = pager->free; page && !check.wrong && see(&check, page);) {
        Frame *frame = page_get(pager, page);
        page = get32(frame->data);
        page_release(frame);
    }
    if (!check.wrong && check.count != pager->pageCount) check.wrong = "pages that nobody has";
    free(check.seen);
    *depth = (uint32_t)check.leafDepth;
    return check.wrong;
}
