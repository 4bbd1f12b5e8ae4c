using System.Runtime.InteropServices;
using Xunit;

namespace WasmJit.Tests.Packages;

/// <summary>Projects with modules (WasmJit.Build): compiled when the project is built, in what it is published as.</summary>
[Collection(PackageCollection.Name)]
public sealed class BuildTests(PackageFeed packages)
{
    private const string Program = """
        Instance instance = module.Instantiate();
        // All that a call needs beside the function itself.
        Console.WriteLine(instance.GetExport<Func<int, int>>("square")(6));
        var fib = instance.GetExport<Func<int, int>>("fib");
        long before = JitInfo.GetCompiledMethodCount(currentThread: true);
        Console.WriteLine(fib(20));
        Console.WriteLine(JitInfo.GetCompiledMethodCount(currentThread: true) == before ? "nothing was compiled" : "compiled");
        Console.WriteLine(engine.LoadSaved(Assembly.Load("second")).Instantiate().GetExport<Func<int, int>>("square")(7));
        """;

    private const string Module = """
        (module
          (func (export "square") (param i32) (result i32) (i32.mul (local.get 0) (local.get 0)))
          (func $fib (export "fib") (param i32) (result i32)
            (if (result i32) (i32.lt_s (local.get 0) (i32.const 2)) (then (local.get 0))
              (else (i32.add (call $fib (i32.sub (local.get 0) (i32.const 1))) (call $fib (i32.sub (local.get 0) (i32.const 2))))))))
        """;

    /// <summary>As IL: the JIT compiles what is called. A build that has changed nothing compiles no module.</summary>
    [Fact]
    public async Task IsBuilt()
    {
        string folder = await Project("wasm-built", "<UseAppHost>false</UseAppHost>"), output = Path.Combine(folder, "out");
        await Dotnet.Run(folder, "build", "-c", "Release", "-v", "quiet", "-o", output);
        Assert.Equal("36\n6765\ncompiled\n49\n", await Dotnet.Run(folder, Path.Combine(output, "modules.dll")));
        DateTime written = File.GetLastWriteTimeUtc(Path.Combine(output, "numbers.dll"));
        await Dotnet.Run(folder, "build", "-c", "Release", "-v", "quiet", "-o", output);
        Assert.Equal(written, File.GetLastWriteTimeUtc(Path.Combine(output, "numbers.dll")));
        // What is wrong with a module is an error of the build.
        await File.WriteAllTextAsync(Path.Combine(folder, "numbers.wat"), "(module (func (result i32)))");
        (int code, string text, _) = await Dotnet.Start(Environment.ProcessPath!, folder, "build", "-c", "Release", "-v", "quiet", "-o", output);
        Assert.NotEqual(0, code);
        Assert.Contains("numbers.wat:1:", text, StringComparison.Ordinal);
    }

    /// <summary>With machine code, as files and as one file.</summary>
    [Fact]
    public async Task IsPublishedWithMachineCode()
    {
        if (!OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64) return;
        const string ready = "<PublishReadyToRun>true</PublishReadyToRun><SelfContained>false</SelfContained><RuntimeIdentifier>linux-x64</RuntimeIdentifier>";
        string folder = await Project("wasm-ready", ready), output = Path.Combine(folder, "out"), single = Path.Combine(folder, "single");
        await Dotnet.Run(folder, "publish", "-c", "Release", "-v", "quiet", "-o", output);
        const string expected = "36\n6765\nnothing was compiled\n49\n";
        Assert.Equal(expected, await Dotnet.Run(folder, Path.Combine(output, "modules.dll")));
        await Dotnet.Run(folder, "publish", "-c", "Release", "-v", "quiet", "-o", single, "-p:PublishSingleFile=true");
        Assert.Equal(["modules"], Directory.GetFiles(single).Select(Path.GetFileName).Where(n => Path.GetExtension(n) is not (".pdb" or ".xml")));
        Assert.Equal((0, expected, ""), await Dotnet.Start(Path.Combine(single, "modules"), folder));
        // Properties of the command line are heeded in the same folder.
        string portable = Path.Combine(folder, "portable");
        await Dotnet.Run(folder, "publish", "-c", "Release", "-v", "quiet", "-o", portable, "-p:WasmModuleNative=false");
        Assert.Equal(expected.Replace("nothing was compiled", "compiled", StringComparison.Ordinal), await Dotnet.Run(folder, Path.Combine(portable, "modules.dll")));
    }

    /// <summary>The same with .NET in it, which is compiled as one then, for minutes: where WASMJIT_LONG_BUILDS asks for it.</summary>
    [Fact]
    public async Task IsPublishedWithDotNet()
    {
        if (Environment.GetEnvironmentVariable("WASMJIT_LONG_BUILDS") is null || !OperatingSystem.IsLinux() || RuntimeInformation.ProcessArchitecture != Architecture.X64) return;
        const string ready = "<PublishReadyToRun>true</PublishReadyToRun><SelfContained>true</SelfContained><RuntimeIdentifier>linux-x64</RuntimeIdentifier><PublishSingleFile>true</PublishSingleFile>";
        string folder = await Project("wasm-whole", ready), output = Path.Combine(folder, "out");
        await Dotnet.Run(folder, "publish", "-c", "Release", "-v", "quiet", "-o", output);
        Assert.Equal((0, "36\n6765\nnothing was compiled\n49\n", ""), await Dotnet.Start(Path.Combine(output, "modules"), folder));
    }

    private async Task<string> Project(string name, string properties)
    {
        string folder = await packages.ProjectFolder(name, isOnline: true);
        string readme = (await File.ReadAllTextAsync(Dotnet.InRepository("Build/README.md"))).ReplaceLineEndings("\n"), sample = readme.Split("```csharp\n")[1].Split("```")[0];
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), "using System.Runtime;\n" + sample.Replace("\"app\"", "\"numbers\"", StringComparison.Ordinal) + Program);
        await File.WriteAllTextAsync(Path.Combine(folder, "numbers.wat"), Module);
        await PackageFeed.WriteProject(folder, "modules", "<InvariantGlobalization>true</InvariantGlobalization>" + properties, $"""
            <PackageReference Include="WasmJit" Version="{packages.Version}" />
            <PackageReference Include="WasmJit.Build" Version="{packages.Version}" />
            <WasmModule Include="numbers.wat" />
            <WasmModule Include="numbers.wat" AssemblyName="second" Options="--memory-checks explicit" />
            """);
        return folder;
    }
}
