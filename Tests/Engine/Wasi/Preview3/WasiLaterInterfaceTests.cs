using WasmJit.Components;
using WasmJit.Wasi.Preview2;
using Xunit;

namespace WasmJit.Tests;

/// <summary>The functions of the host are those of the specification of WASI 0.3, with its types.</summary>
public sealed class WasiLaterInterfaceTests
{
    [Fact]
    public void TheHostHasAllFunctionsOfTheSpecificationAndNoOthers()
    {
        using var host = new WasiComponentHost();
        IEnumerable<string> given = Wasi.Preview3.Interfaces.All.SelectMany(i =>
        {
            var writer = new InterfaceWriter(new ComponentHost());
            i.Add(writer, host.State);
            return writer.Functions.Select(f => $"{i.Name}#{f}");
        });
        Assert.Equal(WasiMirror.Later.Names.Keys.Order(StringComparer.Ordinal), given.Order(StringComparer.Ordinal));
    }

    /// <summary>An import whose type is another one is an error.</summary>
    [Fact]
    public void AllTypesAreThoseOfTheSpecification()
    {
        using var mirror = new WasiMirror(new WasiOptions(), isLater: true);
        Assert.NotEmpty(mirror.Instance.Exports);
    }

    [Fact]
    public void ThePageHasTheTestsOfEveryFunction() => WasiInterfaceTests.CheckPage(isLater: true, WasiMirror.Later.Names.Keys);
}
