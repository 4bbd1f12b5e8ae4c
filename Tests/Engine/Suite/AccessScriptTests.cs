using System.Text;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// The scripts Tests/Conformance/access-rows*.wast are what the operator table says: each row with a memarg, through a memory
/// reference and through a slice. A new row is missing in them until WASMJIT_UPDATE_GOLDEN=1 has written them anew.
/// </summary>
public sealed class AccessScriptTests
{
    private const int Size = 65536;

    [Theory]
    [InlineData("access-rows.wast", "i32")]
    [InlineData("access-rows-64.wast", "i64")]
    public void HaveEveryRow(string file, string address)
    {
        string path = Golden.InRepository("Tests/Conformance/" + file), text = new Script(address).Write();
        if (Environment.GetEnvironmentVariable("WASMJIT_UPDATE_GOLDEN") == "1") File.WriteAllText(path, text);
        Assert.True(File.ReadAllText(path) == text, $"{file} is not what the operator table says; WASMJIT_UPDATE_GOLDEN=1 writes it");
    }

    private sealed class Script(string address)
    {
        private readonly StringBuilder text = new();

        internal string Write()
        {
            // Waiting needs a shared memory: threads-references.wast.
            Operator[] rows = [.. OperatorTable.All.Where(op => op.MemArg is not null && !op.Mnemonic.Contains(".wait", StringComparison.Ordinal))];
            string memory = address == "i64" ? "(memory i64 1)" : "(memory 1)";
            string own = memory[..^1].Replace("(memory", "(memory $NAME", StringComparison.Ordinal) + ")";
            text.Append($"""
                ;; Every load, store, vector and atomic operator through a memory reference and through a slice, for {address} addresses: it does
                ;; what the operator does on a memory itself ("own"), at the first address, at one that is not aligned, and at the last at which
                ;; it fits; one beyond that, null, and a read-only slice trap. Written from the operator table by AccessScriptTests.

                (module
                  (type $m {memory})
                  {own.Replace("NAME", "m", StringComparison.Ordinal)}
                  {own.Replace("NAME", "r", StringComparison.Ordinal)}
                  (data $fill "\01\82\03\84\05\86\07\88\09\8a\0b\8c\0d\8e\0f\90")
                  (func $reset
                    (memory.fill $m ({address}.const 0) (i32.const 0) ({address}.const {Size}))
                    (memory.init $m $fill ({address}.const 0) (i32.const 0) (i32.const 16))
                    (memory.init $m $fill ({address}.const {Size - 16}) (i32.const 0) (i32.const 16))
                    (memory.copy $r $m ({address}.const 0) ({address}.const 0) ({address}.const {Size})))
                  ;; Whether both memories hold the same, where anything was written: what one form stored, the other stored.
                  (func $half (param $i {address}) (result i32) (local $end {address})
                    (local.set $end ({address}.add (local.get $i) ({address}.const 64)))
                    (loop $next
                      (if (i64.ne (i64.load $m (local.get $i)) (i64.load $r (local.get $i))) (then (return (i32.const 0))))
                      (local.set $i ({address}.add (local.get $i) ({address}.const 8)))
                      (br_if $next ({address}.lt_u (local.get $i) (local.get $end))))
                    (i32.const 1))
                  (func $same (result i32)
                    (i32.and (call $half ({address}.const 0)) (call $half ({address}.const {Size - 64}))))
                  (func $whole (result (ref slice)) (slice.new $m ({address}.const 0) ({address}.const {Size})))
                  (func $window (result (ref slice)) (slice.new $m ({address}.const 32) ({address}.const 32)))

                """.ReplaceLineEndings("\n"));
            foreach (Operator op in rows) Functions(op);
            text.Append(")\n");
            foreach (Operator op in rows) Assertions(op);
            return text.ToString();
        }

        private static string Constant(ValType type, bool isLast) => type.Kind switch
        {
            ValKind.I32 => isLast ? "(i32.const 0x91a2b3c4)" : "(i32.const 0x84038201)",
            ValKind.I64 => isLast ? "(i64.const 0x91a2b3c4d5e6f708)" : "(i64.const 0x8807860584038201)",
            ValKind.F32 => "(f32.const 1.5)",
            ValKind.F64 => "(f64.const -2.5)",
            _ => "(v128.const i64x2 0x1122334455667788 0x99aabbccddeeff00)",
        };

        /// <summary>The instruction: what stands behind the mnemonic, and the operands up to the address.</summary>
        private static string Access(Operator op, string form, string operands)
        {
            string lane = op.HasLane ? " 1" : "";
            string values = string.Concat(Enumerable.Range(1, op.Params.Length - 1).Select(i => " " + Constant(op.Params[i], i == op.Params.Length - 1)));
            return $"({op.Mnemonic} {form}{lane} {operands}{values})";
        }

