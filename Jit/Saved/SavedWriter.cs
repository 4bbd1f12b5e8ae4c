using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using WasmJit.Jit.Tiers;

namespace WasmJit.Jit.Saved;

/// <summary>
/// Writes a module as a .NET assembly: each function as a static method, in order, in classes of some hundred each; besides, what
/// would be made at run time: entries from .NET, adapters to host functions, stubs and guards of frames, and the constants of
/// <see cref="SavedConstants"/>. The module's bytes are a resource with the rest of <see cref="SavedHeader"/>. What is written for a compiler that runs ahead
/// of time (<c>wasmjit compile --native</c>) is not outlined, since that compiler has no limits, and is not marked to be optimised at once, which would
/// exclude it.
/// </summary>
internal sealed class SavedWriter
{
    internal const TypeAttributes StaticClass = TypeAttributes.Public | TypeAttributes.Abstract | TypeAttributes.Sealed;

    /// <summary>Without this attribute a compiler that runs ahead of time has each static method ask first whether its class is initialised.</summary>
    private const TypeAttributes MethodsClass = StaticClass | TypeAttributes.BeforeFieldInit;

    internal const string EntriesClass = "Entries", HostAdaptersClass = "HostAdapters", StubsClass = "Stubs", GuardsClass = "Guards";

    /// <summary>The functions in a class: the runtime loads a class as a whole.</summary>
    internal const int FunctionsInClass = 256;

    private const MethodAttributes StaticMethod = MethodAttributes.Public | MethodAttributes.Static;

    // Saved code is optimised at once wherever it is loaded, and is reached through cells: no other code may have a copy of it.
    private const MethodImplAttributes Optimised =
        MethodImplAttributes.IL | MethodImplAttributes.AggressiveOptimization | MethodImplAttributes.NoInlining;

    private const MethodImplAttributes Ahead = MethodImplAttributes.IL | MethodImplAttributes.NoInlining;

    /// <summary>For functions that would take the optimiser too long; see <see cref="JitCost"/>.</summary>
    private const MethodImplAttributes Unoptimised =
        MethodImplAttributes.IL | MethodImplAttributes.NoOptimization | MethodImplAttributes.NoInlining;

    private readonly IReadOnlyList<ModuleInfo> modules;
    private readonly CodeOptions options;
    private readonly bool isNative;
    private readonly PersistedAssemblyBuilder assembly;
    private readonly ModuleBuilder module;
    private readonly SavedConstants constants;
    private readonly SortedSet<string> instructionSets = new(StringComparer.Ordinal);
    private readonly List<(int Module, int Func, long Estimate)> guards = [];
    private readonly List<MethodBuilder> guarded = [];
    private readonly SavedTarget target;

    /// <summary>The classes that the loader looks for, and the first method of each. Methods have no tokens before all is written.</summary>
    private readonly List<(string Name, MethodBuilder First)> classes = [];

    private SavedWriter(string name, IReadOnlyList<ModuleInfo> modules, CodeOptions options, bool isNative)
    {
        this.modules = modules;
        this.options = options;
        this.isNative = isNative;
        assembly = new PersistedAssemblyBuilder(new AssemblyName(name), typeof(object).Assembly);
        foreach (string friend in Outliner.Friends) IgnoresAccessChecksToAttribute.Add(assembly, friend);
        module = assembly.DefineDynamicModule(name);
        constants = new SavedConstants(module, modules, isNative);
        target = new SavedTarget(constants, options);
    }

    /// <summary>The class of a function, and the number of its method there.</summary>
    internal static string ClassOf(int module, int own) => $"M{module}F{own / FunctionsInClass}";

    /// <summary>Writes a valid module.</summary>
    /// <param name="name">The assembly's name.</param>
    /// <param name="info">The module.</param>
    /// <param name="options">What its code does.</param>
    /// <param name="features">The features that it uses.</param>
    /// <param name="usesLinking">Whether it uses runtime linking.</param>
    /// <param name="usesCompile">Whether it compiles bytes.</param>
    /// <param name="isNative">Whether a compiler that runs ahead of time follows, and then <see cref="SavedHeader.Seal"/>.</param>
    /// <exception cref="UnsupportedModuleException">A function has more temporaries than IL allows.</exception>
    internal static byte[] Write(string name, ModuleInfo info, CodeOptions options, Features features, bool usesLinking, bool usesCompile, bool isNative)
    {
        var writer = new SavedWriter(name, [.. info.WithNested()], options, isNative);
        return writer.Write(features, usesLinking, usesCompile);
    }

