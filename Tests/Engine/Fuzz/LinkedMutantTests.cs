using WasmJit.Jit.Format;
using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>
/// Mutants of the extension's scripts that are still valid, linked with whatever fits and run with little fuel: each call ends
/// in a value or in one of the exceptions that hosts are told of.
/// </summary>
public sealed class LinkedMutantTests
{
    private static readonly byte[] Bytes = [0, 1, 2, 3, 5, 6, 7, Opcode.End, TypeByte.ExactModule, TypeByte.Module, TypeByte.Instance, TypeByte.Ref, TypeByte.I32, OperatorPrefix.Linking];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void EndTyped(int seed)
    {
        byte[][] modules =
        [
            .. Directory.GetFiles(Golden.InRepository("Tests/Conformance"), "static-*.wast")
                .SelectMany(f => ModuleFuzzer.ModulesOf(WastReader.Read(File.ReadAllBytes(f), f))),
        ];
        int count = int.TryParse(Environment.GetEnvironmentVariable("WASMJIT_RANDOM_COUNT"), out int more) ? more : 3000;
        var random = new Random(seed);
        var engine = new Engine(new EngineOptions { CountFuel = true });
        int linked = 0, called = 0;
        for (int i = 0; i < count; i++)
        {
            byte[] bytes = (byte[])modules[random.Next(modules.Length)].Clone();
            for (int n = random.Next(1, 3); n > 0; n--)
                bytes[random.Next(8, bytes.Length)] = random.Next(3) == 0 ? (byte)random.Next(256) : Bytes[random.Next(Bytes.Length)];
            string what = $"{i} of seed {seed}: {Convert.ToHexString(bytes)}";
            Instance instance;
            try
            {
                Module module = engine.Compile(bytes);
                Imports imports = SpecTest.Make();
                imports.AddUnknown(module, UnknownImports.Default);
                instance = module.Instantiate(imports, new Fuel(20_000));
            }
            catch (Exception e)
            {
                Assert.True(e is ModuleException or LinkException or TrapException or WasmException, $"{what}: {e}");
                continue;
            }
            linked++;
            foreach (ExportType export in instance.Exports)
            {
                if (export.Type.Kind != ExternKind.Func || export.Type.Func.Params.Any(p => p.Kind != ValKind.I32)) continue;
                var function = (Delegate)instance.FindExport(export.Name)!;
                try
                {
                    instance.Fuel = new Fuel(20_000);
                    function.DynamicInvoke([.. export.Type.Func.Params.Select(_ => (object)random.Next(4))]);
                    called++;
                }
                catch (System.Reflection.TargetInvocationException e)
                {
                    Assert.True(e.InnerException is TrapException or WasmException, $"{what}: {e.InnerException}");
                }
            }
        }
        Assert.True(linked > count / 20 && called > 0, $"{linked} linked, {called} calls");
    }
}
