using System.Diagnostics;
using WasmJit.Components;
using WasmJit.Jit.Format;
using Xunit;
using static WasmJit.Tests.ComponentBinary;

namespace WasmJit.Tests;

/// <summary>Hostile components: each is rejected, and soon.</summary>
public sealed class ComponentHostileTests
{
    /// <summary>More than any of these takes on a busy machine, and far less than what has no end.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    /// <summary>Whether it is valid; everything else than a reason why not is thrown.</summary>
    private static bool IsValid(byte[] bytes)
    {
        try
        {
            Load(bytes);
            return true;
        }
        catch (ModuleException)
        {
            return false;
        }
    }

    private static byte[][] Samples() => [.. ComponentForms.All.Select(form => Wat.ToBinary($"(component {form})"))];

    [Fact]
    public void ComponentsEndAnywhere()
    {
        int cut = 0;
        foreach (byte[] sample in Samples())
        {
            for (int length = 0; length < sample.Length; length++, cut++)
            {
                // Between two sections there is an end that is none too early.
                byte[] part = sample[..length];
                IsValid(part);
            }
        }
        Assert.True(cut > 5000, $"{cut}");
    }

    [Fact]
    public void BytesChange()
    {
        byte[][] samples = Samples();
        var random = new Random(13);
        int valid = 0, count = CountOr(10_000);
        for (int i = 0; i < count; i++) if (IsValid(Mutate(samples, random))) valid++;
        // Some changes mean nothing; if nearly none did, the rest would be rejected for what comes first in the bytes.
        Assert.InRange(valid, count / 50, count * 9 / 10);
    }

    /// <summary>How many components are tried: with WASMJIT_COMPONENT_COUNT another number, for longer runs.</summary>
    private static int CountOr(int usual) => int.TryParse(Environment.GetEnvironmentVariable("WASMJIT_COMPONENT_COUNT"), out int given) ? given : usual;

    /// <summary>Components that can be called, with some bytes changed: what is valid still is linked and called, and ends as any other guest does.</summary>
    [Fact]
    public void ChangedComponentsRun()
    {
        (byte[] Bytes, ComponentValue Argument)[] samples =
        [
            .. new[] { ("utf8", "utf8"), ("utf8", "utf16"), ("latin1+utf16", "utf8") }.Select(e => (Wat.ToBinary(EchoComponent.Text("string", e.Item1, e.Item2)), ComponentValue.From("h\u00f6flich"))),
            (Wat.ToBinary(EchoComponent.Text("(list (tuple u32 string))", "utf8", "utf8")), ComponentValue.List(ComponentValue.Tuple(ComponentValue.From(7u), ComponentValue.From("seven")))),
            (Wat.ToBinary(EchoComponent.Text("(option (list char))", "utf8", "utf8")), ComponentValue.Some(ComponentValue.List(ComponentValue.From(new System.Text.Rune('c'))))),
        ];
        var engine = new Engine(new EngineOptions { CountFuel = true, Limits = new ResourceLimits { MaximumMemoryBytes = 16 << 20, MaximumTableElements = 10_000, MaximumInstances = 100 } });
        var random = new Random(17);
        int count = CountOr(1000), valid = 0, called = 0, trapped = 0;
        for (int i = 0; i < count; i++)
        {
            (byte[] bytes, ComponentValue argument) = samples[random.Next(samples.Length)];
            byte[] changed = [.. bytes];
            for (int n = random.Next(1, 3); n > 0; n--)
            {
                int at = random.Next(8, changed.Length);
                changed[at] = random.Next(2) == 0 ? (byte)random.Next(256) : (byte)(changed[at] ^ (1 << random.Next(8)));
            }
            try
            {
                WasmComponent component = engine.CompileComponent(changed);
                valid++;
                using ComponentInstance instance = component.Instantiate(null, new ComponentInstanceOptions { Fuel = new Fuel(1_000_000), MaximumCopiedBytes = 1 << 20 });
                ExportedFunction function = instance.GetFunction("f");
                // Calls are another code when there have been some.
                for (int n = 0; n < 12; n++) function.Call(EchoComponent.Pad(argument));
                called++;
            }
            catch (TrapException)
            {
                trapped++;
            }
            catch (Exception e) when (e is ModuleException or LinkException or ArgumentException or KeyNotFoundException)
            {
                // As any other.
            }
        }
        Assert.True(valid > count / 10 && called > count / 50 && trapped > count / 500, $"{count}: {valid} are valid, {called} were called, {trapped} trapped");
    }

