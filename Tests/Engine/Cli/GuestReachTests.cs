using WasmJit.Cli;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Saved modules are code of the host. The tool runs none that a file of unknown origin may be, or that its guest could write, and writes nothing where a guest could lead it elsewhere.</summary>
public sealed class GuestReachTests : IDisposable
{
    private const string Seven = """(module (func (export "f") (result i32) (i32.const 7)))""";

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit-reach").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string At(string name) => Path.Combine(folder, name);

    private (int Code, string Out, string Error) Run(params string[] args) => ToolRun.In(folder, args);

    private string Save(string name)
    {
        File.WriteAllText(At("seven.wat"), Seven);
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        Assert.Equal((0, "", ""), Run("compile", At("seven.wat"), "-o", At(name)));
        return At(name);
    }

    [Theory]
    [InlineData("m.dll", true)]
    [InlineData("M.DLL", true)]
    [InlineData("m.saved", true)]
    [InlineData("m.wasm", false)]
    [InlineData("m.wat", false)]
    [InlineData("m", false)]
    [InlineData("m.dll.wasm", false)]
    public void SavedCodeNeedsItsName(string name, bool isTaken)
    {
        string file = Save(name);
        Assert.Equal(
            isTaken ? (0, "7\n", "") : (1, "", $"error: DIR/{name} is no module, but code of the host, such as \"compile\" saves\nhelp: if you trust it, say --allow-saved, or name it .dll\n"),
            Run("run", "--invoke", "f", file));
        Assert.Equal((0, "7\n", ""), Run("run", "--allow-saved", "--invoke", "f", file));
        // Nothing of it is loaded by commands that do not run it.
        Assert.Equal((0, $"DIR/{name}: valid\n", ""), Run("validate", file));
    }

    [Fact]
    public void SavedComponentsNeedTheirName()
    {
        File.WriteAllText(At("c.wat"), """
            (component
              (core module $m (func (export "f") (result i32) (i32.const 7)))
              (core instance $i (instantiate $m))
              (func (export "f") (result u32) (canon lift (core func $i "f"))))
            """);
        Assert.Equal((0, "", ""), Run("compile", At("c.wat")));
        Assert.Equal((0, "7\n", ""), Run("run", "--invoke", "f", At("c.saved")));
        File.Move(At("c.saved"), At("upload.wasm"));
        foreach (string[] command in new string[][] { ["run", "--invoke", "f", At("upload.wasm")], ["serve", At("upload.wasm")] })
            Assert.Equal((1, "", "error: DIR/upload.wasm is no module, but code of the host, such as \"compile\" saves\nhelp: if you trust it, say --allow-saved, or name it .dll\n"), Run(command));
        Assert.Equal((0, "7\n", ""), Run("run", "--allow-saved", "--invoke", "f", At("upload.wasm")));
    }

    [Fact]
    public void GuestsCannotWriteTheCodeThatRuns()
    {
        string file = Save("given/inner/m.dll");
        Directory.CreateDirectory(At("other"));
        foreach (string given in new[] { "given", "given/inner", "." })
        {
            Assert.Equal(
                (1, "", $"error: DIR/given/inner/m.dll: saved code is code of the host, and the guest may write to DIR/{given}\nhelp: give the guest that directory with ::ro, or take another place\n"),
                Run("run", "--dir", At(given) + "::/data", "--invoke", "f", file));
            Assert.Equal((0, "7\n", ""), Run("run", "--dir", At(given) + "::/data::ro", "--dir", At("other"), "--invoke", "f", file));
        }
        // Libraries by path are such code, too, and the directory that they are in may be around the guest's.
        foreach (string saved in new[] { "given/inner", "given", "." })
        {
            Assert.Equal(
                (1, "", $"error: DIR/{saved}: it has code of the host, and the guest may write to DIR/given\nhelp: give the guest that directory with ::ro, or take another place\n"),
                Run("run", "--dir", At("given") + "::/data", "--saved-dir", At(saved), "--invoke", "f", At("seven.wat")));
        }
    }

    [LinuxFact]
    public void LinksLeadWhereTheyLead()
    {
        string file = Save("given/m.dll");
        Directory.CreateSymbolicLink(At("link"), At("given"));
        File.CreateSymbolicLink(At("m.dll"), file);
        foreach ((string directory, string saved) in new[] { ("link", file), ("given", At("link/m.dll")), ("given", At("m.dll")), ("link", At("m.dll")) })
            Assert.Contains("saved code is code of the host", Run("run", "--dir", At(directory) + "::/", "--invoke", "f", saved).Error, StringComparison.Ordinal);
    }

    /// <summary>A guest could put a link in the place of the file, or of a directory that leads to it, and so have the tool write what it likes where it likes.</summary>
    [Theory]
    [InlineData("--coredump", "core")]
    [InlineData("--profile", "profile.json")]
    public void NothingIsWrittenWhereAGuestCouldLeadIt(string option, string name)
    {
        Directory.CreateDirectory(At("given/inner"));
        File.WriteAllText(At("traps.wat"), """(module (func (export "f") (unreachable)))""");
        foreach (string place in new[] { "given/" + name, "given/inner/" + name })
        {
            Assert.Equal(
                (1, "", $"error: DIR/{place}: it is written when the guest has ended, and the guest may write to DIR/given\nhelp: give the guest that directory with ::ro, or take another place\n"),
                Run("run", option, At(place), "--dir", At("given") + "::/", "--invoke", "f", At("traps.wat")));
            Assert.Equal(Tool.Trapped, Run("run", option, At(place), "--dir", At("given") + "::/::ro", "--invoke", "f", At("traps.wat")).Code);
            Assert.True(File.Exists(At(place)));
        }
        Assert.Equal(Tool.Trapped, Run("run", option, At(name), "--dir", At("given") + "::/", "--invoke", "f", At("traps.wat")).Code);
    }
}
