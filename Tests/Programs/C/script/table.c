/* Tables: an array for the keys 0, 1, 2, ... and a hash table for all others. */
#include "value.h"

#include <string.h>

static uint32_t hash_value(Value key)
{
    switch (key.tag) {
    case T_BOOL: return key.as.truth ? 0x9e3779b9u : 0x7f4a7c15u;
    case T_NUMBER: {
        uint64_t bits;
        double number = key.as.number + 0.0; /* one zero */
        memcpy(&bits, &number, sizeof bits);
        bits *= 0x9e3779b97f4a7c15u;
        return (uint32_t)(bits >> 32);
    }
    case T_OBJECT:
        if (key.as.object->kind == O_STRING) return as_string(key)->hash;
        return key.as.object->serial * 2654435761u;
    default: return 0;
    }
}

/* Whether a key belongs to the array, and where. */
static bool array_index(const Table *table, Value key, uint32_t *index)
{
    if (key.tag != T_NUMBER || !(key.as.number >= 0 && key.as.number < 4294967295.0)) return false;
    *index = (uint32_t)key.as.number;
    return (double)*index == key.as.number && *index <= table->count;
}

/* The entry of a key, or the free one where it would be. A removed entry has a value of nil and keeps its key. */
static Entry *find(Entry *entries, uint32_t slots, Value key)
{
    uint32_t at = hash_value(key) & (slots - 1);
    while (entries[at].key.tag != T_NIL && !same(entries[at].key, key)) at = (at + 1) & (slots - 1);
    return &entries[at];
}

Value table_get(const Table *table, Value key)
{
    uint32_t index;
    if (array_index(table, key, &index) && index < table->count) return table->array[index];
    if (table->slots == 0 || key.tag == T_NIL) return NIL;
    return find(table->entries, table->slots, key)->value;
}

Value table_find(const Table *table, Value key)
{
    for (int depth = 0; table && depth < 100; table = table->proto, depth++) {
        Value value = table_get(table, key);
        if (value.tag != T_NIL) return value;
    }
    return NIL;
}

static void rehash(Vm *vm, Table *table)
{
    uint32_t live = 0;
    for (uint32_t i = 0; i < table->slots; i++) live += table->entries[i].value.tag != T_NIL;
    uint32_t slots = 8;
    while (slots * 3 < (live + 1) * 5) slots *= 2;
    Entry *entries = heap_resize(vm, NULL, 0, slots, sizeof(Entry));
    for (uint32_t i = 0; i < slots; i++) entries[i] = (Entry){ NIL, NIL };
    for (uint32_t i = 0; i < table->slots; i++)
        if (table->entries[i].value.tag != T_NIL) *find(entries, slots, table->entries[i].key) = table->entries[i];
    heap_resize(vm, table->entries, table->slots, 0, sizeof(Entry));
    table->entries = entries;
    table->slots = slots;
    table->used = live;
}

void table_push(Vm *vm, Table *table, Value value)
{
    if (table->count == table->room) {
        uint32_t room = table->room ? table->room * 2 : 4;
        table->array = heap_resize(vm, table->array, table->room, room, sizeof(Value));
        table->room = room;
    }
    table->array[table->count++] = value;
}

/* The array has grown to a key that is in the hash table: that and those behind it move over. */
static void move_over(Vm *vm, Table *table)
{
    while (table->slots > 0) {
        Entry *entry = find(table->entries, table->slots, of_number(table->count));
        if (entry->value.tag == T_NIL) return;
        table_push(vm, table, entry->value);
        entry->value = NIL;
    }
}

bool table_set(Vm *vm, Table *table, Value key, Value value)
{
    uint32_t index;
    if (key.tag == T_NIL || (key.tag == T_NUMBER && key.as.number != key.as.number)) return false;
    if (array_index(table, key, &index)) {
        if (index < table->count) {
            table->array[index] = value;
            /* The array ends with something. */
            if (value.tag == T_NIL)
                while (table->count > 0 && table->array[table->count - 1].tag == T_NIL) table->count--;
            return true;
        }
        if (value.tag != T_NIL) {
            table_push(vm, table, value);
            if (table->slots > 0) {
                Entry *old = find(table->entries, table->slots, key);
                if (old->key.tag != T_NIL) old->value = NIL;
                move_over(vm, table);
            }
            return true;
        }
    }
    if (table->slots == 0) {
        if (value.tag == T_NIL) return true;
        rehash(vm, table);
    }
    Entry *entry = find(table->entries, table->slots, key);
    if (entry->key.tag == T_NIL) {
        if (value.tag == T_NIL) return true;
        if ((table->used + 1) * 4 > table->slots * 3) {
            rehash(vm, table);
            entry = find(table->entries, table->slots, key);
        }
        table->used++;
        entry->key = key;
    }
    entry->value = value;
    return true;
}

bool table_next(const Table *table, uint32_t *position, Value *key, Value *value)
{
    for (; *position < table->count; ++*position)
        if (table->array[*position].tag != T_NIL) {
            *key = of_number(*position);
            *value = table->array[(*position)++];
            return true;
        }
    for (uint32_t at = *position - table->count; at < table->slots; at++)
        if (table->entries[at].value.tag != T_NIL) {
            *key = table->entries[at].key;
            *value = table->entries[at].value;
            *position = table->count + at + 1;
            return true;
        }
    return false;
}

uint32_t table_size(const Table *table)
{
    uint32_t size = 0;
    for (uint32_t i = 0; i < table->count; i++) size += table->array[i].tag != T_NIL;
    for (uint32_t i = 0; i < table->slots; i++) size += table->entries[i].value.tag != T_NIL;
    return size;
}