    private static byte[] Mutate(byte[][] samples, Random random)
    {
        List<byte> bytes = [.. samples[random.Next(samples.Length)]];
        for (int n = random.Next(1, 4); n > 0; n--)
        {
            int at = random.Next(8, bytes.Count);
            switch (random.Next(5))
            {
                case 0: bytes[at] = (byte)random.Next(256); break;
                case 1: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 2: bytes[at] = (byte)random.Next(8); break;
                case 3: (bytes[at], bytes[^1]) = (bytes[^1], bytes[at]); break;
                default:
                    // Sections of another component behind this one: sizes stay right, indices mean something else.
                    bytes.AddRange(samples[random.Next(samples.Length)][8..]);
                    break;
            }
        }
        return [.. bytes];
    }

    // ---- types out of proportion to their bytes ----

    private static byte[] Types(params byte[][] types) => Of(Section(ComponentSectionId.Type, types));

    private static string Reason<T>(byte[] bytes)
        where T : ModuleException
    {
        var watch = Stopwatch.StartNew();
        string reason = Assert.Throws<T>(() => Load(bytes)).Reason;
        Assert.True(watch.Elapsed < Patience, $"{watch.Elapsed}");
        return reason;
    }

    private static void IsSoonValid(byte[] bytes)
    {
        var watch = Stopwatch.StartNew();
        Load(bytes);
        Assert.True(watch.Elapsed < Patience, $"{watch.Elapsed}");
    }

    [Fact]
    public void ValuesHaveAnEndInMemory()
    {
        // Of eight elements each, of eight bytes.
        byte[][] doubling = [[ComponentTypeByte.U64], .. Enumerable.Range(0, 40).Select(i => (byte[])[ComponentTypeByte.FixedList, .. Index((uint)i), 8])];
        Assert.Contains("exceeds maximum byte size", Reason<InvalidModuleException>(Types(doubling)), StringComparison.Ordinal);
        // Products that overflow 64 bits.
        byte[][] lists = [[ComponentTypeByte.U8], .. Enumerable.Range(0, 8).Select(i => (byte[])[ComponentTypeByte.FixedList, .. Index((uint)i), .. Number(uint.MaxValue)])];
        Assert.Contains("exceeds maximum byte size", Reason<InvalidModuleException>(Types(lists)), StringComparison.Ordinal);
    }

    [Fact]
    public void TypesHaveASize()
    {
        // A list takes no more memory, whatever it is of.
        byte[][] doubling =
        [
            [ComponentTypeByte.List, ComponentTypeByte.U8],
            .. Enumerable.Range(0, 40).SelectMany(i => (byte[][])[[ComponentTypeByte.Tuple, 2, .. Index((uint)(2 * i)), .. Index((uint)(2 * i))], [ComponentTypeByte.List, .. Index((uint)((2 * i) + 1))]]),
        ];
        Assert.Contains("effective type size", Reason<InvalidModuleException>(Types(doubling)), StringComparison.Ordinal);
    }

    [Fact]
    public void TypesHaveADepth()
    {
        byte[][] lists = [[ComponentTypeByte.U8], .. Enumerable.Range(0, 100_000).Select(i => (byte[])[ComponentTypeByte.List, .. Index((uint)i)])];
        Assert.Contains("levels of types", Reason<UnsupportedModuleException>(Types(lists)), StringComparison.Ordinal);
        Load(Types(lists[..100]));
    }

    /// <summary>An instance type that exports the one before it twice, with a resource at the bottom or nothing.</summary>
    private static byte[][] InstanceTypes(int levels, bool hasResource = true) =>
    [
        hasResource ? [ComponentTypeByte.Instance, 1, 4, .. Extern("r"), 3, 1] : [ComponentTypeByte.Instance, 0],
        .. Enumerable.Range(0, levels).Select(i => (byte[])
            [ComponentTypeByte.Instance, 3, 2, 3, 2, 1, .. Number((uint)i), 4, .. Extern("a"), 5, 0, 4, .. Extern("b"), 5, 0]),
    ];

    [Fact]
    public void InstanceTypesHaveASize()
    {
        Assert.Contains("effective type size", Reason<InvalidModuleException>(Types(InstanceTypes(60, false))), StringComparison.Ordinal);
        // With resources each is made anew where it is exported.
        Assert.Contains("take too long", Reason<UnsupportedModuleException>(Types(InstanceTypes(60))), StringComparison.Ordinal);
        IsSoonValid(Types(InstanceTypes(13)));
    }

