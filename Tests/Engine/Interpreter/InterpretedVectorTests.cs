using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;
using WasmJit.Runtime;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Operators that the interpreter knows by their codes are those of the table.</summary>
public sealed class InterpretedVectorTests
{
    private static Operator[] PlainOf(byte prefix) => [.. OperatorTable.All.Where(op => op.Prefix == prefix && op.Group == OpGroup.Plain)];

    /// <summary>A mnemonic as C# writes a name.</summary>
    private static string NameOf(string mnemonic) => string.Concat(mnemonic.Split('.', '_').Select(word => char.ToUpperInvariant(word[0]) + word[1..]));

    [Fact]
    public void VectorsHaveTheNamesOfTheirRows()
    {
        Operator[] rows = PlainOf(OperatorPrefix.Vector);
        Assert.Equal(rows.Select(op => (NameOf(op.Mnemonic), (int)op.Code)).Order(), Enum.GetValues<VectorOp>().Select(op => (op.ToString(), (int)op)).Order());
        Assert.True(rows.Length > 250);
    }

    [Fact]
    public void AtomicOperatorsHaveTheNamesOfTheirMethods()
    {
        Operator[] rows = PlainOf(OperatorPrefix.Atomic);
        Assert.Equal(rows.Select(op => (Emission.Of(op).Method!.Name, (int)op.Code)).Order(), Enum.GetValues<AtomicOp>().Select(op => (op.ToString(), (int)op)).Order());
        Assert.True(rows.Length > 60);
    }
}
