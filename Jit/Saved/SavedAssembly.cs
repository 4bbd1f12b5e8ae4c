using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Emit;
using WasmJit.Jit.Il;
using WasmJit.Runtime;

namespace WasmJit.Jit.Saved;

/// <summary>
/// An assembly that <see cref="SavedWriter"/> has written, bound to this process: the code of a module and of those nested in it,
/// and what they have in common.
/// </summary>
/// <remarks>
/// Unsafe: addresses of methods. They live as long as the assembly, which this object keeps, and which keeps this object in turn
/// (the constants' owner).
/// </remarks>
internal sealed unsafe class SavedAssembly
{
    private static readonly ConditionalWeakTable<Assembly, SavedAssembly> Loaded = [];

    /// <summary>Those with machine code, by their digests: .NET keeps them, so the same file is loaded once.</summary>
    private static readonly Dictionary<string, SavedAssembly> Mapped = [];

    /// <summary>Those whose machine code is used: it stays until the process ends, and so does what it refers to.</summary>
    private static readonly List<SavedAssembly> Kept = [];

    private readonly Assembly assembly;
    private readonly ModuleHandle handle;
    private readonly Dictionary<string, int> classes;
    private readonly SavedCode[] modules;
    private readonly Dictionary<Signature, MethodInfo?> entries = [];
    private readonly Dictionary<Signature, int> adapters = [];
    private readonly Lock gate = new();

    /// <summary>The cells of all modules, then the constants that are numbers. Pinned: code has their addresses.</summary>
    private readonly nint[] numbers;
    private readonly ArrayMaker?[] makers;
    private readonly NativeImage? image;

    /// <summary>By the number of a guard in native code: where among <see cref="numbers"/> it finds the size of the frame, and the code that it calls.</summary>
    private readonly int[] frames, guarded;

    /// <summary>The file with the memory's content, kept open.</summary>
    private FileStream? file;

    private SavedAssembly(Assembly assembly, SavedHeader header, nint address)
    {
        this.assembly = assembly;
        Header = header;
        handle = assembly.ManifestModule.ModuleHandle;
        if (header.IsNative && address != 0) image = NativeImage.Of(address, header.RelativeAddress);
        classes = new Dictionary<string, int>(header.Classes.Length);
        foreach ((string name, int first) in header.Classes) classes[name] = first;
        // Not compiled before one is called: most never are.
        Stubs = new SavedStubs(header.Stubs, number => StubOf(classes[SavedWriter.StubsClass] + number));
        ModuleInfo[] infos = [.. Decode().WithNested()];
        int[] firstCells = SavedConstants.FirstCells(infos);
        numbers = GC.AllocateArray<nint>(Math.Max(1, firstCells[^1] + header.Constants.Length), pinned: true);
        modules = new SavedCode[infos.Length];
        for (int i = 0; i < modules.Length; i++) modules[i] = new SavedCode(this, infos[i], i, Numbers + firstCells[i]);

        var constants = new long[header.Constants.Length];
        makers = new ArrayMaker?[header.Constants.Length];
        frames = new int[header.Guards.Length];
        guarded = new int[header.Guards.Length];
        var objects = new object?[makers.Length + 1];
        objects[^1] = this;
        for (int i = 0; i < constants.Length; i++)
        {
            if (header.Constants[i].Kind == ConstantKind.Frame) frames[header.Constants[i].Field] = firstCells[^1] + i;
            else if (header.Constants[i].Kind == ConstantKind.Guarded) guarded[header.Constants[i].Field] = firstCells[^1] + i;
            else Bind(header.Constants[i], out constants[i], out objects[i]);
            numbers[firstCells[^1] + i] = (nint)constants[i];
            makers[i] = objects[i] as ArrayMaker;
        }
        if (image is not null && !assembly.IsCollectible)
        {
            Kept.Add(this);
            foreach (SavedCode module in modules) module.MakeStubs();
        }
        else
        {
            SavedConstants.Initialise(assembly.GetType(SavedConstants.ClassName, throwOnError: true)!, constants, objects);
            if (header.IsNative) foreach (SavedCode module in modules) module.AskForStubs();
        }
        foreach ((int module, int func) in header.Called) modules[module].CodeOf(func);
        OfferAdapters();
    }

    private nint* Numbers => (nint*)Unsafe.AsPointer(ref numbers[0]);

    private ModuleInfo Decode()
    {
        try
        {
            return ModuleDecoder.Decode(Header.Module, Header.Settings);
        }
        catch (ModuleException e) when (e is not UnsupportedModuleException)
        {
            throw new SavedModuleException(SavedModuleProblem.Damaged, "the module in the file is damaged");
        }
    }

    /// <summary>Gives an instance what the assembly's code looks for in it.</summary>
    internal void Attach(InstanceCore instance)
    {
        if (!Header.IsNative) return;
        instance.SavedNumbers = Numbers;
        instance.SavedMakers = makers;
    }

