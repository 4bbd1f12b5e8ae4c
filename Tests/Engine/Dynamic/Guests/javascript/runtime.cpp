/* What Emscripten's C++ library has for exceptions that JavaScript throws: the header in front of each, and its count. */
#include <stdlib.h>
#include <typeinfo>

namespace {
struct Header {
    unsigned count;
    const std::type_info *type;
    void *(*destructor)(void *);
    unsigned char caught, rethrown;
    void *adjusted, *padding;
};

Header *header(void *thrown) { return static_cast<Header *>(thrown) - 1; }

/* The first virtual functions of all type information of libc++abi, behind the two destructors of std::type_info. */
struct Type : std::type_info {
    virtual void noop1() const;
    virtual void noop2() const;
    virtual bool can_catch(const Type *thrown, void *&object) const = 0;
};
}

namespace __cxxabiv1 {
struct __pointer_type_info : std::type_info { ~__pointer_type_info() override; };
}

extern "C" {
unsigned long __THREW__;
int __threwValue;

void setThrew(unsigned long threw, int value)
{
    if (__THREW__) return;
    __THREW__ = threw;
    __threwValue = value;
}

void *__cxa_allocate_exception(size_t size) { return static_cast<Header *>(calloc(1, sizeof(Header) + size)) + 1; }

void __cxa_free_exception(void *thrown) { free(header(thrown)); }

void __cxa_increment_exception_refcount(void *thrown)
{
    if (thrown) header(thrown)->count++;
}

void __cxa_decrement_exception_refcount(void *thrown)
{
    if (!thrown || --header(thrown)->count || header(thrown)->rethrown) return;
    if (header(thrown)->destructor) header(thrown)->destructor(thrown);
    __cxa_free_exception(thrown);
}

void *__cxa_get_exception_ptr(void *thrown)
{
    if (dynamic_cast<const __cxxabiv1::__pointer_type_info *>(header(thrown)->type)) return *static_cast<void **>(thrown);
    return header(thrown)->adjusted ? header(thrown)->adjusted : thrown;
}

int __cxa_can_catch(const Type *caught, const Type *thrown, void **object) { return caught->can_catch(thrown, *object); }

int __gxx_personality_v0(...) { abort(); }
}
