namespace WasmJit.Agreement;

/// <summary>Why the engines disagree.</summary>
internal static class Disagreements
{
    internal const string Unknown = "Not explained";

    internal static string Reason(string difference) => difference switch
    {
        _ when Has(difference, "legacy_exceptions feature required") =>
            "Wasmtime has no legacy exceptions (it decodes them and compiles only try_table)",
        _ when Has(difference, "custom descriptors proposal must be enabled") || Has(difference, "custom descriptors required")
            || Has(difference, "sub type with descriptor must have") => "Wasmtime has no custom descriptors",
        _ when difference.StartsWith("proposals/custom-descriptors/br_on_cast", StringComparison.Ordinal)
            && Has(difference, "type mismatch: expected (ref any)") =>
            "Wasmtime has no custom descriptors, with which br_on_cast may start from any type of the hierarchy",
        _ => Unknown,
    };

    private static bool Has(string difference, string words) => difference.Contains(words, StringComparison.Ordinal);
}