    internal SavedHeader Header { get; }

    /// <summary>What the memory of the module contains at first, where that can be mapped.</summary>
    internal MappedContent? Content { get; private set; }

    internal SavedStubs Stubs { get; }

    /// <summary>The module that is nested in no other.</summary>
    internal SavedCode Root => modules[0];

    /// <summary>Loads an assembly's file, for itself.</summary>
    /// <param name="file">The file.</param>
    /// <param name="check">Throws if what the header says does not suit.</param>
    /// <exception cref="SavedModuleException">The file is not a saved module, or not for this process.</exception>
    internal static SavedAssembly Load(byte[] file, Action<SavedHeader> check)
    {
        SavedHeader header = SavedHeader.ReadFile(file);
        check(header);
        Assembly assembly;
        try
        {
            assembly = CollectibleAssembly.Load(file, Referenced);
        }
        catch (Exception e) when (e is BadImageFormatException or FileLoadException)
        {
            throw new SavedModuleException(SavedModuleProblem.Damaged, $"the file cannot be loaded: {e.Message}");
        }
        return Bind(assembly, header, 0);
    }

    /// <summary>Like the other overload. Of a file with machine code only the header is read, and .NET maps the file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="check">Throws if what the header says does not suit.</param>
    /// <exception cref="SavedModuleException">The file is not a saved module, or not for this process.</exception>
    internal static SavedAssembly Load(string path, Action<SavedHeader> check)
    {
        FileStream file = PlainFile.Open(path);
        SavedAssembly? loaded = null;
        try
        {
            SavedHeader header = SavedHeader.ReadStart(file);
            if (!header.IsNative) return Load(File.ReadAllBytes(path), check);
            check(header);
            loaded = Load(path, file, header);
            return loaded;
        }
        finally
        {
            if (loaded?.file != file) file.Dispose();
        }
    }

    private static SavedAssembly Load(string path, FileStream file, SavedHeader header)
    {
        lock (Mapped)
        {
            if (Mapped.TryGetValue(header.Digest, out SavedAssembly? known)) return known;
            Assembly assembly;
            try
            {
                assembly = MappedAssembly.Load(path, Referenced);
            }
            catch (Exception e) when (e is BadImageFormatException or FileLoadException)
            {
                throw new SavedModuleException(SavedModuleProblem.Damaged, "the file is damaged");
            }
            // Another file may have come to the path meanwhile.
            header.Complete(ResourceOf(assembly, out nint address));
            SavedAssembly bound = Bind(assembly, header, address);
            bound.MapContent(file);
            return Mapped[header.Digest] = bound;
        }
    }

    private static Assembly[] Referenced => [typeof(InstanceCore).Assembly, typeof(SavedAssembly).Assembly];

    /// <summary>Takes an assembly that has been loaded already.</summary>
    /// <param name="assembly">The assembly.</param>
    /// <param name="check">Throws if what the header says does not suit.</param>
    /// <exception cref="SavedModuleException">It is not a saved module, or not for this process.</exception>
    internal static SavedAssembly Load(Assembly assembly, Action<SavedHeader> check)
    {
        if (Loaded.TryGetValue(assembly, out SavedAssembly? known))
        {
            check(known.Header);
            return known;
        }
        var header = SavedHeader.Read(ResourceOf(assembly, out nint address));
        check(header);
        SavedAssembly bound = Bind(assembly, header, address);
        if (bound.image is not null && header.HasContent && FileOf(assembly) is { Length: > 0 } path && PlainFile.LengthOf(path) is not null)
        {
            FileStream file = PlainFile.Open(path);
            bound.MapContent(file);
            if (bound.file != file) file.Dispose();
        }
        return bound;
    }

