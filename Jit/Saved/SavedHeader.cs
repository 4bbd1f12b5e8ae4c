using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using WasmJit.Jit.Tiers;
using WasmJit.Runtime;

namespace WasmJit.Jit.Saved;

/// <summary>
/// What a saved assembly says of itself, in a resource: by whom it was made and for what, what its code needs, and the module.
/// It is read before anything of the assembly is loaded.
/// </summary>
internal sealed class SavedHeader
{
    internal const string ResourceName = "wasmjit";

    /// <summary>Changes with whatever a loader must know that is not told by the builds.</summary>
    private const int Format = 1;

    private const int DigestBytes = 32;

    /// <summary>Begins the resource; the digest of the whole file, computed with zeros in its place, follows.</summary>
    private static ReadOnlySpan<byte> Magic => "wasmjit: saved module\0\0\0"u8;

    /// <summary>
    /// The builds of the two assemblies that saved code is part of: it uses their internal members, so that no other build will do.
    /// </summary>
    internal static string Build { get; } =
        $"{typeof(InstanceCore).Module.ModuleVersionId:n}{typeof(SavedHeader).Module.ModuleVersionId:n}";

    /// <summary>Whether function entries look for the stack's end in the map of <see cref="StackGuard"/>.</summary>
    internal static unsafe bool HasStackMap => StackGuard.Map is not null;

    internal required CodeOptions Options { get; init; }

    /// <summary>The parts of WebAssembly that the module uses.</summary>
    internal required Features Features { get; init; }

    /// <summary>Whether it uses the runtime-linking extension, and of it <c>compile</c>.</summary>
    internal required bool UsesLinking { get; init; }

    internal required bool UsesCompile { get; init; }

    /// <summary>The classes in System.Runtime.Intrinsics whose instructions the code uses.</summary>
    internal required string[] InstructionSets { get; init; }

    internal required Constant[] Constants { get; init; }

    /// <summary>The signatures' keys that there are entries, host adapters and stubs for, in the order of the methods.</summary>
    internal required string[] Entries { get; init; }

    internal required string[] HostAdapters { get; init; }

    internal required string[] Stubs { get; init; }

    /// <summary>The functions that may need a guard of their frame: the estimate of its size, in the order of the guards.</summary>
    internal required (int Module, int Func, long Estimate)[] Guards { get; init; }

    /// <summary>The functions that are called directly.</summary>
    internal required (int Module, int Func)[] Called { get; init; }

    /// <summary>The module's bytes.</summary>
    internal required byte[] Module { get; init; }

