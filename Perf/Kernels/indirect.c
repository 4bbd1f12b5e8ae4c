// Calls through function pointers: objects of sixteen classes with two virtual methods each, n rounds.
#include "kernel.h"

typedef struct Object Object;
typedef u32 (*Method)(Object *self, u32 argument);
typedef struct {
    Method update, query;
} Class;
struct Object {
    const Class *class;
    u32 a, b;
};

#define CLASS(i, update_expression, query_expression)                  \
    static u32 update##i(Object *self, u32 x)                          \
    {                                                                  \
        return update_expression;                                      \
    }                                                                  \
    static u32 query##i(Object *self, u32 x)                           \
    {                                                                  \
        return query_expression;                                       \
    }                                                                  \
    static const Class class##i = { update##i, query##i };

CLASS(0, self->a += x, self->a ^ x)
CLASS(1, self->a ^= x, self->a + x)
CLASS(2, self->b += x * 3, self->b - x)
CLASS(3, self->b -= x, self->a & x)
CLASS(4, self->a = self->b + x, self->b | x)
CLASS(5, self->b = self->a ^ x, self->a * 5 + x)
CLASS(6, self->a += self->b, self->b ^ x >> 3)
CLASS(7, self->b = x << 1, self->a + self->b)
CLASS(8, self->a = x >> 1, self->a - self->b)
CLASS(9, self->a = ~x, self->a + 9)
CLASS(10, self->b = x * x, self->b + 10)
CLASS(11, self->a -= x, self->a * x)
CLASS(12, self->b ^= x << 7, self->b + x)
CLASS(13, self->a |= x, self->a & 0xffff)
CLASS(14, self->b &= x, self->b + 14)
CLASS(15, self->a = x + 15, self->a ^ self->b)

static const Class *const classes[16] = {
    &class0, &class1, &class2, &class3, &class4, &class5, &class6, &class7,
    &class8, &class9, &class10, &class11, &class12, &class13, &class14, &class15,
};

#define COUNT 1024

static Object objects[COUNT];

i64 run(i32 n)
{
    u32 random = 4711;
    for (int i = 0; i < COUNT; i++) {
        // A run of equal classes now and then, as in real heaps.
        objects[i].class = i % 4 ? classes[i / 4 % 16] : classes[next_random(&random) % 16];
        objects[i].a = next_random(&random);
        objects[i].b = next_random(&random);
    }
    u32 sum = 0;
    for (i32 round = 0; round < n; round++) {
        for (int i = 0; i < COUNT; i++) {
            Object *object = &objects[i];
            sum += object->class->update(object, sum + (u32)round);
            sum ^= object->class->query(object, (u32)i);
        }
    }
    return (i64)mix(sum, objects[17].a);
}
