// Names that are mangled: namespaces, templates, lambdas, members.
#include <stdint.h>

volatile int32_t sink;

namespace shapes {
template <typename T> struct Box {
    T value;
    __attribute__((noinline)) T half(T by) const {
        sink = (int32_t)value;
        return value / by; // divides
    }
};
}

namespace {
template <typename F> __attribute__((noinline)) int32_t apply(F f, int32_t x) {
    sink = x;
    return f(x) + 1; // applies
}
}

extern "C" __attribute__((export_name("run"))) int32_t run(int32_t by) {
    shapes::Box<int32_t> box{7};
    return apply([&](int32_t x) __attribute__((noinline)) { return box.half(x) + 2; }, by);
}
