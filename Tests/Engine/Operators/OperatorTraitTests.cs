using WasmJit.Jit.Operators;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Traits of operators that follow from the specification, by lists that are kept apart from the table.</summary>
public sealed class OperatorTraitTests
{
    private static void Check(OpTraits traits, params string[] mnemonics) =>
        Assert.Equal(mnemonics.Order(StringComparer.Ordinal),
            OperatorTable.All.Where(op => (op.Traits & traits) == traits).Select(op => op.Mnemonic).Order(StringComparer.Ordinal));

    [Fact]
    public void Blocks()
    {
        Check(OpTraits.Opens, "block", "loop", "if", "try", "try_table");
        Check(OpTraits.Divides, "else", "catch", "catch_all");
        Check(OpTraits.Closes, "end", "delegate");
        Check(OpTraits.Loops, "loop");
        Check(OpTraits.Handles, "try", "try_table", "catch", "catch_all", "delegate");
    }

    [Fact]
    public void WaysOn()
    {
        Check(OpTraits.Branches, "br", "br_if", "br_table", "return", "br_on_null", "br_on_non_null", "br_on_cast", "br_on_cast_fail",
            "br_on_cast_desc_eq", "br_on_cast_desc_eq_fail");
        Check(OpTraits.Ends, "unreachable", "br", "br_table", "return", "throw", "throw_ref", "rethrow", "return_call", "return_call_indirect",
            "return_call_ref", "return_call_export");
        Check(OpTraits.Throws, "throw", "throw_ref", "rethrow");
        Check(OpTraits.Calls | OpTraits.Ends, "return_call", "return_call_indirect", "return_call_ref", "return_call_export");
        Check(OpTraits.Calls, "call", "call_indirect", "call_ref", "call_export", "call_indirect_ref", "return_call", "return_call_indirect",
            "return_call_ref", "return_call_export", "instantiate", "instantiate_null", "instantiate_module");
    }

    [Fact]
    public void Accesses()
    {
        Check(OpTraits.WritesLocal, "local.set", "local.tee");
        Check(OpTraits.WritesGlobal, "global.set", "global.set_ref");
        Check(OpTraits.WritesField, "struct.set");
        Check(OpTraits.ReadsField, "struct.get", "struct.get_s", "struct.get_u");
        Check(OpTraits.Signed, "struct.get_s", "array.get_s", "i31.get_s", "i8x16.extract_lane_s", "i16x8.extract_lane_s");
        Check(OpTraits.Unsigned, "struct.get_u", "array.get_u", "i31.get_u", "i8x16.extract_lane_u", "i16x8.extract_lane_u");
        Check(OpTraits.WritesTable, "table.set", "table.set_ref", "table.grow", "table.grow_ref", "table.fill", "table.fill_ref", "table.copy",
            "table.copy_ref", "table.init", "table.init_ref");
        Check(OpTraits.WritesElement, "array.set", "array.fill", "array.copy", "array.init_data", "array.init_elem");
        Check(OpTraits.ReadsElement, "array.get", "array.get_s", "array.get_u", "array.copy");
        Check(OpTraits.ReadsGlobal, "global.get", "global.get_ref");
        Check(OpTraits.ReadsLocal, "local.get");
        Check(OpTraits.ReadsTable, "table.get", "table.get_ref", "table.size", "table.size_ref", "table.grow", "table.grow_ref", "table.copy",
            "table.copy_ref", "call_indirect", "call_indirect_ref", "return_call_indirect");
        // What is written or read is in the name of an access.
        foreach (Operator op in OperatorTable.All.Where(op => op.MemArg is not null))
        {
            string name = op.Mnemonic;
            Assert.Equal(name.Contains("store", StringComparison.Ordinal) || name.Contains("rmw", StringComparison.Ordinal), op.Has(OpTraits.WritesMemory));
            Assert.Equal(!name.Contains("store", StringComparison.Ordinal), op.Has(OpTraits.ReadsMemory));
            Assert.Equal(name.Contains("atomic", StringComparison.Ordinal), op.Has(OpTraits.Atomic));
        }
    }

    [Fact]
    public void ConstantExpressions() => Check(
        OpTraits.Constant, "i32.const", "i64.const", "f32.const", "f64.const", "v128.const", "ref.null", "ref.func", "global.get", "end",
        "i32.add", "i32.sub", "i32.mul", "i64.add", "i64.sub", "i64.mul", "struct.new", "struct.new_default", "struct.new_desc",
        "struct.new_default_desc", "array.new", "array.new_default", "array.new_fixed", "ref.i31", "any.convert_extern",
        "extern.convert_any", "ref.module", "ref.instance", "ref.memory", "ref.table", "ref.global", "ref.tag");

    [Fact]
    public void FormsShareTheWordOfAnotherOperator() => Assert.All(
        OperatorTable.All.Where(op => op.Form != OpForm.None),
        op =>
        {
            Assert.StartsWith(op.Word, op.Mnemonic, StringComparison.Ordinal);
            Assert.Same(op, op.Base!.WithForm(op.Form));
        });
}
