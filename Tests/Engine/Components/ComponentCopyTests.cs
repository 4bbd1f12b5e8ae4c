using WasmJit.Components;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Compiled copies between components beside those of the host, which go from type to type: the same values come out.</summary>
public sealed class ComponentCopyTests
{
    private static readonly Engine Engine = new();

    private static readonly string[] Encodings = ["utf8", "utf16", "latin1+utf16"];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void RandomValuesComeBack(int seed)
    {
        var random = new Random(seed);
        var values = new RandomValues(random);
        for (int i = 0; i < 40; i++)
        {
            (string type, Func<ComponentValue> make) = values.Type(random.Next(5));
            string text = EchoComponent.Text(type, Encodings[random.Next(3)], Encodings[random.Next(3)]);
            using ComponentInstance instance = EchoComponent.Instantiate(Engine, text);
            ExportedFunction function = instance.GetFunction("f");
            for (int n = 0; n < 12; n++)
            {
                ComponentValue value = EchoComponent.Pad(make());
                Assert.True(value == function.Call(value), $"seed {seed}, type {i}: {type}: {value} came back as {function.Call(value)}");
            }
        }
    }

    /// <summary>What a guest returns is bytes of its own choice: a trap or a value, whatever they are, and nothing else.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void GarbageTrapsOrIsAValue(int seed)
    {
        var random = new Random(seed);
        var values = new RandomValues(random);
        int traps = 0, fine = 0;
        for (int i = 0; i < 60; i++)
        {
            (string type, Func<ComponentValue> make) = values.Type(random.Next(1, 4));
            byte[] bytes = new byte[2048];
            random.NextBytes(bytes);
            // Small numbers make more of it valid.
            for (int at = 0; at < bytes.Length; at++)
                if (random.Next(4) != 0) bytes[at] = (byte)random.Next(2);
            string data = string.Concat(bytes.Select(b => $"\\{b:x2}"));
            string text = EchoComponent.Text(type, Encodings[random.Next(3)], Encodings[random.Next(3)])
                .Replace("(func (export \"f\") (param i32) (result i32) (local.get 0))", $"(data (i32.const 0) \"{data}\") (func (export \"f\") (param i32) (result i32) (i32.const {8 * random.Next(32)}))", StringComparison.Ordinal);
            using ComponentInstance instance = EchoComponent.Instantiate(Engine, text);
            try
            {
                instance.GetFunction("f").Call(EchoComponent.Pad(make()));
                fine++;
            }
            catch (TrapException e)
            {
                Assert.Equal(TrapKind.ComponentModel, e.Kind);
                traps++;
            }
        }
        Assert.True(traps > 5 && fine > 5, $"{traps} traps, {fine} values");
    }

    /// <summary>Types that use others twice at each level: the code is as long as the definitions.</summary>
    [Fact]
    public void TypesThatDoubleMakeLittleCode()
    {
        var types = new System.Text.StringBuilder("(type $t0 (tuple u8 string)) ");
        for (int i = 1; i <= 13; i++) types.Append($"(type $t{i} (tuple $t{i - 1} $t{i - 1})) ");
        string text = EchoComponent.Text("u8", "utf8", "utf16").Replace($"(type $t {EchoComponent.Padded("u8")})", $"{types}(type $t (tuple $t13 $t13))", StringComparison.Ordinal);
        using ComponentInstance instance = EchoComponent.Instantiate(Engine, text.Replace("(i32.const 4096)", "(i32.const 400000)", StringComparison.Ordinal));
        ComponentValue value = ComponentValue.Tuple(ComponentValue.From((byte)1), ComponentValue.From("x"));
        for (int i = 1; i <= 14; i++) value = ComponentValue.Tuple(value, value);
        ComponentValue back = instance.GetFunction("f").Call(value);
        Assert.Equal(ComponentValueKind.Tuple, back.Kind);
        Assert.True(value == back);
        var shape = new TypeShape([((FunctionType)instance.Type.Exports[0].Type.Type).Result]);
        Assert.True(shape.Key.Length < 200, shape.Key);
    }
}
