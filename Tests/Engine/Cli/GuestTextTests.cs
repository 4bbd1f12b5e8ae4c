using System.Text;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What the tool shows of guests, and takes from those who call them.</summary>
public sealed class GuestTextTests : IDisposable
{
    /// <summary>Commands to a terminal (in seven and in eight bits), ends of lines, and what turns writing round.</summary>
    private const string Evil = "a\\1b[31mred\\0d\\0a\\07b\\7f\\u{9b}2Jc\\u{202e}d\\u{2066}e\\u{2028}f\\u{200f}";

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-test").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Put(string name, string text)
    {
        string path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static (int Code, string Text) Run(params string[] args)
    {
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        int code = Tool.Run(args, output, error);
        return (code, output.ToString() + error.ToString());
    }

    private static void IsClean(string text)
    {
        foreach (Rune rune in text.EnumerateRunes())
            Assert.False(
                (Rune.IsControl(rune) && rune.Value != '\n') || rune.Value is 0x200e or 0x200f or 0x2028 or 0x2029 or (>= 0x202a and <= 0x202e) or (>= 0x2066 and <= 0x2069),
                $"U+{rune.Value:X4} in: {text}");
    }

    [Theory]
    [InlineData(134, "run FILE --invoke f")]
    [InlineData(1, "run FILE --invoke nothing")]
    [InlineData(1, "run FILE")]
    [InlineData(134, "run FILE --unknown-imports trap --invoke call")]
    [InlineData(134, "run FILE --unknown-imports trap --invoke throw")]
    [InlineData(0, "inspect FILE")]
    [InlineData(0, "validate FILE")]
    [InlineData(0, "wasm2wat FILE -o -")]
    [InlineData(0, "disasm FILE")]
    public void NamesAreEscaped(int code, string command)
    {
        string file = Put("esc.wat", $$"""
            (module $"m{{Evil}}" (import "i{{Evil}}" "n{{Evil}}" (func $"i{{Evil}}")) (tag $"t{{Evil}}" (export "t{{Evil}}") (param i32))
              (@custom "c{{Evil}}" "{{Evil}}") (global $"g{{Evil}}" (export "g{{Evil}}") i32 (i32.const 0))
              (func $"{{Evil}}" (export "f") (unreachable)) (func $"x{{Evil}}" (export "x{{Evil}}") (call $"{{Evil}}"))
              (func $"c{{Evil}}" (export "call") (call $"i{{Evil}}")) (func (export "throw") (throw $"t{{Evil}}" (i32.const 1))))
            """);
        (int actual, string text) = Run([.. command.Split(' ').Select(a => a == "FILE" ? file : a)]);
        IsClean(text);
        // Without the option the import is missing, which is told with its name.
        if (!command.StartsWith("run", StringComparison.Ordinal) || command.Contains("unknown", StringComparison.Ordinal)) Assert.Equal(code, actual);
        else Assert.Equal(1, actual);
        if (!command.EndsWith(' ') && !command.StartsWith("validate", StringComparison.Ordinal)) Assert.Contains("\\1b[31mred", text, StringComparison.Ordinal);
    }

    [Fact]
    public void TheNameInATrapIsEscaped()
    {
        string file = Put("esc.wat", """(module (func $"a\1b[31mred\0a\1b[2Jx" (export "f") (unreachable)))""");
        (int code, string text) = Run("run", file, "--invoke", "f");
        Assert.Equal(134, code);
        Assert.Equal("trap: unreachable\n    at a\\1b[31mred\\0a\\1b[2Jx+0x1\n", text);
    }

    [Fact]
    public void NamesInErrorsAreEscaped()
    {
        string invalid = Put("invalid.wat", $"(module (func $\"{Evil}\" (export \"{Evil}\") (export \"{Evil}\") (result i32)))");
        foreach (string command in new[] { "validate", "run", "inspect" })
        {
            (int code, string text) = Run(command, invalid);
            Assert.Equal(1, code);
            IsClean(text);
        }
        // Text that is not UTF-8, names that are unknown, scripts whose messages say anything.
        IsClean(Run("validate", Put("bad.wat", "(module (func (call $\"\\1b[31m\u009b\u202e\")))")).Text);
        IsClean(Run("wast", Put("a.wast", "(assert_invalid (module (func (result i32))) \"\u001b[31m\")\n(assert_trap (invoke \"\\1b[2J\") \"\\1b\")")).Text);
    }

    [Fact]
    public void NothingOfACommandLineIsReadFromAFile()
    {
        string response = Put("options", $"--dir\n{folder}::/");
        // The number of arguments, and whether there is a directory: 8 is a bad descriptor.
        string program = Put("args.wat", """
            (module (import "wasi_snapshot_preview1" "args_sizes_get" (func $sizes (param i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "fd_prestat_get" (func $prestat (param i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
              (memory (export "memory") 1)
              (func (export "_start") (drop (call $sizes (i32.const 0) (i32.const 4)))
                (call $exit (i32.add (i32.mul (i32.const 10) (i32.load (i32.const 0))) (call $prestat (i32.const 3) (i32.const 16))))))
            """);
        Assert.Equal(28, Run("run", program, "@" + response).Code);
        Assert.Equal(28, Run("run", program, "--", "@" + response).Code);
        Assert.Equal(38, Run("run", program, "x", "@" + response).Code);
        Assert.Equal(28, Run("run", program, "@nothing").Code);
        Assert.Equal(20, Run("run", "--dir", folder + "::/", program, "@" + response).Code);
        Assert.Equal(1, Run("@" + response).Code);
        Assert.Equal(1, Run("run", "@" + response).Code);
    }
}
