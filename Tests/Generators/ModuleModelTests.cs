using WasmJit.Generators;
using WasmJit.Linking;
using WasmJit.Text;
using Xunit;

namespace WasmJit.Tests.Generators;

/// <summary>What the generators read of a module is what the library reads.</summary>
public sealed class ModuleModelTests
{
    private static readonly Engine Engine = new();

    /// <summary>Compares a valid module. Some have types that only the library knows, which the model says.</summary>
    /// <returns>Whether the model knows it.</returns>
    private static bool Compare(byte[] bytes, string where)
    {
        Module module = Engine.Compile(bytes);
        ModuleModel model;
        try
        {
            model = ModuleModel.Read(bytes);
        }
        catch (UnreadableModuleException e)
        {
            Assert.True(e.Message.EndsWith("that only the library knows", StringComparison.Ordinal) || e.Message.EndsWith("whose types only the library knows", StringComparison.Ordinal), $"{where}: {e.Message}");
            return false;
        }
        Assert.Equal(module.Exports.Select(e => (where, e.Name, Written(e.Type.ToString()!), Letters(e.Type))),
            model.Exports.Select(e => (where, e.Name, Written(e.Text), Letters(e))));
        Assert.Equal(module.Imports.Select(i => (where, i.Module, i.Name, Written(i.Type.ToString()!), Letters(i.Type))),
            model.Imports.Select(i => (where, i.Module, (string?)i.Name, Written(i.Text), Letters(i))));
        Assert.Equal((where, module.Name), (where, model.Name));
        return true;
    }

    /// <summary>References to defined types are indices in the model, and types in the library.</summary>
    private static string Written(string type) => type.Contains("(ref", StringComparison.Ordinal) ? "" : type;

    private static string Letters(ExternType type) => type.Kind switch
    {
        ExternKind.Func or ExternKind.Tag => $"{CrossingType.LettersOf(type.Func.Params.AsSpan())}:{CrossingType.LettersOf(type.Func.Results.AsSpan())}",
        ExternKind.Global => $"{CrossingType.LetterOf(type.Global.Type)} {type.Global.IsMutable}",
        _ => "",
    };

    private static string Letters(ExternModel found) => found.Letter != default ? $"{found.Letter} {found.IsMutable}" : found.Text.StartsWith("(func", StringComparison.Ordinal) || found.Text.StartsWith("(tag", StringComparison.Ordinal)
        ? $"{found.Parameters}:{found.Results}" : "";

    [Fact]
    public void ModulesOfPrograms()
    {
        string[] files = Directory.GetFiles(Golden.InRepository("Tests/Programs/Wasm"), "*.wasm");
        int read = files.Select(f => (File.ReadAllBytes(f), f)).Where(f => f.Item1[4] == 1 && f.Item1[6] == 0).Count(f => Compare(f.Item1, f.f));
        Assert.True(read > 10, $"{read}");
    }

    [SuiteFact]
    public void ModulesOfTheOfficialSuite()
    {
        int read = 0, unread = 0;
        foreach (string file in Suite.Scripts())
        {
            foreach (WastCommand command in WastReader.Read(File.ReadAllBytes(Path.Combine(Suite.Folder!, file)), file).Commands)
            {
                if (command is not ModuleCommand { Module: var module }) continue;
                if (Compare(module.Encode(), $"{file}:{command.Line}")) read++;
                else unread++;
            }
        }
        Assert.True(read > 1000 && unread < read / 20, $"{read} {unread}");
    }

    /// <summary>Whatever the bytes are, the model reads them or says that it cannot.</summary>
    [Fact]
    public void BytesThatAreNoModule()
    {
        byte[] good = File.ReadAllBytes(Golden.InRepository("Tests/Generators/Modules/plugin.wasm"));
        var random = new Random(17);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] bytes = good[..random.Next(good.Length + 1)];
            for (int n = random.Next(4); n > 0 && bytes.Length > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            try { ModuleModel.Read(bytes); }
            catch (UnreadableModuleException) { }
        }
    }
}