    /// <summary>The resource, its length before it; the digest is still missing.</summary>
    internal byte[] Write()
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(0);
        writer.Write(Magic);
        writer.Write(new byte[DigestBytes]);
        writer.Write(Format);
        writer.Write(Environment.Version.Major);
        writer.Write(Build);
        writer.Write(Platform);
        writer.Write(HasStackMap);
        writer.Write(Options.ChecksMemories);
        writer.Write(Options.IsInterruptible);
        writer.Write(Options.CountsFuel);
        writer.Write(Options.Inlines);
        writer.Write((int)Features);
        writer.Write(UsesLinking);
        writer.Write(UsesCompile);
        Write(writer, InstructionSets);
        writer.Write7BitEncodedInt(Constants.Length);
        foreach (Constant constant in Constants)
        {
            writer.Write((byte)constant.Kind);
            writer.Write7BitEncodedInt(constant.Module);
            writer.Write7BitEncodedInt(constant.Type);
            writer.Write7BitEncodedInt(constant.Field);
        }
        Write(writer, Entries);
        Write(writer, HostAdapters);
        Write(writer, Stubs);
        writer.Write7BitEncodedInt(Guards.Length);
        foreach ((int module, int func, long estimate) in Guards)
        {
            writer.Write7BitEncodedInt(module);
            writer.Write7BitEncodedInt(func);
            writer.Write7BitEncodedInt64(estimate);
        }
        writer.Write7BitEncodedInt(Called.Length);
        foreach ((int module, int func) in Called)
        {
            writer.Write7BitEncodedInt(module);
            writer.Write7BitEncodedInt(func);
        }
        writer.Write(SHA256.HashData(Module));
        writer.Write7BitEncodedInt(Module.Length);
        writer.Write(Module);
        writer.Flush();
        byte[] bytes = stream.ToArray();
        BitConverter.TryWriteBytes(bytes, bytes.Length - sizeof(int));
        return bytes;
    }

    /// <summary>Calling conventions, and with them the stubs of a module, differ by system too.</summary>
    private static string Platform =>
        (OperatingSystem.IsLinux() ? "Linux " : OperatingSystem.IsWindows() ? "Windows " : OperatingSystem.IsMacOS() ? "macOS " : "")
        + RuntimeInformation.ProcessArchitecture;

    private static void Write(BinaryWriter writer, string[] items)
    {
        writer.Write7BitEncodedInt(items.Length);
        foreach (string item in items) writer.Write(item);
    }

    private static string[] ReadStrings(BinaryReader reader)
    {
        var items = new string[Count(reader)];
        for (int i = 0; i < items.Length; i++) items[i] = reader.ReadString();
        return items;
    }

    /// <summary>A number of things of at least one byte each.</summary>
    private static int Count(BinaryReader reader)
    {
        int count = reader.Read7BitEncodedInt();
        if (count < 0 || count > reader.BaseStream.Length - reader.BaseStream.Position) throw Damaged();
        return count;
    }

    private static SavedModuleException Damaged() => new(SavedModuleProblem.Damaged, "the file is damaged");

    /// <summary>Reads the resource's content and checks that it is for this process.</summary>
    /// <param name="content">The resource.</param>
    /// <param name="checksModule">Whether the module's digest is compared; that of the file covers it.</param>
    /// <exception cref="SavedModuleException">It is not, or is no such resource.</exception>
    internal static SavedHeader Read(ArraySegment<byte> content, bool checksModule)
    {
        if (content.Count < Magic.Length + DigestBytes + sizeof(int) || !content.AsSpan().StartsWith(Magic)) throw NotSaved();
        using var reader = new BinaryReader(new MemoryStream(content.Array!, content.Offset, content.Count), Encoding.UTF8);
        reader.BaseStream.Position = Magic.Length + DigestBytes;
        try
        {
            return Read(reader, checksModule);
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException or DecoderFallbackException)
        {
            throw Damaged();
        }
    }

    private static SavedHeader Read(BinaryReader reader, bool checksModule)
    {
        int format = reader.ReadInt32();
        if (format != Format) throw Other($"its format is {format}, this version reads {Format}");
        int major = reader.ReadInt32();
        if (major != Environment.Version.Major) throw Other($"it was saved under .NET {major}, this is .NET {Environment.Version.Major}");
        if (reader.ReadString() != Build) throw Other("it was saved by another build of this library; compile the module again");
        string platform = reader.ReadString();
        bool hasMap = reader.ReadBoolean();
        if (platform != Platform || hasMap != HasStackMap)
            throw new SavedModuleException(SavedModuleProblem.OtherPlatform, $"it was saved for another platform ({platform})");
        var options = new CodeOptions(reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadBoolean());
        var features = (Features)reader.ReadInt32();
        bool usesLinking = reader.ReadBoolean(), usesCompile = reader.ReadBoolean();
        string[] sets = ReadStrings(reader);
        foreach (string set in sets) CheckInstructionSet(set);
        var constants = new Constant[Count(reader)];
        for (int i = 0; i < constants.Length; i++)
            constants[i] = new Constant(
                (ConstantKind)reader.ReadByte(), reader.Read7BitEncodedInt(), reader.Read7BitEncodedInt(), reader.Read7BitEncodedInt());
        string[] entries = ReadStrings(reader), adapters = ReadStrings(reader), stubs = ReadStrings(reader);
        var guards = new (int, int, long)[Count(reader)];
        for (int i = 0; i < guards.Length; i++)
            guards[i] = (reader.Read7BitEncodedInt(), reader.Read7BitEncodedInt(), reader.Read7BitEncodedInt64());
        var called = new (int, int)[Count(reader)];
        for (int i = 0; i < called.Length; i++) called[i] = (reader.Read7BitEncodedInt(), reader.Read7BitEncodedInt());
        byte[] hash = reader.ReadBytes(DigestBytes);
        byte[] module = reader.ReadBytes(Count(reader));
        if (checksModule && !SHA256.HashData(module).AsSpan().SequenceEqual(hash)) throw Damaged();
        return new SavedHeader
        {
            Options = options,
            Features = features,
            UsesLinking = usesLinking,
            UsesCompile = usesCompile,
            InstructionSets = sets,
            Constants = constants,
            Entries = entries,
            HostAdapters = adapters,
            Stubs = stubs,
            Guards = guards,
            Called = called,
            Module = module,
        };
    }

    private static void CheckInstructionSet(string name)
    {
        Type? type = typeof(object).Assembly.GetType(name);
        if (type?.GetProperty("IsSupported", BindingFlags.Static | BindingFlags.Public)?.GetValue(null) is not true)
            throw new SavedModuleException(SavedModuleProblem.OtherPlatform, $"its code uses instructions that this processor does not have ({name})");
    }

    private static SavedModuleException NotSaved() => new(SavedModuleProblem.NotSaved, "this is not a module saved by wasmjit");

    private static SavedModuleException Other(string message) => new(SavedModuleProblem.OtherVersion, message);

    /// <summary>Finds the resource in an assembly's file; the file's digest is compared.</summary>
    /// <exception cref="SavedModuleException">The file has no saved module, or is damaged.</exception>
    internal static SavedHeader ReadFile(byte[] file)
    {
        Range? found;
        try
        {
            found = Find(file);
        }
        catch (Exception e) when (e is BadImageFormatException or OverflowException or ArgumentException or InvalidOperationException)
        {
            found = null;
        }
        if (found is not { } range || !file.AsSpan(range).StartsWith(Magic)) throw NotSaved();
        (int start, int length) = range.GetOffsetAndLength(file.Length);
        SavedHeader header = Read(new ArraySegment<byte>(file, start, length), checksModule: false);
        Span<byte> digest = stackalloc byte[DigestBytes];
        Digest(file, start + Magic.Length, digest);
        if (!digest.SequenceEqual(file.AsSpan(start + Magic.Length, DigestBytes))) throw Damaged();
        return header;
    }

    /// <summary>Puts the digest into a file.</summary>
    internal static void Seal(byte[] file)
    {
        (int start, _) = Find(file)!.Value.GetOffsetAndLength(file.Length);
        int at = start + Magic.Length;
        Digest(file, at, file.AsSpan(at, DigestBytes));
    }

    private static void Digest(byte[] file, int at, Span<byte> digest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(file.AsSpan(0, at));
        hash.AppendData(new byte[DigestBytes]);
        hash.AppendData(file.AsSpan(at + DigestBytes));
        hash.GetHashAndReset(digest);
    }

    /// <summary>Where the resource's content is in a file.</summary>
    private static Range? Find(byte[] file)
    {
        using var pe = new PEReader(new MemoryStream(file));
        if (!pe.HasMetadata || pe.PEHeaders.CorHeader is not { } cor) return null;
        MetadataReader metadata = pe.GetMetadataReader();
        foreach (ManifestResourceHandle handle in metadata.ManifestResources)
        {
            ManifestResource resource = metadata.GetManifestResource(handle);
            if (!resource.Implementation.IsNil || !metadata.StringComparer.Equals(resource.Name, ResourceName)) continue;
            if (!pe.PEHeaders.TryGetDirectoryOffset(cor.ResourcesDirectory, out int directory)) return null;
            int at = checked(directory + (int)resource.Offset);
            int length = BitConverter.ToInt32(file, at);
            if (length < 0 || length > file.Length - at - sizeof(int)) return null;
            return new Range(at + sizeof(int), at + sizeof(int) + length);
        }
        return null;
    }
}
