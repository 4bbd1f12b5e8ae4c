using WasmJit.Jit.Operators;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Traits of operators that follow from the specification, by lists that are kept apart from the table.</summary>
public sealed class OperatorTraitTests
{
    /// <summary>The operators that have a trait, by the trait.</summary>
    private static readonly Dictionary<OpTraits, string[]> Lists = new()
    {
        [OpTraits.Opens] = ["block", "loop", "if", "try", "try_table"],
        [OpTraits.Divides] = ["else", "catch", "catch_all"],
        [OpTraits.Closes] = ["end", "delegate"],
        [OpTraits.Loops] = ["loop"],
        [OpTraits.Handles] = ["try", "try_table", "catch", "catch_all", "delegate"],
        [OpTraits.Branches] = ["br", "br_if", "br_table", "return", "br_on_null", "br_on_non_null", "br_on_cast", "br_on_cast_fail", "br_on_cast_desc_eq", "br_on_cast_desc_eq_fail"],
        [OpTraits.Ends] = ["unreachable", "br", "br_table", "return", "throw", "throw_ref", "rethrow", "return_call", "return_call_indirect", "return_call_ref", "return_call_export"],
        [OpTraits.Throws] = ["throw", "throw_ref", "rethrow"],
        [OpTraits.Calls] = ["call", "call_indirect", "call_ref", "call_export", "call_indirect_ref", "return_call", "return_call_indirect",
            "return_call_ref", "return_call_export", "instantiate", "instantiate_null", "instantiate_module"],
        [OpTraits.Constant] = ["i32.const", "i64.const", "f32.const", "f64.const", "v128.const", "ref.null", "ref.func", "global.get", "end",
            "i32.add", "i32.sub", "i32.mul", "i64.add", "i64.sub", "i64.mul", "struct.new", "struct.new_default", "struct.new_desc",
            "struct.new_default_desc", "array.new", "array.new_default", "array.new_fixed", "ref.i31", "any.convert_extern",
            "extern.convert_any", "ref.module", "ref.instance", "ref.memory", "ref.table", "ref.global", "ref.tag"],
        [OpTraits.ReadsTable] = ["table.get", "table.get_ref", "table.size", "table.size_ref", "table.grow", "table.grow_ref", "table.copy",
            "table.copy_ref", "call_indirect", "call_indirect_ref", "return_call_indirect"],
        [OpTraits.WritesTable] = ["table.set", "table.set_ref", "table.grow", "table.grow_ref", "table.fill", "table.fill_ref", "table.copy",
            "table.copy_ref", "table.init", "table.init_ref"],
        [OpTraits.ReadsGlobal] = ["global.get", "global.get_ref"],
        [OpTraits.WritesGlobal] = ["global.set", "global.set_ref"],
        [OpTraits.ReadsLocal] = ["local.get"],
        [OpTraits.WritesLocal] = ["local.set", "local.tee"],
        [OpTraits.ReadsField] = ["struct.get", "struct.get_s", "struct.get_u"],
        [OpTraits.WritesField] = ["struct.set"],
        [OpTraits.ReadsElement] = ["array.get", "array.get_s", "array.get_u", "array.copy"],
        [OpTraits.WritesElement] = ["array.set", "array.fill", "array.copy", "array.init_data", "array.init_elem"],
        [OpTraits.Signed] = ["struct.get_s", "array.get_s", "i31.get_s", "i8x16.extract_lane_s", "i16x8.extract_lane_s"],
        [OpTraits.Unsigned] = ["struct.get_u", "array.get_u", "i31.get_u", "i8x16.extract_lane_u", "i16x8.extract_lane_u"],
    };

    /// <summary>Operators that access memory, other than loads, stores and atomics, which say it in their names.</summary>
    private static readonly string[] ReadMemory = ["memory.size", "memory.size_ref", "memory.grow", "memory.grow_ref", "memory.copy", "memory.copy_ref",
        "slice.new", "slice.new_ref", "slice.copy", "compile", "compile_null", "func.new", "func.new_null", "func.new_named", "func.new_named_null",
        "get_export_null"];

    private static readonly string[] WriteMemory = ["memory.grow", "memory.grow_ref", "memory.copy", "memory.copy_ref", "memory.fill", "memory.fill_ref",
        "memory.init", "memory.init_ref", "slice.copy", "slice.fill"];

    /// <summary>Words that end as forms do, and are operators of their own.</summary>
    private static readonly string[] NotForms = ["call_ref", "return_call_ref", "throw_ref"];

    /// <summary>What an operator must be, by its mnemonic and the specification.</summary>
    private sealed record Expected(OpTraits Traits, Operation Operation, LaneShape Lanes, OpForm Form);

