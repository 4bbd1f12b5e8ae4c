using System.Globalization;
using System.Reflection.Emit;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Tests;

/// <summary>Code for no process: what is an address or a number of one is named by what it stands for.</summary>
internal sealed class ListingTarget(string options) : ICodeTarget
{
    public bool TakesSamples => false;

    private readonly string[] options = options.Split(' ');

    public bool HasStackMap => true;

    public bool IsInterruptible => Has("interruptible");

    public bool CountsFuel => Has("fuel");

    public Unwinder? Unwinder { get; } = options.Contains("unwinder", StringComparison.Ordinal) ? new Unwinder(0) : null;

    public bool Inlines => Has("inline");

    public bool Verifies => Has("verify");

    internal bool Has(string option) => options.Contains(option);

    public void LoadCode(IlBuffer il, ModuleInfo module, int func)
    {
        il.Ldstr($"code of {module.FuncName(func) ?? func.ToString(CultureInfo.InvariantCulture)}");
        il.Emit(OpCodes.Ldind_I);
    }

    public int LoadStackMapAt(IlBuffer il, int after) => il.LdstrAt(after, "map of stacks");

    public void LoadTypeId(IlBuffer il, DefType type) => il.Ldstr($"number of {type}");

    public bool NeedsChecks(MemoryType memory) => Has("explicit");

    /// <summary>Only what the unwinder gives is an address: no number in the modules is so large.</summary>
    internal static string WithoutAddresses(string line) =>
        line.StartsWith("  ldc.i8 ", StringComparison.Ordinal) && long.Parse(line[9..], CultureInfo.InvariantCulture) is > 1L << 38 and < 1L << 47
            ? "  ldc.i8 (address)" : line;
}
