using System.Text.RegularExpressions;
using WasmJit.Fuzz;

namespace WasmJit.Agreement;

/// <summary>Runs random modules with several kinds of code that this engine makes.</summary>
/// <param name="generator">Makes the modules.</param>
/// <param name="modes">The kinds of code.</param>
internal sealed partial class RandomPrograms(ModuleGenerator generator, IReadOnlyList<Mode> modes)
{
    private readonly (Mode Mode, ModuleRunner Runner)[] runners = [.. modes.Select(m => (m, new ModuleRunner(m)))];

    /// <summary>The generator of a name whose modules other engines run, too.</summary>
    internal static ModuleGenerator Generator(string name) => ModuleGenerator.All([]).Single(g => g.Name == name && g.IsStandard);

    /// <summary>The calls that came out another way than expected; the first for each mode.</summary>
    /// <param name="seed">Of the module.</param>
    /// <param name="expected">What Wasmtime made of it.</param>
    internal IEnumerable<string> Differences(int seed, IReadOnlyList<string> expected)
    {
        byte[] program = generator.Make(seed);
        foreach ((Mode mode, ModuleRunner runner) in runners)
        {
            if (runner.Run(program, seed, isProgram: true, RunLimit.Usual) is { } failure)
            {
                yield return $"seed {seed}, {mode.Name}: {failure.Kind}, {failure.What}";
                continue;
            }
            // Without lines its time was over.
            List<string> actual = [.. (runner.Lines ?? []).Select(Coarse)];
            int at = Enumerable.Range(0, actual.Count).FirstOrDefault(i => actual[i] != expected.ElementAtOrDefault(i), -1);
            if (at >= 0) yield return $"seed {seed}, {mode.Name}: {actual[at]} here, {expected.ElementAtOrDefault(at)} on Wasmtime";
        }
    }

    /// <summary>An outcome with traps as far as Wasmtime tells them apart.</summary>
    private static string Coarse(string line) =>
        NullReference().Replace(line, "NullReference").Replace(nameof(TrapKind.UndefinedElement), nameof(TrapKind.OutOfBoundsTableAccess), StringComparison.Ordinal);

    [GeneratedRegex(@"Null\w+Reference")]
    private static partial Regex NullReference();
}