    private static Expected For(string name)
    {
        var traits = OpTraits.None;
        foreach ((OpTraits trait, string[] names) in Lists)
            if (names.Contains(name)) traits |= trait;
        string last = name[(name.IndexOf('.', StringComparison.Ordinal) + 1)..];
        bool atomic = name.Contains("atomic", StringComparison.Ordinal);
        bool loads = last.StartsWith("load", StringComparison.Ordinal), stores = last.StartsWith("store", StringComparison.Ordinal);
        bool modifies = atomic && last.Contains("rmw", StringComparison.Ordinal), waits = name.StartsWith("memory.atomic", StringComparison.Ordinal);
        loads |= atomic && last.Contains("load", StringComparison.Ordinal);
        stores |= atomic && last.Contains("store", StringComparison.Ordinal);
        if (loads || modifies || waits || ReadMemory.Contains(name)) traits |= OpTraits.ReadsMemory;
        if (stores || modifies || WriteMemory.Contains(name)) traits |= OpTraits.WritesMemory;
        if (atomic) traits |= OpTraits.Atomic;
        if (last.Contains("_low_", StringComparison.Ordinal)) traits |= OpTraits.ReadsLow;
        LaneShape lanes = Enum.GetValues<LaneShape>().FirstOrDefault(
            shape => shape != LaneShape.None && name.StartsWith($"{shape}.", StringComparison.OrdinalIgnoreCase) && name != "i8x16.shuffle");
        bool isUnsigned = lanes != LaneShape.None && last.EndsWith("_u", StringComparison.Ordinal) && !last.StartsWith("extract", StringComparison.Ordinal);
        if ((isUnsigned && !last.Contains("_low_", StringComparison.Ordinal)) || (lanes != LaneShape.None && last == "mul")
            || name is "v128.and" or "v128.or" or "v128.andnot" or "v128.bitselect")
            traits |= OpTraits.Absorbs;
        // Floats of another width are taken as what they were.
        if (last.StartsWith("demote_f64x2", StringComparison.Ordinal)) lanes = LaneShape.F64x2;
        if (last.StartsWith("promote_low_f32x4", StringComparison.Ordinal)) lanes = LaneShape.F32x4;
        bool isNumeric = lanes != LaneShape.None || name.Split('.')[0] is "i32" or "i64" or "f32" or "f64";
        return new Expected(traits, isNumeric ? OperationOf(last, lanes) : Operation.None, lanes, FormOf(name));
    }

    private static Operation OperationOf(string word, LaneShape lanes) => word switch
    {
        "add" => Operation.Add,
        "sub" => Operation.Sub,
        "mul" => Operation.Mul,
        "div" or "div_s" or "div_u" => Operation.Div,
        "rem_s" or "rem_u" => Operation.Rem,
        "and" => Operation.And,
        "or" => Operation.Or,
        "xor" => Operation.Xor,
        "shl" => Operation.Shl,
        "shr_s" => Operation.ShrS,
        "shr_u" => Operation.ShrU,
        "rotl" or "rotr" => Operation.Rotate,
        "abs" or "neg" or "copysign" when lanes == LaneShape.None => Operation.Sign,
        "wrap_i64" or "extend32_s" => Operation.Narrow32,
        "extend16_s" => Operation.Narrow16,
        "extend8_s" => Operation.Narrow8,
        "demote_f64" => Operation.Demote,
        "promote_f32" => Operation.Promote,
        "splat" => Operation.Splat,
        "replace_lane" => Operation.ReplaceLane,
        "eqz" or "eq" or "ne" or "lt" or "gt" or "le" or "ge" or "lt_s" or "lt_u" or "gt_s" or "gt_u" or "le_s" or "le_u" or "ge_s" or "ge_u"
            when lanes == LaneShape.None => Operation.Compare,
        _ when word.StartsWith("reinterpret_", StringComparison.Ordinal) => Operation.Reinterpret,
        _ when word.StartsWith("extract_lane", StringComparison.Ordinal) => Operation.ExtractLane,
        _ => Operation.None,
    };

    private static OpForm FormOf(string name)
    {
        if (NotForms.Contains(name)) return OpForm.None;
        foreach ((string suffix, OpForm form) in new[] { ("_null", OpForm.Null), ("_ref", OpForm.Ref), ("_module", OpForm.Module), ("_t", OpForm.Typed) })
            if (name.EndsWith(suffix, StringComparison.Ordinal) && OperatorTable.Find(name[..^suffix.Length]) is not null) return form;
        return OpForm.None;
    }

    private static Expected Actual(Operator op) => new(op.Traits, op.Operation, op.Lanes, op.Form);

    [Fact]
    public void RowsSayWhatTheSpecificationSays() => Assert.All(OperatorTable.All, op => Assert.Equal(For(op.Mnemonic), Actual(op)));

    [Fact]
    public void EveryListedOperatorExists() =>
        Assert.All(Lists.Values.SelectMany(names => names).Concat(ReadMemory).Concat(WriteMemory).Concat(NotForms), name => Assert.NotNull(OperatorTable.Find(name)));

    /// <summary>
    /// Each word behind the emission of each row is left out in turn. Either the table refuses what is left, or it is not what
    /// <see cref="RowsSayWhatTheSpecificationSays"/> expects.
    /// </summary>
    [Fact]
    public void NoWordOfARowCanBeLeftOut()
    {
        int refused = 0, unexpected = 0;
        foreach (string text in OperatorTable.Texts)
        {
            Operator whole = OperatorTable.Parse(text);
            int end = text.LastIndexOf($" {whole.Emission}", StringComparison.Ordinal) + 1 + whole.Emission.Length;
            string[] words = text[end..].Split([' ', ','], StringSplitOptions.RemoveEmptyEntries);
            for (int i = 0; i < words.Length; i++)
            {
                string rest = string.Join(',', words.Where((_, at) => at != i));
                Operator op;
                try
                {
                    op = OperatorTable.Parse($"{text[..end]}  {rest}");
                }
                catch (FormatException)
                {
                    refused++;
                    continue;
                }
                unexpected++;
                Assert.True(For(op.Mnemonic) != Actual(op) || words[i] == "-", $"{op.Mnemonic} without {words[i]} is like any other");
            }
        }
        Assert.True(refused > 200 && unexpected > 200 && refused + unexpected > 900, $"{refused} refused, {unexpected} unexpected");
    }

    [Fact]
    public void FormsShareTheWordOfAnotherOperator() => Assert.All(
        OperatorTable.All.Where(op => op.Form != OpForm.None),
        op =>
        {
            Assert.StartsWith(op.Word, op.Mnemonic, StringComparison.Ordinal);
            Assert.Same(op, op.Base!.WithForm(op.Form));
        });
}
