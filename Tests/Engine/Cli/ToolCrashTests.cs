using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>What the tool does when it is at fault itself, and when its configuration is.</summary>
public sealed class ToolCrashTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-crash").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string File(string name, string content)
    {
        string path = Path.Combine(folder, name);
        System.IO.File.WriteAllText(path, content);
        return path;
    }

    private static (int Code, string Out, string Error) Run(string configuration, params string[] args)
    {
        StringWriter output = new(), error = new();
        int code = Tool.Run(args, output, error, configuration);
        return (code, output.ToString().ReplaceLineEndings("\n"), error.ToString().ReplaceLineEndings("\n"));
    }

    [Fact]
    public void ACrashOfTheToolIsNoTrap()
    {
        string trap = File("trap.wat", "(module (func (export \"_start\") unreachable))"), one = File("one.wat", "(module (func (export \"f\") (result i32) (i32.const 1)))");
        Assert.Equal(Tool.Trapped, Run("", trap).Code);
        var error = new StringWriter();
        Assert.Equal(Tool.Crashed, Tool.Run(["--invoke", "f", one], new FaultyWriter(), error));
        Assert.StartsWith("internal error: NotSupportedException: this writer is out of order\n", error.ToString().ReplaceLineEndings("\n"), StringComparison.Ordinal);
        Assert.Contains("   at WasmJit.", error.ToString(), StringComparison.Ordinal);
    }

    private sealed class FaultyWriter : StringWriter
    {
        public override void WriteLine(string? value) => throw new NotSupportedException("this writer is out of order");
    }

    [Theory]
    [InlineData("{ \"run\": { \"fuel\": 10 } }", "trap: out of fuel")]
    [InlineData("{ \"fuel\": \"10\" } // for all commands that have it", "trap: out of fuel")]
    [InlineData("{ \"run\": { \"fuel\": true } }", "fuel must be a text or a number")]
    [InlineData("{ \"run\": { \"allow-compile\": 1 } }", "allow-compile must be true or false")]
    [InlineData("{ \"run\": { \"env\": [[]] } }", "env must be a text, a number or a list of them")]
    [InlineData("{ \"ran\": { } }", "unknown command \"ran\"\nhelp: did you mean run?")]
    [InlineData("{ \"wast\": { \"fuel\": 1 } }", "unknown option \"fuel\"")]
    [InlineData("{ \"run\": { \"tier\": \"slow\" } }", "--tier slow: the value must be")]
    [InlineData("[]", "the configuration must be an object")]
    [InlineData("""{ "run": { "dir": "a\u0000b" } }""", "dir must be a text, a number or a list of them")]
    [InlineData("{\n  \"run\": {", "DIR/config.json:2:")]
    public void TheConfigurationCountsAndIsChecked(string content, string message)
    {
        string config = File("config.json", content), loop = File("loop.wat", "(module (func (export \"_start\") (loop $l (br $l))))");
        (_, _, string error) = Run(config, "run", loop);
        Assert.Contains(message, error.Replace(folder, "DIR", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public void TheCommandLineGoesBefore()
    {
        string config = File("config.json", "{ \"run\": { \"fuel\": 1, \"invoke\": \"none\", \"tier\": \"compiler\", \"allow-compile\": false } }");
        string one = File("one.wat", "(module (func (export \"f\") (result i32) (i32.const 1)))");
        Assert.Equal((0, "1\n", ""), Run(config, "run", "--fuel=1000", "--invoke", "f", one));
        Assert.Equal((0, "1\n", ""), Run(File("config.json", "\ufeff{ \"run\": { \"invoke\": \"f\" } }"), "run", one));
        string large = File("config.json", new string(' ', 1 << 20));
        Assert.StartsWith($"error: {large}: the configuration is larger than", Run(large, "run", one).Error, StringComparison.Ordinal);
        Assert.StartsWith("error: the configuration cannot be read", Run(Path.Combine(folder, "no.json"), "run", one).Error, StringComparison.Ordinal);
    }
}
