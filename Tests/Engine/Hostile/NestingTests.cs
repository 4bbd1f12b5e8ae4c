using WasmJit.Jit.Format;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What goes down a level for each level of nesting in the input ends in an exception, a null or a trap, on any stack.</summary>
public sealed class NestingTests
{
    private static readonly byte[] Header = [0, (byte)'a', (byte)'s', (byte)'m', 1, 0, 0, 0];

    /// <summary>A module in a module, so many deep.</summary>
    private static byte[] Nested(int depth, byte[] innermost)
    {
        byte[] module = innermost;
        for (int i = 0; i < depth; i++)
        {
            byte[] item = [1, .. Leb(module.Length), .. module];
            module = [.. Header, 14, .. Leb(item.Length), .. item];
        }
        return module;
    }

    private static byte[] Leb(int value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7) bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return [.. bytes];
    }

    /// <summary>An instance type in another: each exports a global of a reference to the one inside.</summary>
    private static string NestedTypes(int depth, string word, string entity) =>
        "(type $t0 " + $"({word}))" + string.Concat(Enumerable.Range(1, depth).Select(i => $" (type $t{i} ({word} (export \"e\" {entity.Replace("#", $"$t{i - 1}", StringComparison.Ordinal)})))"));

    public static TheoryData<int, int> Stacks
    {
        get
        {
            var data = new TheoryData<int, int>();
            foreach (int kilobytes in new[] { 256, 1024, 1536 })
                foreach (int depth in new[] { 1, 50, 98, 100, 101, 2000 }) data.Add(kilobytes, depth);
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Stacks))]
    public void BrokenModulesInModules(int kilobytes, int depth)
    {
        byte[][] broken = [[.. Header, 17, 0], [.. Header[..4], 2, 0, 0, 0], [.. Header, 10, 1, 1], [], [.. Header, 1, 1, 0, 1, 1, 0]];
        foreach (byte[] innermost in broken)
        {
            Exception? thrown = HostileInput.OnStack(kilobytes, () => new Engine().Compile(Nested(depth, innermost)));
            if (depth <= 100) Assert.IsType<MalformedModuleException>(thrown);
            else Assert.IsType<InvalidModuleException>(thrown);
        }
        // Unknown type 0.
        Assert.IsType<InvalidModuleException>(HostileInput.OnStack(kilobytes, () => new Engine().Compile(Nested(depth, [.. Header, 3, 2, 1, 0]))));
    }

    [Theory]
    [InlineData(256)]
    [InlineData(1024)]
    [InlineData(1536)]
    public void ModulesInModules(int kilobytes) => Assert.Null(HostileInput.OnStack(kilobytes, () =>
    {
        Module module = new Engine().Compile(Nested(100, Header));
        module.Instantiate();
        byte[] printed = Wat.ToBinary(Wat.FromBinary(Nested(100, Header)));
        Assert.Equal(Nested(100, Header), printed);
    }));

    [Theory]
    [InlineData(256)]
    [InlineData(1024)]
    public void CompileAtTheEndOfTheStack(int kilobytes)
    {
        Module module = new Engine().Compile(HostileInput.Read("01-compile-overflow.wat"));
        Assert.True(HostileInput.OnStack(kilobytes, () =>
        {
            var f = module.Instantiate().GetExport<Action<int>>("f");
            // How deep the stack is when compile is reached.
            foreach (int depth in new[] { 0, 100, 1000, 2000, 3000, 5000, 8000, 15_000, 30_000, 60_000, 220_000 })
            {
                try
                {
                    f(depth);
                }
                catch (TrapException e)
                {
                    Assert.Equal(TrapKind.CallStackExhausted, e.Kind);
                }
            }
        }) is null);
    }

    [Theory]
    [InlineData(256)]
    [InlineData(1024)]
    [InlineData(1536)]
    public void TypesInTypes(int kilobytes)
    {
        foreach ((string word, string entity) in new[] { ("instance", "(global (ref #))"), ("module", "(module (type #))"), ("instance", "(instance (type #))") })
        {
            string Text(int depth) => $"(module {NestedTypes(depth, word, entity)})";
            Assert.Null(HostileInput.OnStack(kilobytes, () => new Engine().CompileText(Text(199))));
            Exception? thrown = HostileInput.OnStack(kilobytes, () => new Engine().CompileText(Text(5000)));
            Assert.Contains("type too deep", Assert.IsType<InvalidModuleException>(thrown).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(99, true)]
    [InlineData(150, false)]
    [InlineData(50_000, false)]
    public void TypesWrittenInsideTypes(int depth, bool isValid)
    {
        byte[] type = [TypeByte.Instance, 0];
        for (int i = 0; i < Math.Min(depth, 3000); i++) type = [TypeByte.Instance, 1, 1, .. type];
        byte[] content = [1, .. type];
        byte[] bytes = [.. Header, SectionId.Type, .. Leb(content.Length), .. content];
        foreach (int kilobytes in new[] { 256, 1024 })
        {
            Exception? thrown = HostileInput.OnStack(kilobytes, () => new Engine().Compile(bytes));
            if (isValid) Assert.Null(thrown);
            else Assert.IsType<InvalidModuleException>(thrown);
        }
    }

    /// <summary>A cast compares types by structure, wherever a guest asks for it.</summary>
    [Theory]
    [InlineData(256)]
    [InlineData(1024)]
    public void DeepTypesAreComparedAtTheEndOfTheStack(int kilobytes)
    {
        // Two chains of types that differ in the innermost alone; the answer is not known before.
        string a = NestedTypes(190, "instance", "(instance (type #))");
        string b = NestedTypes(190, "instance", "(instance (type #))").Replace("$t", "$u", StringComparison.Ordinal)
            .Replace("(type $u0 (instance))", "(type $u0 (instance (export \"x\" (global i32))))", StringComparison.Ordinal);
        Module module = new Engine().CompileText($"""
            (module {a} {b} (import "m" "i" (instance $i (type $u190)))
              (func $go (param i32) (result i32)
                (if (result i32) (local.get 0) (then (call $go (i32.sub (local.get 0) (i32.const 1))))
                  (else (ref.test (ref $t190) (ref.instance $i)))))
              (func (export "f") (param i32) (result i32) (call $go (local.get 0))))
            """);
        Module inner = new Engine().CompileText("(module (global (export \"x\") i32 (i32.const 1)))");
        Instance instance = inner.Instantiate();
        for (int i = 1; i <= 190; i++)
        {
            Module next = new Engine().CompileText($"(module {NestedTypes(i, "instance", "(instance (type #))").Replace("(type $t0 (instance))", "(type $t0 (instance (export \"x\" (global i32))))", StringComparison.Ordinal)} (import \"i\" \"i\" (instance $i (type $t{i - 1}))) (export \"e\" (instance $i)))");
            instance = next.Instantiate(new Imports { { "i", "i", instance } });
        }
        Assert.Null(HostileInput.OnStack(kilobytes, () =>
        {
            var f = module.Instantiate(new Imports { { "m", "i", instance } }).GetExport<Func<int, int>>("f");
            foreach (int depth in new[] { 100_000, 30_000, 10_000, 3000, 2500, 2000, 1500, 1000, 0 })
            {
                try
                {
                    Assert.Equal(1, f(depth));
                }
                catch (TrapException e)
                {
                    Assert.Equal(TrapKind.CallStackExhausted, e.Kind);
                }
            }
        }));
    }

    [Theory]
    [InlineData("(module (func ", "(block ", ")", "))")]
    [InlineData("(module (func ", "(if (i32.const 1) (then ", "))", "))")]
    [InlineData("(module (func (result i32) ", "(i32.eqz ", ")", "(i32.const 1)))")]
    [InlineData("(module ", "(module ", ")", ")")]
    [InlineData("(module (type ", "(instance (type ", "))", "))")]
    [InlineData("(module (func (param ", "(ref (func (param ", ")))", ")))")]
    [InlineData("(module (type (struct (field ", "(ref (struct (field ", ")))", "))))")]
    [InlineData("(module (import \"m\" \"i\" ", "(instance (export \"e\" ", "))", "))")]
    [InlineData("(module (data ", "(module (data ", "))", "))")]
    [InlineData("(module (; ", "(; ", ";)", ";))")]
    [InlineData("(module (@a ", "(", ")", "))")]
    [InlineData("(module (func (@x ", "(@y ", ")", ")))")]
    public void TextInText(string open, string more, string close, string end)
    {
        foreach (int kilobytes in new[] { 256, 1024 })
            foreach (int depth in new[] { 90, 100_000 })
            {
                string text = open + string.Concat(Enumerable.Repeat(more, depth)) + string.Concat(Enumerable.Repeat(close, depth)) + end;
                Exception? thrown = HostileInput.OnStack(kilobytes, () => Wat.ToBinary(text));
                Assert.True(thrown is null or WatException, $"{thrown}");
            }
    }

    [Fact]
    public void DeepBlocksArePrinted()
    {
        const int depth = 100_000;
        byte[] body = [0, .. Enumerable.Repeat((byte[])[Opcode.Block, TypeByte.EmptyBlock], depth).SelectMany(b => b), .. Enumerable.Repeat(Opcode.End, depth), Opcode.End];
        byte[] code = [1, .. Leb(body.Length), .. body];
        byte[] bytes = [.. Header, SectionId.Type, 4, 1, TypeByte.Func, 0, 0, SectionId.Function, 2, 1, 0, SectionId.Code, .. Leb(code.Length), .. code];
        Assert.Null(HostileInput.OnStack(256, () =>
        {
            new Engine().Compile(bytes);
            Assert.Contains("block", Wat.FromBinary(bytes), StringComparison.Ordinal);
        }));
    }

    // ---- a section out of order ----

    [Theory]
    // Imports before the types that they name.
    [InlineData("02 07 01 01 61 01 62 00 00 01 04 01 60 00 00")]
    // A function of an unknown type, then types.
    [InlineData("03 02 01 00 01 04 01 60 00 00")]
    // An invalid type, then tables before types.
    [InlineData("01 06 01 50 01 05 60 00 00 04 04 01 70 00 00 01 01 00")]
    // An invalid limit, and two sections of memories.
    [InlineData("05 04 01 01 02 01 05 03 01 00 00")]
    // An unknown export, behind which the code comes before the functions.
    [InlineData("05 04 01 01 02 01 0a 01 00 03 01 00")]
    public void ASectionOutOfOrderIsMalformed(string sections)
    {
        byte[] bytes = [.. Header, .. Convert.FromHexString(sections.Replace(" ", "", StringComparison.Ordinal))];
        Assert.Throws<MalformedModuleException>(() => new Engine().Compile(bytes));
        byte[] item = [1, .. Leb(bytes.Length), .. bytes];
        Assert.ThrowsAny<ModuleException>(() => new Engine().Compile([.. Header, 14, .. Leb(item.Length), .. item]));
    }

    [Fact]
    public void InOrderItIsInvalid() =>
        Assert.Throws<InvalidModuleException>(() => new Engine().Compile([.. Header, 2, 7, 1, 1, (byte)'a', 1, (byte)'b', 0, 0]));
}
