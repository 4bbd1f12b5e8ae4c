using System.Globalization;
using System.Text;
using WasmJit.Jit;

namespace WasmJit.Tests;

/// <summary>The reference page of all operators, made from the table.</summary>
internal static class OperatorReference
{
    private static readonly (string Proposal, string Title)[] Chapters =
    [
        ("core", "Core"), ("sign-extension", "Sign extension"), ("sat-float-to-int", "Saturating truncation"),
        ("bulk-memory", "Bulk memory and tables"), ("reference-types", "Reference types"), ("tail-call", "Tail calls"),
        ("function-references", "Typed function references"), ("gc", "Garbage collection"), ("exceptions", "Exceptions"),
        ("legacy-exceptions", "Legacy exceptions"), ("simd", "SIMD"), ("relaxed-simd", "Relaxed SIMD"), ("threads", "Threads"),
        ("wide-arithmetic", "Wide arithmetic"), ("custom-descriptors", "Custom descriptors"),
        ("runtime-linking", "Runtime linking"), ("runtime-compile", "Runtime compilation"),
    ];

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


            """);
        IEnumerable<string> proposals = OperatorTable.All.Select(op => op.Proposal).Distinct();
        foreach (string unknown in proposals.Except(Chapters.Select(c => c.Proposal)))
            throw new InvalidOperationException($"The page has no chapter for {unknown}.");
        foreach ((string proposal, string title) in Chapters)
        {
            page.Append(CultureInfo.InvariantCulture, $"## {title}\n\n");
            page.Append("| Code | Operator | Immediates | Type | Code from |\n| --- | --- | --- | --- | --- |\n");
            foreach (Operator op in OperatorTable.All.Where(op => op.Proposal == proposal))
            {
                string code = op.Prefix == 0 ? $"0x{op.Code:x2}" : $"0x{op.Prefix:x2} 0x{op.Code:x2}";
                string type = op.HasSignature ? $"[{Types(op, op.Params)}] → [{Types(op, op.Results)}]"
                    : op.TypeText.Split("->") is [var operands, var results] ? $"[{operands.Trim()}] → [{results.Trim()}]" : "";
                page.Append($"| {code} | `{Text(op)}` | {Immediates(op)} | {type} | {Source(op)} |\n");
            }
            page.Append('\n');
        }
        return page.ToString().TrimEnd() + "\n";
    }

    /// <summary>The operator as it is written in text: some rows share a word there.</summary>
    private static string Text(Operator op) => op.Prefix switch
    {
        0 when op.Id == OpId.SelectT => "select (result ...)",
        0xfa when op.Id == OpId.InstantiateModule => "instantiate (module ...)",
        0xfa when op.Mnemonic.EndsWith("_ref", StringComparison.Ordinal) => op.Mnemonic[..^4] + " (ref ...)",
        0xfa when op.Mnemonic.EndsWith("_null", StringComparison.Ordinal) => op.Mnemonic[..^5] + " null",
        0xfb when op.Mnemonic.EndsWith("_null", StringComparison.Ordinal) => op.Mnemonic[..^5] + " (ref null ...)",
        _ => op.Mnemonic,
    };

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