    private byte[] Write(Features features, bool usesLinking, bool usesCompile)
    {
        for (int i = 0; i < modules.Count; i++) WriteFunctions(i);
        string[] stubs = WriteAll(StubsClass, OwnSignatures().Where(s => StubShape.CanBeNumbered(s, out _)), WriteStub);
        string[] entries = WriteAll(EntriesClass, OwnSignatures(), WriteEntry);
        string[] adapters = WriteAll(HostAdaptersClass, modules.SelectMany(AllSignatures).Distinct().Where(s => !s.IsSameForHost && s.HasNamedDelegate && !s.DelegateType.IsCollectible), WriteAdapter);
        WriteGuards();
        constants.Finish();
        MetadataBuilder metadata = assembly.GenerateMetadata(out BlobBuilder il, out BlobBuilder data);
        var header = new SavedHeader
        {
            IsNative = isNative,
            Options = options,
            Features = features,
            UsesLinking = usesLinking,
            UsesCompile = usesCompile,
            IsForThreads = modules[0].IsForThreads,
            InstructionSets = [.. instructionSets],
            Constants = [.. constants.Order],
            Entries = entries,
            HostAdapters = adapters,
            Stubs = stubs,
            Guards = [.. guards],
            Called = [.. target.Called.Where(c => !isNative || !HasNumberedStub(c.Module, c.Func))],
            Classes = [.. classes.Select(c => (c.Name, c.First.MetadataToken))],
            Module = modules[0].Bytes,
            Content = isNative ? InitialContent.Of(modules[0]) : null,
        };
        return Serialise(header.Write(), metadata, il, data);
    }

    /// <summary>Whether the stub of a function has a number. The loader of native code makes all stubs with numbers, so the header need not list their functions.</summary>
    private bool HasNumberedStub(int module, int func) => StubShape.CanBeNumbered(Signature.Of(modules[module].Funcs[func].Type), out _);

    private static byte[] Serialise(byte[] resource, MetadataBuilder metadata, BlobBuilder il, BlobBuilder data)
    {
        metadata.AddManifestResource(ManifestResourceAttributes.Private, metadata.GetOrAddString(SavedHeader.ResourceName), default, 0);
        var resources = new BlobBuilder(resource.Length);
        resources.WriteBytes(resource);
        var image = new ManagedPEBuilder(
            PEHeaderBuilder.CreateLibraryHeader(), new MetadataRootBuilder(metadata), il, data, managedResources: resources);
        var blob = new BlobBuilder();
        image.Serialize(blob);
        byte[] file = blob.ToArray();
        SavedHeader.Seal(file);
        return file;
    }

    // ---- functions ----

    private void WriteFunctions(int number)
    {
        ModuleInfo info = modules[number];
        int own = info.Funcs.Count - info.ImportedFuncs;
        TypeBuilder? functions = null, bodies = null;
        for (int i = 0; i < own; i++)
        {
            if (i % FunctionsInClass == 0)
            {
                functions?.CreateType();
                bodies?.CreateType();
                bodies = null;
                functions = module.DefineType(ClassOf(number, i), MethodsClass);
            }
            int func = info.ImportedFuncs + i;
            IlBuffer il = FunctionEmitter.Emit(info, func, target);
            if (il.Locals.Count > IlBuffer.MaxLocals)
                throw new UnsupportedModuleException($"the function {FunctionCode.NameOf(info, func, default)} needs more than {IlBuffer.MaxLocals} temporaries");
            GcBinding.Rewrite(il, constants);
            NoteInstructionSets(il);
            Signature signature = Signature.Of(info.Funcs[func].Type);
            // A name ends at a NUL in metadata.
            string name = FunctionCode.NameOf(info, func, il.Nulls).Replace('\0', '\ufffd');
            MethodBuilder method = functions!.DefineMethod(name, StaticMethod, signature.Return, signature.Parameters);
            if (i % FunctionsInClass == 0) classes.Add((functions.Name, method));
            bool isTooDear = JitCost.IsTooDear(il, info.Funcs[func].BodyEnd - info.Funcs[func].BodyStart);
            method.SetImplementationFlags(isTooDear ? Unoptimised : isNative ? Ahead : Optimised);
            if (!isTooDear && !isNative && Outliner.Plan(il, signature) is { } layout)
            {
                bodies ??= module.DefineType(ClassOf(number, i) + "Bodies", MethodsClass);
                Outliner.WriteCaller(il, method.GetILGenerator(), Outliner.WriteBody(il, bodies, name, signature, layout), signature);
            }
            else
            {
                if (il.Instructions > CompiledModule.MaxUnsplit)
                    throw new UnsupportedModuleException($"a function of more than {CompiledModule.MaxUnsplit:N0} instructions of IL cannot be saved");
                il.WriteTo(method.GetILGenerator(Math.Max(64, il.Bytes)));
            }
            long estimate = FrameGuard.Estimate(il);
            if (!FrameGuard.MayBeLarge(estimate)) continue;
            guards.Add((number, func, estimate));
            guarded.Add(method);
        }
        functions?.CreateType();
        bodies?.CreateType();
    }

