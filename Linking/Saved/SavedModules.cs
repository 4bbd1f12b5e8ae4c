using System.Reflection;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Saved;
using WasmJit.Jit.Tiers;
using WasmJit.Jit.Validation;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>Modules as .NET assemblies: the data that is saved beside the code, and the checks when an assembly is loaded.</summary>
internal static class SavedModules
{
    private const string DefaultName = "wasm";

    /// <summary>The longest name of an assembly: .NET loads none of a few hundred characters.</summary>
    private const int LongestName = 100;

    /// <summary>Writes the assembly.</summary>
    /// <param name="module">The module.</param>
    /// <param name="isNative">Whether it is written for a compiler that runs ahead of time.</param>
    /// <param name="name">The assembly's name; null for the module's.</param>
    internal static byte[] Write(Module module, bool isNative = false, string? name = null)
    {
        RuntimeCode.RequireAssemblies();
        ModuleInfo info = module.Info;
        Features features = UsedFeatures(info);
        bool usesLinking = !IsValid(info, info.Settings with { AllowLinking = false, AllowCompile = false });
        bool usesCompile = usesLinking && !IsValid(info, info.Settings with { AllowCompile = false });
        return SavedWriter.Write(NameOf(name ?? module.Name), info, module.Engine.CodeOptions, features, usesLinking, usesCompile, isNative);
    }

    /// <summary>The assembly's name: the module's, as far as an assembly can be called so.</summary>
    private static string NameOf(string? wanted)
    {
        string name = string.Concat((wanted ?? "").Where(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.')).Trim('.');
        if (name.Length > LongestName) name = name[..LongestName].TrimEnd('.');
        // .NET loads no other assembly of this name.
        return name.Length == 0 || name.Equals(typeof(object).Assembly.GetName().Name, StringComparison.OrdinalIgnoreCase) ? DefaultName : name;
    }

    /// <summary>Those without which the module would not be valid.</summary>
    private static Features UsedFeatures(ModuleInfo info)
    {
        Features used = Features.None;
        foreach (Features feature in Enum.GetValues<Features>())
        {
            if (int.PopCount((int)feature) != 1) continue;
            if (!IsValid(info, info.Settings with { Features = info.Features & ~feature })) used |= feature;
        }
        return used;
    }

    private static bool IsValid(ModuleInfo info, DecodeSettings settings)
    {
        try
        {
            ModuleValidator.Validate(ModuleDecoder.Decode(info.Bytes, settings));
            return true;
        }
        catch (ModuleException)
        {
            return false;
        }
    }

    internal static Module Load(Engine engine, byte[] file)
    {
        Prepare();
        return Make(engine, SavedAssembly.Load(file, header => Check(engine, header)));
    }

    internal static Module Load(Engine engine, string path)
    {
        Prepare();
        return Make(engine, SavedAssembly.Load(path, header => Check(engine, header)));
    }

    internal static Module Load(Engine engine, Assembly assembly)
    {
        Prepare();
        return Make(engine, SavedAssembly.Load(assembly, header => Check(engine, header)));
    }

    private static void Prepare()
    {
        RuntimeCode.RequireAssemblies();
        GcBatch.UseWriter();
    }

    private static Module Make(Engine engine, SavedAssembly assembly)
    {
        // What its declarations say of code is the assembly's.
        var module = new Module(engine, assembly.Root.Info);
        if (engine.Options.Compilation == Compilation.Ahead) assembly.Root.CompileAll();
        return module;
    }

    private static void Check(Engine engine, SavedHeader header)
    {
        CodeOptions wanted = engine.CodeOptions;
        if (!header.Options.ChecksMemories && wanted.ChecksMemories)
            throw Other("its code leaves the bounds of memories to the processor; save it with MemoryChecks.Explicit");
        if (!header.Options.IsInterruptible && wanted.IsInterruptible)
            throw Other("its loops do not look for cancellation; save it with Interruptible");
        if (!header.Options.CountsFuel && wanted.CountsFuel) throw Other("its code does not count fuel; save it with CountFuel");
        Features missing = header.Features & ~engine.Options.Features;
        if (missing != Features.None) throw NotAllowed($"it uses {missing}");
        if (header.UsesLinking && !engine.Options.RuntimeLinking) throw NotAllowed("it uses the runtime-linking extension");
        if (header.UsesCompile && !engine.Options.RuntimeCompile) throw NotAllowed("it uses runtime compile");
    }

    private static SavedModuleException Other(string message) => new(SavedModuleProblem.OtherOptions, message);

    private static SavedModuleException NotAllowed(string message) =>
        new(SavedModuleProblem.NotAllowed, message + ", which the engine's options do not allow");
}
