using System.Globalization;

namespace WasmJit.Tests;

/// <summary>
/// The ways on which a number can reach an operator: as a literal, through a local, out of a block, from memory and so on. RyuJIT
/// knows the number on some of them, and folds; the operator must give the same on all.
/// </summary>
internal static class FloatSource
{
    /// <summary>Names of the ways. The place of a way is its number.</summary>
    internal static readonly string[] Ways =
    [
        "literal", "local", "default", "select", "select by parameter", "block", "br_if", "reinterpret", "reinterpret local", "identity",
        "constant function", "parameter", "memory", "global", "struct", "if equal", "converted", "converted local", "sum", "twice negated",
        "lane", "lane of local", "loop", "two results", "if", "tee", "lane of splat", "exception", "if equal as float", "default in an arm", "default struct", "array",
    ];

    /// <summary>Declarations that the ways need. Locals 10 to 14 of a function are i32, i64, f32, f64 and v128; 15 to 19 again.</summary>
    internal const string Fields =
        """
        (memory 1)
        (type $s32 (struct (field (mut f32)))) (type $s64 (struct (field (mut f64))))
        (type $a32 (array (mut f32))) (type $a64 (array (mut f64)))
        (global $g32 (mut f32) (f32.const 3)) (global $g64 (mut f64) (f64.const 3))
        (tag $t32 (param f32)) (tag $t64 (param f64))
        (func $id32 (param f32) (result f32) local.get 0)
        (func $id64 (param f64) (result f64) local.get 0)
        (func $two32 (param f32) (result f32 f32) local.get 0 local.get 0)
        (func $two64 (param f64) (result f64 f64) local.get 0 local.get 0)

        """;

    /// <summary>Locals of each function that uses ways, behind its ten parameters.</summary>
    internal const string Locals = "(local i32 i64 f32 f64 v128 i32 i64 f32 f64 v128)";

    /// <summary>
    /// Instructions that leave a number of type f32 or f64 with these bits on the stack; null where the way does not lead to it.
    /// </summary>
    /// <param name="way">A number of <see cref="Ways"/>.</param>
    /// <param name="is32">Whether it is an f32.</param>
    /// <param name="bits">The number.</param>
    /// <param name="side">0 or 1: which locals are used.</param>
    /// <param name="functions">Takes functions that the way needs.</param>
    /// <remarks>Parameter <paramref name="side"/> is expected to be the number's bits as an i64, and parameter 2 to be 1.</remarks>
    internal static string? Instructions(int way, bool is32, ulong bits, int side, List<string> functions)
    {
        ValType type = is32 ? ValType.F32 : ValType.F64;
        string t = is32 ? "f32" : "f64", i = is32 ? "i32" : "i64", n = is32 ? "32" : "64";
        string literal = ScalarOperatorTests.Constant(type, bits), other = ScalarOperatorTests.Constant(type, is32 ? 0x40e00000u : 0x401c000000000000u);
        int first = 10 + (side * 5), whole = first + (is32 ? 0 : 1), number = first + (is32 ? 2 : 3), vector = first + 4;
        string integer = $"{i}.const {bits.ToString(CultureInfo.InvariantCulture)}", reinterpret = $"{t}.reinterpret_{i}";
        string parameter = $"local.get {side} {ScalarOperatorTests.FromBits(type)}";
        double value = is32 ? BitConverter.UInt32BitsToSingle((uint)bits) : BitConverter.UInt64BitsToDouble(bits);
        string half = is32 ? ((ulong)(uint)bits << 32 | (uint)bits).ToString(CultureInfo.InvariantCulture) : bits.ToString(CultureInfo.InvariantCulture);
        string constantVector = $"v128.const i64x2 {half} {half}", shape = is32 ? "f32x4" : "f64x2";
        bool isWhole = value is >= -4 and <= 4 && Math.Floor(value) == value && !(value == 0 && double.IsNegative(value));
        switch (Ways[way])
        {
            case "literal": return literal;
            case "local": return $"{literal} local.set {number} local.get {number}";
            case "tee": return $"{literal} local.tee {number}";
            case "default": return bits == 0 ? $"local.get {number}" : null;
            case "select": return $"{literal} {other} i32.const 1 select";
            case "select by parameter": return $"{literal} {literal} local.get 2 i32.wrap_i64 select";
            case "block": return $"(block (result {t}) {literal})";
            case "br_if": return $"(block (result {t}) {literal} i32.const 1 br_if 0 drop {other})";
            case "if": return $"(if (result {t}) (i32.wrap_i64 (local.get 2)) (then {literal}) (else {literal}))";
            case "reinterpret": return $"{integer} {reinterpret}";
            case "reinterpret local": return $"{integer} local.set {whole} local.get {whole} {reinterpret}";
            case "identity": return $"{literal} call $id{n}";
            case "constant function":
                functions.Add($"(func $c{functions.Count} (result {t}) {literal})");
                return $"call $c{functions.Count - 1}";
            case "parameter": return parameter;
            case "memory": return $"i32.const {side * 8} {literal} {t}.store i32.const {side * 8} {t}.load";
            case "global": return $"{literal} global.set $g{n} global.get $g{n}";
            case "struct": return $"{literal} struct.new $s{n} struct.get $s{n} 0";
            case "if equal":
                return $"{parameter} local.set {number} (if (result {t}) ({i}.eq ({i}.reinterpret_{t} (local.get {number})) ({integer})) "
                    + $"(then local.get {number}) (else {other}))";
            case "converted": return isWhole ? $"i32.const {(int)value} {t}.convert_i32_s" : null;
            case "converted local": return isWhole ? $"i64.const {(long)value} local.set {first + 1} local.get {first + 1} {t}.convert_i64_s" : null;
            case "sum":
                return double.IsFinite(value) && Math.Abs(value) is > 1e-30 and < 1e30
                    ? $"{Half(type, value)} {Half(type, value)} {t}.add" : null;
            case "twice negated": return $"{literal} {t}.neg {t}.neg";
            case "lane": return $"{constantVector} {shape}.extract_lane 1";
            case "lane of local": return $"{constantVector} local.set {vector} local.get {vector} {shape}.extract_lane 1";
            case "lane of splat": return $"{literal} {shape}.splat {shape}.extract_lane 1";
            case "loop":
                return $"{literal} local.set {number} i32.const 3 local.set {first} (loop (br_if 0 (local.tee {first} (i32.sub (local.get {first}) (i32.const 1))))) local.get {number}";
            case "two results": return $"{literal} call $two{n} drop";
            case "exception": return $"(block (result {t}) (try_table (catch $t{n} 0) {literal} throw $t{n}) unreachable)";
            case "if equal as float":
                return double.IsNaN(value) ? null : $"{parameter} local.set {number} (if (result {t}) ({t}.eq (local.get {number}) ({literal})) "
                    + $"(then local.get {number}) (else {other}))";
            case "default in an arm": return bits == 0 ? $"(if (i32.const 0) (then (local.set {number} ({other})))) local.get {number}" : null;
            case "default struct": return bits == 0 ? $"struct.new_default $s{n} struct.get $s{n} 0" : null;
            case "array": return $"{literal} i32.const 2 array.new $a{n} i32.const 1 array.get $a{n}";
            default: throw new InvalidOperationException(Ways[way]);
        }
    }

    private static string Half(ValType type, double value) => ScalarOperatorTests.Constant(
        type, type.Kind == ValKind.F32 ? BitConverter.SingleToUInt32Bits((float)(value / 2)) : BitConverter.DoubleToUInt64Bits(value / 2));
}
