namespace WasmJit.Fuzz;

/// <summary>What random modules import.</summary>
internal static class HostModule
{
    /// <summary>The functions of the host as a module, for engines that compare what modules do.</summary>
    internal const string Text = """
        (module
          (func (export "isnull") (param funcref) (result i32) (ref.is_null (local.get 0)))
          (func (export "which") (param funcref funcref i32) (result funcref)
            (select (result funcref) (local.get 0) (local.get 1) (local.get 2)))
          (func (export "keep") (param externref) (result externref) (local.get 0))
          (func (export "pick") (param externref i32 externref) (result externref)
            (select (result externref) (local.get 0) (local.get 2) (i32.and (local.get 1) (i32.const 1))))
          (func (export "mix") (param i32 funcref i64 externref f64) (result f64 i32)
            (f64.add (local.get 4) (f64.const 1))
            (i32.xor (i32.wrap_i64 (local.get 2))
              (i32.add (local.get 0) (i32.add (ref.is_null (local.get 1)) (i32.shl (ref.is_null (local.get 3)) (i32.const 1)))))))
        """;

    /// <summary>The imports, with functions of .NET.</summary>
    internal static Imports Make(Engine engine) => new()
    {
        { "helper", engine.CompileText(NumberModule.Helper).Instantiate() },
        { "host", "isnull", (Delegate? f) => f is null ? 1 : 0 },
        { "host", "which", (Delegate? a, Delegate? b, int first) => first != 0 ? a : b },
        { "host", "keep", (object? value) => value },
        { "host", "pick", (object? a, int first, object? b) => (first & 1) != 0 ? a : b },
        { "host", "mix", (int i, Delegate? f, long l, object? x, double d) => (d + 1, (int)l ^ (i + (f is null ? 1 : 0) + (x is null ? 2 : 0))) },
    };
}
