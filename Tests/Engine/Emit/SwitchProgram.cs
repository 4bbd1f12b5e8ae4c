using System.Globalization;
using System.Text;

namespace WasmJit.Tests;

/// <summary>
/// An interpreter as a C compiler would translate it: a loop round a br_table of many cases, each of which works on some of
/// the function's locals. The same is computed in C# for comparison.
/// </summary>
internal sealed class SwitchProgram(int cases, int locals, int steps)
{
    internal int Cases => cases;

    // Step s of case c: local d = local a (op) local b; every third step only where a is odd.
    private (int D, int A, int B, int Op) Step(int c, int s) =>
        ((c * 7 + s * 3) % locals, (c * 5 + s) % locals, (c + s * 11 + 1) % locals, (c + s) % 4);

    internal string Text()
    {
        var text = new StringBuilder("""
            (module (memory (export "m") 4)
            (func (export "run") (param $n i32) (result i64) (local $pc i32)
            """);
        for (int i = 0; i < locals; i++) text.Append(CultureInfo.InvariantCulture, $"(local $v{i} i64)");
        text.AppendLine();
        for (int i = 0; i < locals; i++) text.AppendLine(CultureInfo.InvariantCulture, $"i64.const {i * 77 + 1} local.set $v{i}");
        text.AppendLine("loop $top\nblock $done\nlocal.get $pc local.get $n i32.ge_u br_if $done");
        for (int i = cases - 1; i >= 0; i--) text.Append(CultureInfo.InvariantCulture, $"block $c{i} ");
        text.AppendLine("\nlocal.get $pc i32.const 1 i32.shl i32.load16_u");
        text.Append("local.get $pc i32.const 1 i32.add local.set $pc\nbr_table ");
        for (int i = 0; i < cases; i++) text.Append(CultureInfo.InvariantCulture, $"$c{i} ");
        text.AppendLine("$c0");
        for (int c = 0; c < cases; c++)
        {
            text.Append("end ");
            for (int s = 0; s < steps; s++)
            {
                (int d, int a, int b, int op) = Step(c, s);
                if (s % 3 == 2)
                    text.Append(CultureInfo.InvariantCulture, $"local.get $v{a} i64.const 1 i64.and i32.wrap_i64 if ");
                string name = op switch { 0 => "i64.add", 1 => "i64.sub", 2 => "i64.xor", _ => "i64.rotl" };
                text.Append(CultureInfo.InvariantCulture, $"local.get $v{a} local.get $v{b} {name} local.set $v{d}\n");
                if (s % 3 == 2) text.Append("end ");
            }
            text.AppendLine("br $top");
        }
        text.AppendLine("end end\ni64.const 0");
        for (int i = 0; i < locals; i++) text.Append(CultureInfo.InvariantCulture, $"local.get $v{i} i64.xor ");
        return text.Append("))").ToString();
    }

    internal long Expected(ReadOnlySpan<ushort> program)
    {
        var v = new long[locals];
        for (int i = 0; i < locals; i++) v[i] = i * 77 + 1;
        foreach (ushort c in program)
        {
            for (int s = 0; s < steps; s++)
            {
                (int d, int a, int b, int op) = Step(c, s);
                if (s % 3 == 2 && (v[a] & 1) == 0) continue;
                v[d] = op switch
                {
                    0 => v[a] + v[b],
                    1 => v[a] - v[b],
                    2 => v[a] ^ v[b],
                    _ => (long)System.Numerics.BitOperations.RotateLeft((ulong)v[a], (int)v[b]),
                };
            }
        }
        long all = 0;
        foreach (long value in v) all ^= value;
        return all;
    }
}
