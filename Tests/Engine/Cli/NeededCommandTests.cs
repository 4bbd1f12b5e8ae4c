using System.CommandLine;
using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Only the commands are made that a command line may mean.</summary>
public sealed class NeededCommandTests
{
    [Fact]
    public void CommandsHaveTheNamesThatAreAskedFor()
    {
        Command root = Tool.Root(new Terminal(TextWriter.Null, TextWriter.Null), Tool.Commands);
        Assert.Equal(Tool.Commands, root.Subcommands.Select(c => c.Name));
        Assert.Equal(Tool.Commands.Distinct(), Tool.Commands);
    }

    [Fact]
    public void ThoseThatMayBeMeantAreMade()
    {
        foreach (string name in Tool.Commands) Assert.Contains(name, Tool.NeededFor([name, "x"]));
        Assert.Equal(["run"], Tool.NeededFor(["run", "fuzz"]));
        Assert.Equal(["run"], Tool.NeededFor(["./program.wasm", "compile"]));
        Assert.Equal(["run", "compile"], Tool.NeededFor(["compile", "program.wasm"]));
        foreach (string[] all in new[] { [], ["help"], ["help", "run"], ["--help"], ["--version"], ["rum"], ["--memory-checks", "guard", "compile"], new[] { "completion", "bash" }, ["run", "-h"], ["compile", "x.wasm", "--help"] })
            Assert.Equal(Tool.Commands, Tool.NeededFor(all));
    }

    /// <summary>What is written does not depend on it: the same help, errors and suggestions as with all commands.</summary>
    [Theory]
    [InlineData("run", "--help")]
    [InlineData("run", "--unknown", "x.wasm")]
    [InlineData("run")]
    [InlineData("compile", "--help")]
    [InlineData("compile", "x.wasm", "--natve")]
    [InlineData("./x.wasm", "--dirr")]
    public void MessagesAreTheSame(params string[] arguments)
    {
        string config = Path.GetTempFileName();
        try
        {
            // With a configuration all commands are made, since it may name any.
            File.WriteAllText(config, "{}");
            Assert.Equal(Run(arguments, config), Run(arguments, ""));
        }
        finally
        {
            File.Delete(config);
        }
    }

    private static (int, string, string) Run(string[] arguments, string config)
    {
        StringWriter output = new(), error = new();
        int code = Tool.Run(arguments, output, error, config);
        return (code, output.ToString(), error.ToString());
    }
}
