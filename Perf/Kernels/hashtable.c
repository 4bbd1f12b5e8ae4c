// Scattered loads: n insertions, lookups and removals in a chained hash table that grows, with an allocator of its own.
#include "kernel.h"

typedef struct Node {
    struct Node *next;
    u32 key;
    u32 value;
} Node;

#define NODES 200000
#define MAX_BUCKETS 262144

static Node nodes[NODES];
static Node *free_list;
static u32 fresh;
static Node *buckets[MAX_BUCKETS], *old_buckets[MAX_BUCKETS];
static u32 bucket_count, node_count;

static u32 hash_of(u32 key)
{
    key = (key ^ key >> 16) * 0x85ebca6b;
    key = (key ^ key >> 13) * 0xc2b2ae35;
    return key ^ key >> 16;
}

static NOINLINE void grow(void)
{
    for (u32 i = 0; i < bucket_count; i++) old_buckets[i] = buckets[i];
    u32 old_count = bucket_count;
    bucket_count *= 2;
    for (u32 i = 0; i < bucket_count; i++) buckets[i] = 0;
    for (u32 i = 0; i < old_count; i++) {
        for (Node *node = old_buckets[i]; node;) {
            Node *next = node->next;
            Node **bucket = &buckets[hash_of(node->key) & (bucket_count - 1)];
            node->next = *bucket;
            *bucket = node;
            node = next;
        }
    }
}

static NOINLINE Node *find(u32 key)
{
    Node *node = buckets[hash_of(key) & (bucket_count - 1)];
    while (node && node->key != key) node = node->next;
    return node;
}

static NOINLINE void add(u32 key, u32 value)
{
    Node *node = find(key);
    if (node) {
        node->value += value;
        return;
    }
    if (free_list) {
        node = free_list;
        free_list = node->next;
    } else if (fresh < NODES) {
        node = &nodes[fresh++];
    } else {
        return;
    }
    if (node_count++ >= bucket_count && bucket_count < MAX_BUCKETS) grow();
    Node **bucket = &buckets[hash_of(key) & (bucket_count - 1)];
    node->key = key;
    node->value = value;
    node->next = *bucket;
    *bucket = node;
}

static NOINLINE u32 take(u32 key)
{
    Node **link = &buckets[hash_of(key) & (bucket_count - 1)];
    for (; *link; link = &(*link)->next) {
        Node *node = *link;
        if (node->key != key) continue;
        *link = node->next;
        node->next = free_list;
        free_list = node;
        node_count--;
        return node->value;
    }
    return 0;
}

i64 run(i32 n)
{
    free_list = 0;
    fresh = 0;
    node_count = 0;
    bucket_count = 16;
    for (u32 i = 0; i < bucket_count; i++) buckets[i] = 0;
    u32 random = 99;
    u64 hash = 0;
    for (i32 i = 0; i < n; i++) {
        u32 key = next_random(&random) % 40000;
        u32 what = next_random(&random) & 7;
        if (what < 3) {
            add(key, (u32)i);
        } else if (what == 3) {
            hash += take(key);
        } else {
            Node *node = find(key);
            hash = hash * 31 + (node ? node->value : 1);
        }
    }
    return (i64)mix(hash, node_count);
}
