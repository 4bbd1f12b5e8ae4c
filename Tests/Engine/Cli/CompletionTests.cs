using System.Diagnostics;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The scripts of <c>wasmjit completion</c>, in the shells that are installed.</summary>
public sealed class CompletionTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-complete").FullName;

    public CompletionTests()
    {
        Directory.CreateDirectory(Path.Combine(folder, "data"));
        foreach (string name in new[] { "app.wasm", "app.wat", "notes.txt" }) File.WriteAllText(Path.Combine(folder, name), "");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string Script(string shell)
    {
        var output = new StringWriter();
        Assert.Equal(0, Tool.Run(["completion", shell], output, TextWriter.Null));
        return output.ToString();
    }

    [LinuxTheory]
    [InlineData("wasmjit ins", "inspect")]
    [InlineData("wasmjit run --tier ", "ahead compiler interpreter tiered")]
    [InlineData("wasmjit --memory-checks ex", "explicit")]
    [InlineData("wasmjit help wa", "wasm2wat wast wat2wasm")]
    [InlineData("wasmjit completion p", "powershell")]
    [InlineData("wasmjit compile --out", "--output")]
    [InlineData("wasmjit run app", "app.wasm app.wat")]
    [InlineData("wasmjit a", "app.wasm app.wat")]
    [InlineData("wasmjit run --dir d", "data")]
    // Behind the FILE files of all kinds are the guest's, and no options are the tool's.
    [InlineData("wasmjit run --timeout 1s app.wasm n", "notes.txt")]
    [InlineData("wasmjit run app.wasm --ti", "")]
    [InlineData("wasmjit app.wasm no", "notes.txt")]
    public async Task BashCompletes(string line, string expected)
    {
        string[] words = line.Split(' ');
        string program = Script("bash") + $"COMP_WORDS=({string.Join(' ', words.Select(w => $"'{w}'"))}); COMP_CWORD={words.Length - 1}; _wasmjit 2>/dev/null; printf '%s\\n' \"${{COMPREPLY[@]}}\"";
        string[] found = (await Run("bash", "--norc", "-c", program)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(expected, string.Join(' ', found.Order(StringComparer.Ordinal).Distinct()));
    }

    [Fact]
    public void AllShellsKnowAllCommandsAndOptions()
    {
        var help = new StringWriter();
        Tool.Run(["run", "--help"], help, TextWriter.Null);
        foreach (string shell in new[] { "bash", "zsh", "fish", "powershell" })
        {
            string script = Script(shell);
            foreach (string command in new[] { "run", "wast", "compile", "validate", "wat2wasm", "wasm2wat", "inspect", "disasm", "fuzz", "completion" })
                Assert.Contains(command, script, StringComparison.Ordinal);
            foreach (string option in help.ToString().Split('\n').Where(l => l.StartsWith("  --", StringComparison.Ordinal)).Select(l => l.Trim().Split(' ')[0]))
                Assert.Contains(shell == "fish" ? "-l " + option[2..] : option, script, StringComparison.Ordinal);
            // What only the tool's own processes use is not shown.
            Assert.DoesNotContain("worker", script, StringComparison.Ordinal);
        }
    }

    [InstalledFact("zsh")]
    public async Task ZshReadsIt()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "_wasmjit"), Script("zsh"));
        // The function itself asks for a completion that is going on, so it is only loaded.
        Assert.Equal("ok\n", await Run("zsh", "-f", "-c", "fpath=(. $fpath); autoload -Uz _wasmjit; autoload +X _wasmjit && zsh -n ./_wasmjit && echo ok"));
    }

    [InstalledFact("fish")]
    public async Task FishCompletes()
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "wasmjit.fish"), Script("fish"));
        Assert.Equal("explicit\nguard\n", await Run("fish", "--no-config", "-c", "source wasmjit.fish; complete -C 'wasmjit run --memory-checks ' | sort"));
        Assert.StartsWith("--timeout", await Run("fish", "--no-config", "-c", "source wasmjit.fish; complete -C 'wasmjit run --timeo'"), StringComparison.Ordinal);
        Assert.StartsWith("inspect\t", await Run("fish", "--no-config", "-c", "source wasmjit.fish; complete -C 'wasmjit insp'"), StringComparison.Ordinal);
    }

    private async Task<string> Run(string program, params string[] args)
    {
        (_, string output, string error) = await ChildProcess.Run(new ProcessStartInfo(program, args) { WorkingDirectory = folder });
        Assert.Equal("", error);
        return output;
    }
}

/// <summary>A test that needs a program.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class InstalledFactAttribute : FactAttribute
{
    public InstalledFactAttribute(string program)
    {
        Program = program;
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(p => File.Exists(Path.Combine(p, program)))) Skip = $"not run: {program} is not installed";
    }

    /// <summary>What it needs.</summary>
    public string Program { get; }
}
