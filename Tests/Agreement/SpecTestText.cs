namespace WasmJit.Agreement;

/// <summary>The module that scripts import from, in WebAssembly: so it can have what the package has no constructors for.</summary>
internal static class SpecTestText
{
    internal const string Most = """
        (module
          (func (export "print"))
          (func (export "print_i32") (param i32))
          (func (export "print_i64") (param i64))
          (func (export "print_f32") (param f32))
          (func (export "print_f64") (param f64))
          (func (export "print_i32_f32") (param i32 f32))
          (func (export "print_f64_f64") (param f64 f64))
          (global (export "global_i32") i32 (i32.const 666))
          (global (export "global_i64") i64 (i64.const 666))
          (global (export "global_f32") f32 (f32.const 666.6))
          (global (export "global_f64") f64 (f64.const 666.6))
          (table (export "table") 10 20 funcref)
          (memory (export "memory") 1 2))
        """;

    /// <summary>By themselves, because the threads proposal's directory is from when a module had one memory and one table.</summary>
    internal const string Shared = """(module (memory (export "shared_memory") 1 2 shared))""";

    /// <inheritdoc cref="Shared"/>
    internal const string Table64 = """(module (table (export "table64") i64 10 20 funcref))""";
}
