using System.Text;
using WasmJit.Builtins;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The C program of Samples/LinkingBuiltins, which makes a module and calls it.</summary>
public sealed class LinkingProgramTests
{
    [Fact]
    public void TheProgramSaysWhatItShould()
    {
        Module program = new Engine().Compile(File.ReadAllBytes(Golden.InRepository("Samples/LinkingBuiltins/main.wasm")));
        var output = new MemoryStream();
        using var wasi = new WasiHost(new WasiOptions
        {
            Arguments = ["main", "1", "-20", "300"],
            Output = output,
            Linking = new LinkingOptions { AllowCompile = true },
        });
        Assert.Equal(0, wasi.Run(program));
        Golden.Equal("linking.txt", Encoding.UTF8.GetString(output.ToArray()));
    }
}
