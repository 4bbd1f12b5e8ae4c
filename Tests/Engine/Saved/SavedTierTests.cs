using System.Runtime.InteropServices;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Emit;
using Xunit;

namespace WasmJit.Tests.Saved;

/// <summary>Saved code is optimised from its first call, loops and functions beyond RyuJIT's limits too; nothing is compiled beside it.</summary>
[Collection("JIT events")]
public sealed class SavedTierTests
{
    [Theory]
    [InlineData(10, 5, 3, false)]
    [InlineData(1000, 8, 4, true)]
    public void SavedFunctionsAreOptimised(int cases, int locals, int steps, bool large)
    {
        var source = new SwitchProgram(cases, locals, steps);
        Module compiled = new Engine().CompileText($"(module $saved{cases}x{locals} " + source.Text()["(module ".Length..]);
        Assert.Equal(large, Outliner.ExceedsLimits(compiled.Code.EmitIl(0), 2));
        var file = new MemoryStream();
        compiled.Save(file);
        file.Position = 0;

        using var listener = new JitListener();
        Module module = new Engine(Tiers.Never).LoadSaved(file);
        Instance instance = module.Instantiate();
        var program = new ushort[1000];
        for (int i = 0; i < program.Length; i++) program[i] = (ushort)(i * 7 % cases);
        MemoryMarshal.AsBytes<ushort>(program).CopyTo(instance.GetExport<Memory>("m").Span);
        Assert.Equal(source.Expected(program), instance.GetExport<Func<int, long>>("run")(program.Length));
        // One method, optimised at once: no tier before it, no outlined body left behind.
        Assert.Equal([2], listener.TiersOf(module.Code.NameOf(0), Again));
        // The entry is the assembly's too, and there is no other.
        Assert.Equal([2], listener.TiersOf(EntryThunk.NameOf(Signature.Of(module.Info.Funcs[0].Type)), Again));

        void Again()
        {
            file.Position = 0;
            new Engine(Tiers.Never).LoadSaved(file).Instantiate().GetExport<Func<int, long>>("run")(1);
        }
    }
}
