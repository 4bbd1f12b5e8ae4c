namespace WasmJit.Text;

/// <summary>The host module that scripts of the official suite import from.</summary>
internal static class SpecTest
{
    internal static Imports Make()
    {
        var imports = new Imports
        {
            { "spectest", "print", (Action)(static () => { }) },
            { "spectest", "print_i32", (Action<int>)(static _ => { }) },
            { "spectest", "print_i64", (Action<long>)(static _ => { }) },
            { "spectest", "print_f32", (Action<float>)(static _ => { }) },
            { "spectest", "print_f64", (Action<double>)(static _ => { }) },
            { "spectest", "print_i32_f32", (Action<int, float>)(static (_, _) => { }) },
            { "spectest", "print_f64_f64", (Action<double, double>)(static (_, _) => { }) },
            { "spectest", "global_i32", new Global(new GlobalType(ValType.I32, false), 666) },
            { "spectest", "global_i64", new Global(new GlobalType(ValType.I64, false), 666L) },
            { "spectest", "global_f32", new Global(new GlobalType(ValType.F32, false), 666.6f) },
            { "spectest", "global_f64", new Global(new GlobalType(ValType.F64, false), 666.6) },
            { "spectest", "table", new Table(new TableType(ValType.FuncRef, 10, 20)) },
            { "spectest", "table64", new Table(new TableType(ValType.FuncRef, 10, 20, Is64: true)) },
            { "spectest", "memory", new Memory(new MemoryType(1, 2)) },
            { "spectest", "shared_memory", new Memory(new MemoryType(1, 2, IsShared: true)) },
        };
        return imports;
    }
}
