using System.Globalization;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The text format is the same under every culture.</summary>
public sealed class CultureTests
{
    /// <summary>A minus that is not ASCII's, as the Swedish and others have it, and digits that are grouped otherwise.</summary>
    private static CultureInfo Foreign()
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NegativeSign = "\u2212";
        culture.NumberFormat.NumberDecimalSeparator = ",";
        culture.NumberFormat.PositiveInfinitySymbol = "oändligt";
        return culture;
    }

    private static T Under<T>(CultureInfo culture, Func<T> action)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        CultureInfo.CurrentCulture = culture;
        try
        {
            return action();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void NumbersArePrintedAndReadAlike()
    {
        byte[] module = Wat.ToBinary("""
            (module
              (memory 1 2) (global i32 (i32.const -7)) (data (i32.const -3) "x")
              (func (param i64) (result f64)
                (drop (i32.const -1)) (drop (i64.const -9223372036854775808)) (drop (f32.const -0.5)) (drop (f64.const inf))
                (drop (i64.load offset=4294967295 align=1 (i32.const -2)))
                (drop (v128.const f64x2 -1.5 -inf)) (f64.const -1e-300)))
            """);
        string plain = Wat.FromBinary(module), foreign = Under(Foreign(), () => Wat.FromBinary(module));
        Assert.Equal(plain, foreign);
        Assert.Equal(module, Under(Foreign(), () => Wat.ToBinary(foreign)));
    }

    [Fact]
    public void OperatorsDoNotDependOnIt()
    {
        // Helpers are found by names with numbers in them.
        Instance instance = Under(Foreign(), () => new Engine().CompileText("""
            (module (type $a (array (mut i64)))
              (func (export "copy") (result i64) (local $x (ref null $a))
                (local.set $x (array.new $a (i64.const -5) (i32.const 2)))
                (array.copy $a $a (local.get $x) (i32.const 0) (local.get $x) (i32.const 1) (i32.const 1))
                (array.get $a (local.get $x) (i32.const 0))))
            """).Instantiate());
        Assert.Equal(-5, Under(Foreign(), () => instance.GetExport<Func<long>>("copy")()));
    }
}
