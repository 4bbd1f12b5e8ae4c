using System.Diagnostics;
using System.Text.Json.Nodes;
using Xunit;

namespace WasmJit.Tests.Generators;

/// <summary>
/// Generated classes where no code can be made and the library does what it does in a program that is published native: it has the delegate types alone that it names,
/// and looks at no fields. A process of its own, since the switches hold for all of one.
/// </summary>
public sealed class WithoutCodeTests : IDisposable
{
    private const string Done = "done without code";

    private readonly string folder = Directory.CreateTempSubdirectory("wasmjit").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>What the process does. It has code if it is run by hand.</summary>
    internal static int Main()
    {
        if (System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported) return 1;
        var tests = new PluginTests();
        tests.AnInterfaceHasTwentyExportsTextsAndCallbacks(isGenerated: true);
        tests.AModuleIsAClass();
        tests.APropertyMayHaveADelegateTypeOfItsOwn();
        Console.WriteLine(Done);
        return 0;
    }

    [Fact]
    public async Task GeneratedClassesNeedNoDelegateTypesAndNoFields()
    {
        string tests = typeof(WithoutCodeTests).Assembly.Location, config = Path.Combine(folder, "config.json");
        JsonNode own = JsonNode.Parse(await File.ReadAllTextAsync(Path.ChangeExtension(tests, ".runtimeconfig.json")))!;
        JsonObject options = own["runtimeOptions"]!.AsObject();
        JsonObject properties = options["configProperties"]?.AsObject() ?? [];
        properties["System.Runtime.CompilerServices.RuntimeFeature.IsDynamicCodeSupported"] = false;
        properties["WasmJit.IsCompiledWhole"] = true;
        options["configProperties"] = properties;
        await File.WriteAllTextAsync(config, own.ToJsonString());
        (int code, string output, string error) = await ChildProcess.Run(new ProcessStartInfo("dotnet", ["exec", "--runtimeconfig", config, tests]));
        Assert.Equal((0, Done + "\n", ""), (code, output, error));
    }
}