    [Fact]
    public void ComponentTypesHaveASize()
    {
        byte[][] types =
        [
            [ComponentTypeByte.Component, 0],
            .. Enumerable.Range(0, 60).Select(i => (byte[])
                [ComponentTypeByte.Component, 3, 2, 3, 2, 1, .. Number((uint)i), 3, .. Extern("a"), 4, 0, 4, .. Extern("b"), 4, 0]),
        ];
        Assert.Contains("effective type size", Reason<InvalidModuleException>(Types(types)), StringComparison.Ordinal);
    }

    /// <summary>Each import of a large type makes it anew, for other resources.</summary>
    [Fact]
    public void WorkHasAnEnd()
    {
        byte[][] imports = [.. Enumerable.Range(0, 20_000).Select(i => (byte[])[.. Extern($"i{i}"), 5, 13])];
        byte[] bytes = Of(Section(ComponentSectionId.Type, InstanceTypes(13)), Section(ComponentSectionId.Import, imports));
        Assert.Contains("take too long", Reason<UnsupportedModuleException>(bytes), StringComparison.Ordinal);
    }

    /// <summary>A component with many exports, of one resource, in many instances.</summary>
    [Fact]
    public void InstancesOfLargeComponentsHaveAnEnd()
    {
        byte[] inner = Of(
            Section(ComponentSectionId.Type, [ComponentTypeByte.Resource, TypeByte.I32, 0]),
            Section(ComponentSectionId.Export, [.. Enumerable.Range(0, 20_000).Select(i => (byte[])[.. Extern($"e{i}"), 3, 0, 0])]));
        byte[] bytes = Of(
            Whole(ComponentSectionId.Component, inner),
            Section(ComponentSectionId.Instance, [.. Enumerable.Repeat((byte[])[0, 0, 0], 100_000)]));
        Assert.Contains("take too long", Reason<UnsupportedModuleException>(bytes), StringComparison.Ordinal);
    }

    [Fact]
    public void InstancesOfLargeModulesHaveAnEnd()
    {
        string imports = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"(import \"m\" \"{i}\" (func))"));
        string exports = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"(export \"{i}\" (func 0))"));
        byte[] bytes = Of(
            Whole(ComponentSectionId.CoreModule, Wat.ToBinary($"(module {imports})")),
            Whole(ComponentSectionId.CoreModule, Wat.ToBinary($"(module (func) {exports})")),
            Section(ComponentSectionId.CoreInstance, [[0, 1, 0], .. Enumerable.Repeat((byte[])[0, 0, 1, .. Name("m"), 0x12, 0], 100_000)]));
        Assert.Contains("take too long", Reason<UnsupportedModuleException>(bytes), StringComparison.Ordinal);
    }

    /// <summary>Components in components and types in types, as many as there can be and more.</summary>
    [Theory]
    [InlineData(50, true)]
    [InlineData(99, true)]
    [InlineData(101, false)]
    [InlineData(2000, false)]
    public void NestingHasAnEnd(int levels, bool isFine)
    {
        byte[] component = Of(), types = [ComponentTypeByte.Component, 0];
        for (int i = 1; i < levels && component.Length < 20_000; i++)
        {
            component = Of(Whole(ComponentSectionId.Component, component));
            types = [ComponentTypeByte.Component, 1, 1, .. types];
        }
        foreach (byte[] bytes in (byte[][])[component, Of(Section(ComponentSectionId.Type, types))])
        {
            // A thread with little stack gets another one's.
            Exception? error = HostileInput.OnStack(256, () => Load(bytes));
            if (isFine) Assert.Null(error);
            else Assert.IsType<UnsupportedModuleException>(error);
        }
    }

    [Fact]
    public void DefinitionsHaveANumber()
    {
        byte[] many = [.. Number(1_000_001), .. Enumerable.Repeat((byte)CanonOp.TaskCancel, 1_000_001)];
        Assert.Contains("definitions in a component", Reason<UnsupportedModuleException>(Of(Whole(ComponentSectionId.Canon, many))), StringComparison.Ordinal);
    }

    /// <summary>Counts cost no more than the bytes that are there.</summary>
    [Fact]
    public void CountsAreNotBelieved()
    {
        byte[] count = [0xff, 0xff, 0xff, 0xff, 0x0f];
        foreach (byte form in (byte[])
                 [
                     ComponentTypeByte.Record, ComponentTypeByte.Variant, ComponentTypeByte.Tuple, ComponentTypeByte.Flags, ComponentTypeByte.Enum, ComponentTypeByte.Func,
                     ComponentTypeByte.Component, ComponentTypeByte.Instance,
                 ])
            Assert.Contains("unexpected end", Reason<MalformedModuleException>(Types([form, .. count])), StringComparison.Ordinal);
    }
}