    private void NoteInstructionSets(IlBuffer il)
    {
        foreach (IlBuffer.Node node in il.InOrder())
            if (node.Form == IlBuffer.Form.Method && node.Object is MethodInfo { DeclaringType: { Namespace: "System.Runtime.Intrinsics.X86" or "System.Runtime.Intrinsics.Arm" } set })
                instructionSets.Add(set.FullName!);
    }

    // ---- what belongs to signatures ----

    private IEnumerable<Signature> OwnSignatures() =>
        modules.SelectMany(m => m.Funcs.Skip(m.ImportedFuncs)).Select(f => Signature.Of(f.Type)).Distinct();

    /// <summary>Those of all function types that a module knows: host functions may come as references.</summary>
    internal static IEnumerable<Signature> AllSignatures(ModuleInfo module) =>
        module.Funcs.Select(f => f.Type).Concat(module.Types.Where(t => t.AsFunc is not null)).Select(Signature.Of);

    private string[] WriteAll(string className, IEnumerable<Signature> signatures, Action<TypeBuilder, Signature, int> write)
    {
        TypeBuilder builder = module.DefineType(className, MethodsClass);
        var keys = new List<string>();
        foreach (Signature signature in signatures)
        {
            write(builder, signature, keys.Count);
            keys.Add(signature.Key);
        }
        builder.CreateType();
        return [.. keys];
    }

    private ILGenerator Begin(TypeBuilder builder, string name, Type result, Type[] parameters)
    {
        MethodBuilder method = builder.DefineMethod(name, StaticMethod, result, parameters);
        if (classes.Count == 0 || classes[^1].Name != builder.Name) classes.Add((builder.Name, method));
        method.SetImplementationFlags(isNative ? Ahead : Optimised);
        return method.GetILGenerator();
    }

    private void WriteEntry(TypeBuilder builder, Signature signature, int number) =>
        EntryThunk.Write(Begin(builder, EntryThunk.NameOf(signature), signature.HostReturn, EntryThunk.Parameters(signature)), signature);

    private void WriteAdapter(TypeBuilder builder, Signature signature, int number) =>
        HostAdapter.Write(Begin(builder, HostAdapter.NameOf(signature), signature.Return, signature.Parameters), signature);

    private void WriteStub(TypeBuilder builder, Signature signature, int number)
    {
        var shape = StubShape.Saved(signature);
        LazyStubs.Write(Begin(builder, LazyStubs.NameOf(signature.Key), signature.Return, shape.NumberedParameters), shape, number, null);
    }

    // ---- guards ----

    /// <summary>
    /// A guard for each function whose frame may be large. Whether it is, and how large, the loader sees in the machine code; it
    /// sets the field then, and has callers go through the guard.
    /// </summary>
    private void WriteGuards()
    {
        TypeBuilder builder = module.DefineType(GuardsClass, MethodsClass);
        for (int i = 0; i < guarded.Count; i++)
        {
            (int m, int func, _) = guards[i];
            Signature signature = Signature.Of(modules[m].Funcs[func].Type);
            ILGenerator il = Begin(builder, "wasm frame", signature.Return, signature.Parameters);
            if (isNative) constants.LoadOfGuard(il, ConstantKind.Frame, m, i);
            else il.Emit(OpCodes.Ldsfld, builder.DefineField($"f{i}", typeof(long), FieldAttributes.Public | FieldAttributes.Static));
            il.Emit(OpCodes.Call, Members.StackSpace);
            for (int p = 0; p < signature.Parameters.Length; p++) il.Emit(OpCodes.Ldarg, (short)p);
            if (isNative)
            {
                // A call of the method would go through .NET's stub, which has it compiled once more when it has been called often.
                constants.LoadOfGuard(il, ConstantKind.Guarded, m, i);
                il.Emit(OpCodes.Conv_I);
                il.Emit(OpCodes.Tailcall);
                il.EmitCalli(OpCodes.Calli, CallingConventions.Standard, signature.Return, signature.Parameters, null);
            }
            else
            {
                il.Emit(OpCodes.Tailcall);
                il.Emit(OpCodes.Call, guarded[i]);
            }
            il.Emit(OpCodes.Ret);
        }
        builder.CreateType();
    }
}
