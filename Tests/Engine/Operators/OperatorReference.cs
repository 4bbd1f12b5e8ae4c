using System.Globalization;
using System.Text;
using WasmJit.Jit.Operators;

namespace WasmJit.Tests;

/// <summary>The reference page of all operators, made from the table.</summary>
internal static class OperatorReference
{
    internal static string Page()
    {
        var page = new StringBuilder("""
            # Operators

            Every operator that WasmJit decodes and validates, by proposal. This page is generated from the operator table; a
            test compares them (with `WASMJIT_UPDATE_GOLDEN=1` in the environment it writes the page anew).

            - *Code*: the opcode; behind a prefix byte, the number that follows it as a LEB128.
            - *Immediates*: `mem` and the other indices are u32; `memarg:n` has the natural alignment 2^n.
            - *Type*: operands and results; `at` is the address type (i32 or i64) of the memory or table. It is left open where
              it depends on an immediate or on the context. In the chapters on linking, `ref` is a reference of the type that the
              immediate names, which may be null; [references.md](references.md) has more.
            - *Code from*: `IL` for instructions in place, the name of a helper, a load or store, or the emitter itself.
            - *Traits*: what validator, emitter, inliner, text format and constant expressions ask of the operator. They are
              explained in `Jit/Operators/OpTraits.cs` and `Operation.cs`.
            - *Fuel*: the units that it costs where fuel is counted, besides those of its operands. Behind a plus stands what the
              rest is proportional to; `Jit/Operators/OperatorCost.cs` explains it. Empty is 1.


            """);
        foreach (Proposal proposal in Proposal.All)
        {
            page.Append(CultureInfo.InvariantCulture, $"## {proposal.Title}\n\n");
            page.Append("| Code | Operator | Immediates | Type | Code from | Traits | Fuel |\n| --- | --- | --- | --- | --- | --- | --- |\n");
            foreach (Operator op in OperatorTable.All.Where(op => op.Proposal == proposal))
            {
                string code = op.Prefix == 0 ? $"0x{op.Code:x2}" : $"0x{op.Prefix:x2} 0x{op.Code:x2}";
                string type = op.HasSignature ? $"[{Types(op, op.Params)}] → [{Types(op, op.Results)}]"
                    : op.TypeText.Split("->") is [var operands, var results] ? $"[{operands.Trim()}] → [{results.Trim()}]" : "";
                page.Append($"| {code} | `{Text(op)}` | {Immediates(op)} | {type} | {Source(op)} | {Traits(op)} | {Cost(op)} |\n");
            }
            page.Append('\n');
        }
        return page.ToString().TrimEnd() + "\n";
    }

    /// <summary>The operator as it is written in text: some rows share a word there.</summary>
    private static string Text(Operator op) => op.Form switch
    {
        OpForm.None => op.Mnemonic,
        OpForm.Typed => $"{op.Word} (result ...)",
        OpForm.Module => $"{op.Word} (module ...)",
        OpForm.Ref => $"{op.Word} (ref ...)",
        OpForm.Null when op.Immediates.Any(i => i.Kind == ImmediateKind.NullRefType) => $"{op.Word} (ref null ...)",
        OpForm.Null => $"{op.Word} null",
        _ => throw new InvalidOperationException($"The page has no text for the form {op.Form}."),
    };

    private static string Traits(Operator op) =>
        string.Join(", ", Enum.GetValues<OpTraits>().Where(t => t != OpTraits.None && op.Has(t)).Select(t => Words(t.ToString()))
            .Concat(op.Operation == Operation.None ? [] : [$"is {Words(op.Operation.ToString())}"])
            .Concat(op.Lanes == LaneShape.None ? [] : [$"lanes {Words(op.Lanes.ToString())}"]));

    private static string Cost(Operator op) => op.Cost switch
    {
        { Unit: CostUnit.Constant, Units: 1 } => "",
        { Unit: CostUnit.Constant } cost => cost.Units.ToString(CultureInfo.InvariantCulture),
        var cost => $"{cost.Units} + {cost.Unit.ToString().ToLowerInvariant()}",
    };

    /// <summary>The trait as the table writes it, with spaces.</summary>
    private static string Words(string trait) =>
        string.Concat(trait.Select((c, i) => i > 0 && char.IsUpper(c) ? $" {char.ToLowerInvariant(c)}" : char.ToLowerInvariant(c).ToString()));

    private static string Immediates(Operator op) => string.Join(' ', op.Immediates.Select(i => i.Kind switch
    {
        ImmediateKind.MemArg => $"memarg:{i.Number}",
        ImmediateKind.Lane => $"lane<{i.Number}",
        ImmediateKind.Memory => "mem",
        _ => i.Kind.ToString().ToLowerInvariant(),
    }));

    private static string Types(Operator op, IEnumerable<ValType> types) =>
        string.Join(' ', types.Select(t => t == OperatorTable.At ? "at" : t.ToString()));

    private static string Source(Operator op)
    {
        int colon = op.Emission.IndexOf(':');
        if (colon < 0) return "emitter";
        string rest = op.Emission[(colon + 1)..];
        return op.Emission[..colon] switch
        {
            "il" => $"IL `{rest}`",
            "call" => $"`{rest}`",
            "vec" => string.Join(", ", rest.Split(',').Select(step => $"`Vector128.{step.Split(':')[0]}`")),
            var access => $"{access} `{rest}`",
        };
    }
}