    /// <summary>The file of an assembly; empty within a single file, whose parts begin anywhere.</summary>
    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "An empty name is expected.")]
    private static string FileOf(Assembly assembly) => assembly.Location;

    /// <summary>Lets instances map the content of their memory, if the file has it.</summary>
    private void MapContent(FileStream opened)
    {
        lock (gate)
        {
            if (image is null || file is not null || Header.ContentIn(opened) is not { } found) return;
            (file, Content) = (opened, found);
        }
    }

    /// <summary>The resource in an assembly, where the runtime has mapped or read the file; empty without one.</summary>
    /// <param name="assembly">The assembly.</param>
    /// <param name="address">Where the resource is; 0 if it is a copy.</param>
    private static ReadOnlyMemory<byte> ResourceOf(Assembly assembly, out nint address)
    {
        address = 0;
        using Stream? resource = assembly.IsDynamic ? null : assembly.GetManifestResourceStream(SavedHeader.ResourceName);
        if (resource is UnmanagedMemoryStream { Length: <= int.MaxValue } mapped)
        {
            address = (nint)mapped.PositionPointer;
            return new MappedBytes(mapped.PositionPointer, (int)mapped.Length, assembly).Memory;
        }
        var content = new MemoryStream();
        resource?.CopyTo(content);
        return content.ToArray();
    }

    private static SavedAssembly Bind(Assembly assembly, SavedHeader header, nint address)
    {
        lock (Loaded)
        {
            if (Loaded.TryGetValue(assembly, out SavedAssembly? known)) return known;
            var bound = new SavedAssembly(assembly, header, address);
            Loaded.Add(assembly, bound);
            return bound;
        }
    }

    /// <summary>The value of a constant in this process.</summary>
    private void Bind(Constant constant, out long number, out object? item)
    {
        number = 0;
        item = null;
        if (constant.Kind == ConstantKind.Cells)
        {
            number = modules[constant.Module].CellBase;
            return;
        }
        if (constant.Kind == ConstantKind.StackMap)
        {
            number = (nint)StackGuard.Map;
            return;
        }
        ModuleInfo info = modules[constant.Module].Info;
        DefType type = info.Types[constant.Type];
        if (constant.Kind == ConstantKind.TypeId)
        {
            number = type.Id;
            return;
        }
        GcClass gc = GcClass.Of(type, info.State.GcBatch);
        switch (constant.Kind)
        {
            case ConstantKind.FieldOffset: number = gc.OffsetOf(constant.Field); break;
            case ConstantKind.Maker: item = gc.Maker; break;
            default:
                if (gc.Element is null) gc.MakeReady();
                number = RawObjects.MethodTableOf(gc.Clr);
                break;
        }
    }

    private void OfferAdapters()
    {
        if (Header.HostAdapters.Length == 0) return;
        var signatures = new Dictionary<string, Signature>();
        foreach (SavedCode module in modules)
            foreach (Signature signature in SavedWriter.AllSignatures(module.Info)) signatures.TryAdd(signature.Key, signature);
        for (int i = 0; i < Header.HostAdapters.Length; i++)
        {
            Signature signature = signatures[Header.HostAdapters[i]];
            adapters[signature] = i;
            signature.OfferHostAdapter(Root);
        }
    }

    /// <summary>The token of the first method of a class.</summary>
    internal int FirstMethodOf(string name) => classes[name];

    /// <summary>The method of the assembly that one calls which does nothing else (<see cref="Outliner.WriteCaller"/>); 0 for other methods.</summary>
    internal int CalleeOf(int token)
    {
        byte[]? il = assembly.ManifestModule.ResolveMethod(token)?.GetMethodBody()?.GetILAsByteArray();
        if (il is null) return 0;
        int at = 0;
        while (at + 4 <= il.Length && BinaryPrimitives.ReadInt16BigEndian(il.AsSpan(at)) == (short)IlOp.Ldarg) at += 4;
        const int MethodDefinition = 0x06;
        bool calls = at + 5 <= il.Length && il[at] == (byte)OpCodes.Call.Value && il[at + 4] == MethodDefinition;
        return calls ? BitConverter.ToInt32(il, at + 1) : 0;
    }

    /// <summary>Whether a method was compiled ahead.</summary>
    internal bool HasCode(int token) => image is not null && image.HasCode(token);

    /// <summary>A method's machine code, compiled now if it has not been.</summary>
    internal nint PointerOf(int token)
    {
        RuntimeMethodHandle method = handle.ResolveMethodHandle(token);
        // Once its machine code is there, the pointer leads to it and to no stub before it.
        RuntimeHelpers.PrepareMethod(method);
        nint code = method.GetFunctionPointer();
        return image is null ? code : image.CodeBehind(code);
    }

    /// <summary>The runtime's own stub of a method.</summary>
    internal nint StubOf(int token) => handle.ResolveMethodHandle(token).GetFunctionPointer();

    /// <summary>The method that asks for a frame's stack first.</summary>
    /// <param name="guard">Its number.</param>
    /// <param name="frame">The frame's size.</param>
    /// <param name="code">The function's code.</param>
    internal nint GuardOf(int guard, long frame, nint code)
    {
        if (Header.IsNative) (numbers[frames[guard]], numbers[guarded[guard]]) = ((nint)frame, code);
        else assembly.GetType(SavedWriter.GuardsClass, throwOnError: true)!.GetField($"f{guard}")!.SetValue(null, frame);
        return PointerOf(classes[SavedWriter.GuardsClass] + guard);
    }

    internal MethodInfo? FindEntry(Signature signature)
    {
        lock (gate)
        {
            if (entries.TryGetValue(signature, out MethodInfo? known)) return known;
            int index = Array.IndexOf(Header.Entries, signature.Key);
            MethodInfo? method = index < 0 ? null : (MethodInfo)assembly.ManifestModule.ResolveMethod(classes[SavedWriter.EntriesClass] + index)!;
            return entries[signature] = method;
        }
    }

    internal nint FindHostAdapter(Signature signature) =>
        adapters.TryGetValue(signature, out int index) ? PointerOf(classes[SavedWriter.HostAdaptersClass] + index) : 0;
}
