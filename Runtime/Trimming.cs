using System.Diagnostics.CodeAnalysis;

// The trimmer cannot follow reflection by names that are computed, and warns of it. What is looked for is there all the same: everything of
// this assembly is kept (ILLink.Descriptors.xml), and so is what TrimmingRoots (Jit) names of .NET. A test publishes a trimmed program that
// uses what there is.
[assembly: UnconditionalSuppressMessage("Trimming", "IL2026", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2055", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2059", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2060", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2062", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2065", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2067", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2070", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2071", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2072", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2075", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2077", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2080", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2087", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2090", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2091", Scope = "module", Justification = "see above")]
[assembly: UnconditionalSuppressMessage("Trimming", "IL2111", Scope = "module", Justification = "see above")]
// Without code made at run time RuntimeCode says so, by an exception that tells what to do. Saved modules need none.
[assembly: UnconditionalSuppressMessage("AOT", "IL3050", Scope = "module", Justification = "see above")]
