namespace WasmJit.Text;

/// <summary>
/// The specification that a directory of the official suite tests. Directories of proposals have copies of core
/// files from the time when the proposal began. These reject later features and have older messages.
/// </summary>
internal sealed class SuiteBaseline
{
    private readonly (string Old, string Now)[] wordings;

    private SuiteBaseline(Features features, params (string Old, string Now)[] wordings)
    {
        Features = features;
        this.wordings = wordings;
    }

    /// <summary>The features of its modules.</summary>
    internal Features Features { get; }

    /// <summary>The core suite asserts that <c>br_on_cast</c> needs subtypes. Custom descriptors do not need that.</summary>
    private static readonly SuiteBaseline Core = new(Features.All & ~Features.CustomDescriptors);

    private static readonly SuiteBaseline CustomDescriptors = new(Features.All);

    /// <summary>Version 1.0 with threads: limits were 32-bit numbers of the text format.</summary>
    private static readonly SuiteBaseline Threads = new(
        Features.All & ~(Features.CustomDescriptors | Features.MultiMemory | Features.ReferenceTypes),
        ("i32 constant out of range", "memory size must be at most 65536 pages (4GiB)"));

    /// <summary>The baseline of a script; scripts outside the suite may use all features.</summary>
    internal static SuiteBaseline Of(string path)
    {
        string? directory = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(path)));
        string? above = Path.GetFileName(Path.GetDirectoryName(Path.GetDirectoryName(Path.GetFullPath(path))));
        return (above, directory) switch
        {
            ("proposals", "threads") => Threads,
            ("proposals", "custom-descriptors") => CustomDescriptors,
            ("proposals", _) or (_, "legacy" or "custom" or "testsuite") => Core,
            _ => CustomDescriptors,
        };
    }

    /// <summary>Whether a reason matches an assertion: one begins with the other.</summary>
    internal bool Matches(string expected, string reason)
    {
        if (BeginsWith(expected, reason)) return true;
        foreach ((string old, string now) in wordings)
            if (expected == old && BeginsWith(now, reason)) return true;
        return false;
    }

    /// <summary>What the tests of components say, and what the core suite says for the same, whose words are used here.</summary>
    private static readonly (string Theirs, string Ours)[] ComponentWordings =
    [
        ("invalid string escape", "malformed escape in string"),
        ("unexpected end-of-file", "unexpected end"),
        ("unexpected end-of-file", "length out of bounds"),
        ("section out of order", "unexpected content after last section"),
        ("type index out of bounds", "unknown type"),
        ("wasm `unreachable` instruction executed", "unreachable"),
    ];

    /// <summary>What stands before some of the reasons for traps.</summary>
    private const string TrapPrefix = "wasm trap: ";

    /// <summary>Whether a reason matches an assertion about a component: the reason contains what is expected.</summary>
    internal static bool MatchesComponent(string expected, string reason)
    {
        if (expected.StartsWith(TrapPrefix, StringComparison.Ordinal)) expected = expected[TrapPrefix.Length..];
        if (reason.Contains(expected, StringComparison.Ordinal)) return true;
        foreach ((string theirs, string ours) in ComponentWordings)
            if (expected == theirs && reason.Contains(ours, StringComparison.Ordinal)) return true;
        return false;
    }

    private static bool BeginsWith(string expected, string reason) =>
        reason.StartsWith(expected, StringComparison.Ordinal) || expected.StartsWith(reason, StringComparison.Ordinal);
}