        private static string Equal(ValType type, string a, string b) => type.Kind switch
        {
            ValKind.F32 => $"(i32.eq (i32.reinterpret_f32 {a}) (i32.reinterpret_f32 {b}))",
            ValKind.F64 => $"(i64.eq (i64.reinterpret_f64 {a}) (i64.reinterpret_f64 {b}))",
            ValKind.V128 => $"(i8x16.all_true (i8x16.eq {a} {b}))",
            _ => $"({type}.eq {a} {b})",
        };

        private void Functions(Operator op)
        {
            string n = op.Mnemonic, local = "(local.get $a)";
            string offset = address == "i64" ? local : $"(i64.extend_i32_u {local})";
            bool gives = op.Results.Length > 0;
            string result = gives ? $" (result {op.Results[0]})" : "";
            string Drop(string access) => gives ? $"(drop {access})" : access;
            text.Append($"  (func $own:{n} (param $a {address}){result} {Access(op, "$r", local)})\n");
            text.Append($"  (func $ref:{n} (param $a {address}){result} {Access(op, "(ref $m)", $"(ref.memory $m) {local}")})\n");
            text.Append($"""
                  (func $local:{n} (param $a {address}){result} (local $r (ref null $m))
                    (local.set $r (ref.memory $m)) {Access(op, "(ref $m)", $"(local.get $r) {local}")})
                  (func $slice:{n} (param $a {address}){result} (local $s (ref null slice))
                    (local.set $s (call $whole)) {Access(op, "(ref slice)", $"(local.get $s) {offset}")})

                """.ReplaceLineEndings("\n"));
            foreach (string form in new[] { "ref", "local", "slice" })
            {
                string mine = $"(call ${form}:{n} (local.get $a))", own = $"(call $own:{n} (local.get $a))";
                string compare = gives ? $"(i32.and {Equal(op.Results[0], mine, own)} (call $same))" : $"{mine} {own} (call $same)";
                text.Append($"  (func (export \"{n} {form}\") (param $a {address}) (result i32) (call $reset) {compare})\n");
            }
            string zero = $"({address}.const 0)";
            Export($"{n} null", Drop(Access(op, "(ref $m)", $"(ref.null $m) {zero}")));
            Export($"{n} null slice", Drop(Access(op, "(ref slice)", "(ref.null slice) (i64.const 0)")));
            Export($"{n} at\") (param $a {address}", Drop(Access(op, "(ref $m)", $"(ref.memory $m) {local}")));
            Export($"{n} in window\") (param $a i64", Drop(Access(op, "(ref slice)", $"(call $window) {local}")));
            Export($"{n} read-only", Drop(Access(op, "(ref slice)", "(slice.readonly (call $window)) (i64.const 0)")));
        }

        private void Export(string name, string body)
        {
            string close = name.Contains('"', StringComparison.Ordinal) ? ")" : "\")";
            text.Append($"  (func (export \"{name}{close} {body})\n");
        }

        private void Assertions(Operator op)
        {
            string n = op.Mnemonic;
            int width = 1 << op.MemArg!.Value.Number;
            bool isAtomic = op.Prefix == OperatorPrefix.Atomic, isNotify = n.EndsWith("notify", StringComparison.Ordinal);
            bool writes = !isNotify && (op.Results.Length == 0 || (isAtomic && op.Params.Length > 1));
            // An atomic access beyond the end is aligned, so that the end is what traps.
            int beyond = isAtomic ? Size : Size - width + 1, beyondWindow = isAtomic ? 32 : 33 - width;
            foreach (int at in new[] { 0, isAtomic ? 8 : 1, Size - width })
                foreach (string form in new[] { "ref", "local", "slice" }) Line($"(assert_return (invoke \"{n} {form}\" ({address}.const {at})) (i32.const 1))");
            Line($"(assert_trap (invoke \"{n} null\") \"null memory reference\")");
            Line($"(assert_trap (invoke \"{n} null slice\") \"null slice reference\")");
            foreach (int at in new[] { beyond, -width }) Line($"(assert_trap (invoke \"{n} at\" ({address}.const {at})) \"out of bounds memory access\")");
            if (isAtomic && width > 1)
            {
                Line($"(assert_trap (invoke \"{n} at\" ({address}.const 1)) \"unaligned atomic\")");
                Line($"(assert_trap (invoke \"{n} in window\" (i64.const 1)) \"unaligned atomic\")");
            }
            Line($"(assert_return (invoke \"{n} in window\" (i64.const {32 - width})))");
            foreach (int at in new[] { beyondWindow, -width })
                Line($"(assert_trap (invoke \"{n} in window\" (i64.const {at})) \"out of bounds slice access\")");
            Line(writes ? $"(assert_trap (invoke \"{n} read-only\") \"read-only slice\")" : $"(assert_return (invoke \"{n} read-only\"))");
        }

        private void Line(string line) => text.Append(line).Append('\n');
    }
}
