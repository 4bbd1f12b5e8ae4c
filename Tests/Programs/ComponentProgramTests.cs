using System.Collections.Concurrent;
using System.Text;
using WasmJit.Components;
using Xunit;

namespace WasmJit.Programs;

/// <summary>
/// The same programs as components, made with the adapter for preview 1, print what they print natively. A program that fails has the exit code 1 there. The program
/// "files" prints some lines of its own: the adapter takes one buffer of a list at a time, and knows no <c>fd_allocate</c>.
/// </summary>
public sealed class ComponentProgramTests : IDisposable
{
    private static readonly ConcurrentDictionary<string, Lazy<WasmComponent>> Components = [];

    private readonly DirectoryInfo directory = ProgramCase.MakeDirectory();

    public static TheoryData<string> Cases => [.. ProgramCase.All.Where(c => !c.IsLong && File.Exists(ProgramCase.ComponentOf(c.Program))).Select(c => c.Name)];

    public void Dispose() => directory.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Cases))]
    public void PrintsTheSame(string name)
    {
        ProgramCase program = ProgramCase.All.Single(c => c.Name == name);
        MemoryStream output = new(), error = new();
        using var wasi = new WasiComponentHost(new WasiOptions
        {
            Arguments = program.CommandLine,
            Input = new MemoryStream(program.ReadInput()),
            Output = output,
            Error = error,
            Directories = [new WasiDirectory(directory.FullName, "."), new WasiDirectory(ProgramCase.Scripts, "scripts", ReadOnly: true)],
        });
        WasmComponent component = Components.GetOrAdd(
            program.Program, static p => new Lazy<WasmComponent>(() => new Engine().CompileComponent(File.ReadAllBytes(ProgramCase.ComponentOf(p))))).Value;
        int code = wasi.Run(component);
        string expected = File.Exists(ProgramCase.ComponentOutput(program.Name)) ? File.ReadAllText(ProgramCase.ComponentOutput(program.Name)) : System.Text.RegularExpressions.Regex.Replace(program.ReadExpected(), "--- exit [1-9][0-9]*\n$", "--- exit 1\n");
        Assert.Equal(expected, ProgramCase.Transcript(Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()), code));
    }

    [Fact]
    public void ThereAreCases() => Assert.NotEmpty(Cases);
}
