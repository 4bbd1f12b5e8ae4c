using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Every module of the suite, in all its directories: printed and read again, it has the same bytes.</summary>
public sealed class PrinterTests
{
    private static readonly string[] Folders =
    [
        "", "legacy", "custom", "proposals/threads", "proposals/custom-page-sizes", "proposals/wide-arithmetic",
        "proposals/custom-descriptors",
    ];

    public static TheoryData<string> Files()
    {
        var data = new TheoryData<string>();
        foreach (string file in Folders.SelectMany(Suite.Scripts)) data.Add(file);
        if (data.Count == 0) data.Add(Suite.HowTo);
        return data;
    }

    [SuiteTheory]
    [MemberData(nameof(Files))]
    public void RoundTrips(string file) => RoundTripScript(Path.Combine(Suite.Folder!, file), file);

    /// <summary>All modules of a script; those that it asserts to be malformed may fail.</summary>
    internal static void RoundTripScript(string path, string file)
    {
        WastScript script = WastReader.Read(File.ReadAllBytes(path), file);
        foreach (WastCommand command in All(script.Commands))
        {
            switch (command)
            {
                case ModuleCommand { Module: var module }: RoundTrip(module, $"{file}:{command.Line}", mayFail: false); break;
                case AssertFailure { Module: { } module } failure:
                    RoundTrip(module, $"{file}:{command.Line}", mayFail: failure.Kind is not ("assert_trap" or "assert_unlinkable"));
                    break;
            }
        }
    }

    /// <summary>The commands, and those in threads.</summary>
    private static IEnumerable<WastCommand> All(IEnumerable<WastCommand> commands) =>
        commands.SelectMany(c => c is ThreadCommand thread ? All(thread.Commands) : [c]);

    private static void RoundTrip(WastModule module, string where, bool mayFail)
    {
        byte[] bytes;
        string text;
        try
        {
            bytes = module.Encode();
            text = Wat.FromBinary(bytes);
        }
        catch (Exception e) when (mayFail && e is WatException or ModuleException)
        {
            // What is not a module cannot be printed.
            return;
        }
        if (module.Kind == WastModuleKind.Binary)
        {
            // Bytes of other tools may be in a form that the reader does not choose.
            bytes = Wat.ToBinary(text);
            text = Wat.FromBinary(bytes);
        }
        byte[] again = Wat.ToBinary(text);
        Assert.True(bytes.AsSpan().SequenceEqual(again), $"{where} changes on its way:\n{text[..Math.Min(text.Length, 4000)]}");
        // Beyond the width there is only what cannot be broken, names for example.
        foreach (string line in text.Split('\n'))
            if (line.Length > TextLayout.Width && line.Trim().Split(' ').Max(w => w.Length) < 60) Assert.Fail($"{where}: a long line: {line}");
    }
}
