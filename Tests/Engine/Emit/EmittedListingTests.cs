using System.Runtime.Intrinsics.X86;
using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// What is emitted, instruction by instruction, for the shapes that matter: a module for each in <c>Listings</c>, and what becomes of it in
/// <c>Golden</c>. A comment at a module's beginning names the options that it is emitted with.
/// </summary>
public sealed class EmittedListingTests
{
    /// <summary>The parts of the functions that are split are as small as the tests want them.</summary>
    private static readonly PartSize Tiny = new(20, 4, 30);

    private static string Folder => Golden.InRepository("Tests/Engine/Emit/Listings");

    public static TheoryData<string> Shapes =>
    [
        .. Directory.GetFiles(Folder, "*.wat").Select(path => Path.GetFileNameWithoutExtension(path)!).Where(s => s != "shuffles").Order(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void IsAsItWas(string shape) => Golden.Equal($"{shape}.il", ListingOf(File.ReadAllText(Path.Combine(Folder, $"{shape}.wat"))));

    /// <summary>Shuffles are what this processor has for them.</summary>
    [Avx2Fact]
    public void ShufflesAreAsTheyWere() => IsAsItWas("shuffles");

    private static string ListingOf(string wat)
    {
        var target = new ListingTarget(wat.Split('\n').FirstOrDefault(line => line.StartsWith(";; options:", StringComparison.Ordinal)) ?? "");
        ModuleInfo module = new Engine().CompileText(wat).Info;
        var text = new StringBuilder();
        for (int func = module.ImportedFuncs; func < module.Funcs.Count; func++)
        {
            IlBuffer il = FunctionEmitter.Emit(module, func, target, target.Has("resume") ? LastLoop(module, func) : -1);
            text.Append($"func {module.FuncName(func)}");
            if (il.Nulls != NullMeaning.None) text.Append($" (null: {il.Nulls})");
            text.AppendLine();
            if (target.Has("parts")) WriteParts(text, module, func, il);
            else Write(text, module, func, il);
        }
        return text.ToString();
    }

    private static void WriteParts(StringBuilder text, ModuleInfo module, int func, IlBuffer il)
    {
        Partition partition = Partition.Of(il, Signature.Of(module.Funcs[func].Type), Tiny)!;
        text.AppendLine($"{partition.Parts} parts, {partition.Words} words, {partition.Refs} references");
        for (int part = 0; part < partition.Parts; part++)
        {
            text.AppendLine($"part {part}");
            Write(text, module, func, PartWriter.Write(partition, part));
        }
    }

    /// <summary>The instructions, behind the operator that they are for.</summary>
    private static void Write(StringBuilder text, ModuleInfo module, int func, IlBuffer il)
    {
        int last = -1;
        foreach ((int source, string line) in il.Listing(type => NameOf(type, module)))
        {
            if (source != last && !line.StartsWith("  .local", StringComparison.Ordinal))
            {
                text.AppendLine(source == 0 ? "  ;" : $"  ; {OperatorAt(module, func, source)}");
                last = source;
            }
            text.Append("  ").AppendLine(ListingTarget.WithoutAddresses(line));
        }
    }

    private static string OperatorAt(ModuleInfo module, int func, int offset)
    {
        new CodeReader(module.Bytes.Span, offset, module.Funcs[func].BodyEnd).Read(out Instr instr);
        return instr.Op.Mnemonic;
    }

    private static int LastLoop(ModuleInfo module, int func)
    {
        var code = new CodeReader(module.Bytes.Span, module.Funcs[func].CodeStart, module.Funcs[func].BodyEnd);
        int last = -1;
        while (!code.AtEnd)
        {
            code.Read(out Instr instr);
            if (instr.Id == OpId.Loop) last = instr.Offset;
        }
        return last;
    }

    /// <summary>Classes of a module's types are named by the type: which names they have depends on what was compiled before.</summary>
    private static string NameOf(Type type, ModuleInfo module)
    {
        for (int i = 0; i < module.Types.Count; i++)
        {
            if (module.Types[i].Composite is not (StructType or ArrayType)) continue;
            GcClass made = GcClass.Of(module.Types[i], module.State.GcBatch);
            if (type == made.Clr) return $"type{i}";
            if (type == made.Element) return $"element{i}";
        }
        return type.IsGenericType ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GenericTypeArguments.Select(argument => NameOf(argument, module)))}>" : type.Name;
    }
}

/// <summary>A test of code for a processor with AVX2.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class Avx2FactAttribute : FactAttribute
{
    public Avx2FactAttribute()
    {
        if (!Avx2.IsSupported) Skip = "not run: the processor has no AVX2";
    }
}
