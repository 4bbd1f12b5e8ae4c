using WasmJit.Jit;
using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests;

/// <summary>Every module that the suite writes as text: encoded, printed, and read again, it has the same bytes.</summary>
public sealed class PrinterTests
{
    public static TheoryData<string> Files()
    {
        var data = new TheoryData<string>();
        foreach (string file in Suite.Scripts()) data.Add(file);
        if (data.Count == 0) data.Add(Suite.HowTo);
        return data;
    }

    [SuiteTheory]
    [MemberData(nameof(Files))]
    public void RoundTrips(string file)
    {
        WastScript script = WastReader.Read(File.ReadAllBytes(Path.Combine(Suite.Folder!, file)), file);
        var engine = new Engine();
        foreach (WastCommand command in script.Commands)
        {
            if (command is not ModuleCommand { Module: { Kind: WastModuleKind.Text } module }) continue;
            byte[] bytes = module.Encode();
            Assert.True(engine.Validate(bytes, out ModuleException? error), $"{file}:{command.Line}: {error?.Message}");
            string text = Wat.FromBinary(bytes);
            byte[] again = Wat.ToBinary(text);
            // Where one type has several indices, references to it are printed with the first: the module is the same, not the bytes.
            List<DefType> types = ModuleDecoder.Decode(bytes).Types;
            bool same = types.Distinct().Count() == types.Count ? bytes.AsSpan().SequenceEqual(again) : Wat.FromBinary(again) == text;
            Assert.True(same, $"{file}:{command.Line} changes on its way:\n{text[..Math.Min(text.Length, 2000)]}");
        }
    }
}
