using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Docs/tool.md shows what the tool prints: each command of its <c>console</c> blocks is run on the modules in Docs/tool. With
/// WASMJIT_UPDATE_GOLDEN=1 the blocks are written anew.
/// </summary>
public sealed partial class ToolPageTests : IDisposable
{
    private static readonly string Folder = Golden.InRepository("Docs/tool");

    /// <summary>Where shells run: a copy of the folder, since they write files, in the same place of a copy of the repository.</summary>
    private readonly string copy = Directory.CreateTempSubdirectory("wasmjit-page").FullName;

    private string CopiedFolder => Path.Combine(copy, "Docs", "tool");

    public ToolPageTests()
    {
        Directory.CreateDirectory(CopiedFolder);
        foreach (string file in Directory.GetFiles(Folder)) File.Copy(file, Path.Combine(CopiedFolder, Path.GetFileName(file)));
        if (!OperatingSystem.IsLinux()) return;
        File.CreateSymbolicLink(Path.Combine(copy, "Tests"), Golden.InRepository("Tests"));
        string command = Path.Combine(copy, "wasmjit");
        File.WriteAllText(command, $"#!/bin/sh\nexec '{Environment.ProcessPath}' '{typeof(Tool).Assembly.Location}' \"$@\"\n");
        File.SetUnixFileMode(command, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }

    public void Dispose() => Directory.Delete(copy, recursive: true);

    [Fact]
    public async Task ShowsWhatTheToolPrints()
    {
        string path = Golden.InRepository("Docs/tool.md"), page = (await File.ReadAllTextAsync(path)).ReplaceLineEndings("\n");
        var written = new StringBuilder();
        int end = 0, commands = 0;
        foreach (Match block in Block().Matches(page))
        {
            written.Append(page, end, block.Index - end).Append("```console\n");
            end = block.Index + block.Length;
            int code = -1;
            MatchCollection steps = Step().Matches(block.Groups[1].Value);
            Assert.NotEmpty((IEnumerable<Match>)steps);
            foreach (Match step in steps)
            {
                string command = step.Groups[1].Value, shown = step.Groups[2].Value, printed;
                if (command == "echo $?") printed = string.Create(CultureInfo.InvariantCulture, $"{code}\n");
                else if (!OperatingSystem.IsLinux() && IsShell(command)) printed = shown;
                else if (!OperatingSystem.IsLinux() && shown.Contains("^C", StringComparison.Ordinal)) printed = shown;
                else (code, printed) = await Run(command, shown.Contains("^C", StringComparison.Ordinal));
                // Where a loop is interpreted for so long, the place is known without --timeout, too.
                if (shown.Contains("^C", StringComparison.Ordinal) && !shown.Contains("    at ", StringComparison.Ordinal))
                    printed = BusyFrame().Replace(printed, "");
                // How deep a stack goes, and where a loop is stopped, is not always the same.
                bool same = Times().Replace(shown, "") == Times().Replace(printed, "");
                written.Append("$ ").Append(command).Append('\n').Append(same ? shown : printed);
                commands++;
            }
            written.Append("```\n");
        }
        written.Append(page, end, page.Length - end);
        Assert.True(commands > 20);
        if (Environment.GetEnvironmentVariable("WASMJIT_UPDATE_GOLDEN") == "1") await File.WriteAllTextAsync(path, written.ToString());
        Assert.Equal(page, written.ToString());
    }

    /// <summary>Whether it takes a shell, or makes a file.</summary>
    private static bool IsShell(string command) => command.AsSpan().ContainsAny("|'>;=\"") || command.Contains("saved", StringComparison.Ordinal) || !command.StartsWith("wasmjit ", StringComparison.Ordinal);

    /// <summary>Runs a line in a shell that finds the tool.</summary>
    private async Task<(int Code, string Printed)> Shell(string line)
    {
        var start = new ProcessStartInfo("env", ["--default-signal=PIPE", "bash", "--norc", "-c", line + "\n"]) { WorkingDirectory = CopiedFolder };
        start.Environment["PATH"] = copy + Path.PathSeparator + start.Environment["PATH"];
        start.Environment["WASMJIT_CONFIG"] = "";
        start.Environment["WASMJIT_CACHE"] = Path.Combine(CopiedFolder, "cache");
        (int code, string output, string error) = await ChildProcess.Run(start);
        return (code, output + error);
    }

    private async Task<(int Code, string Printed)> Run(string command, bool interrupt)
    {
        if (IsShell(command)) return await Shell(command);
        string[] words = command.Split(' ');
        Assert.Equal("wasmjit", words[0]);
        // Names of files are relative to the folder, which is not where the tests run.
        string[] args = [.. words[1..].Select(w => Directory.Exists(Path.Combine(Folder, w)) || w.Contains(".wa", StringComparison.Ordinal) ? Path.Combine(Folder, w) : w)];
        if (interrupt) return await Interrupt(args);
        var screen = new StringWriter();
        // busy.wat writes by itself, to the process's standard output: it runs in a process of its own.
        if (command.Contains("busy", StringComparison.Ordinal)) return await Start(args, afterFirstLine: null);
        int code = Tool.Run(args, screen, screen);
        return (code, Clean(screen.ToString()));
    }

    private static Task<(int Code, string Printed)> Interrupt(string[] args) => Start(args, async process =>
    {
        await Task.Delay(100);
        using Process kill = Process.Start("kill", ["-INT", process.Id.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync();
    });

    /// <summary>Runs the tool as a process. What the terminal would add for Ctrl-C is added.</summary>
    private static async Task<(int Code, string Printed)> Start(string[] args, Func<Process, Task>? afterFirstLine)
    {
        // The process that runs the tests may ignore the signal, and what they start would do so too.
        string[] command = OperatingSystem.IsLinux() ? ["env", "--default-signal=INT", "dotnet"] : ["dotnet"];
        using Process process = Process.Start(new ProcessStartInfo(command[0], [.. command[1..], typeof(Tool).Assembly.Location, .. args])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        Task<string> error = process.StandardError.ReadToEndAsync();
        string? first = await process.StandardOutput.ReadLineAsync();
        if (afterFirstLine is not null) await afterFirstLine(process);
        string rest = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, Clean($"{first}\n{rest}{(afterFirstLine is null ? "" : "^C")}{await error}"));
    }

    private static string Clean(string text) =>
        text.ReplaceLineEndings("\n").Replace(Folder + Path.DirectorySeparatorChar, "", StringComparison.Ordinal).Replace('\\', '/');

    [GeneratedRegex("```console\n(.*?)```\n", RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"^\$ (.+)\n((?:(?!\$ ).*\n)*)", RegexOptions.Multiline)]
    private static partial Regex Step();

    [GeneratedRegex(@"\d{4,} frames|(?<=at busy!main|at sum!sum|at sum!peek|at sum!forever)\+0x[0-9a-f]+")]
    private static partial Regex Times();

    [GeneratedRegex(@"    at busy!main.*\n")]
    private static partial Regex BusyFrame();
}
