using System.Diagnostics;
using Xunit;

namespace WasmJit.Tests.Docs;

/// <summary>The sample that is published as a native program, as CoreCLR runs it: it makes no code there either.</summary>
public sealed class NativeAotSampleTests
{
    private const string Expected = """
        no code can be made
        7, 1 page
        i64 3 f64 2.5
        6765
        1047
        1
        integer divide by zero in guest!divide
        integer overflow in guest!divide
        out of bounds memory access in guest!load
        uninitialized element 1 in guest!call
        50
        4 -5
        0 3
        1

        """;

    [Fact]
    public async Task GuestsAreInterpreted() => Assert.Equal(
        (0, Expected.ReplaceLineEndings("\n"), ""),
        await ChildProcess.Run(new ProcessStartInfo("dotnet", ["exec", Path.Combine(AppContext.BaseDirectory, "native-aot.dll")])));
}
