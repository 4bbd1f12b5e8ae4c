# The tag of C++ exceptions. The compiler leaves its definition to the runtime library, of which Debian's was made before it did.
  .tagtype __cpp_exception i32
  .globl __cpp_exception
__cpp_exception:
