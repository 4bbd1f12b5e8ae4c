using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
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

    /// <summary>The version of the format. It changes with everything that a loader must know and that the identities of the builds do not tell.</summary>
    private const int Format = 5;

    private const int DigestBytes = Sha256.Size, SumBytes = 32;

    /// <summary>
    /// Begins the resource. What follows: the digest of the whole file, computed with zeros in its place; the digest of all that is behind it and before the
    /// module; the file's length; where the module begins; the address of the resource in the image, relative to its beginning; the sum of the file's tables; where the module ends and
    /// the content of its memory begins, and how long that is.
    /// </summary>
    private static ReadOnlySpan<byte> Magic => "wasmjit: saved module\0\0\0"u8;

    private const int FileDigestAt = 24, StartDigestAt = FileDigestAt + DigestBytes, LengthAt = StartDigestAt + DigestBytes, ModuleAt = LengthAt + sizeof(long),
        AddressAt = ModuleAt + sizeof(int), TablesSumAt = AddressAt + sizeof(int), ModuleEndAt = TablesSumAt + SumBytes, ContentAt = ModuleEndAt + sizeof(int),
        ContentLengthAt = ContentAt + sizeof(int), FieldsAt = ContentLengthAt + sizeof(int);

    /// <summary>The content of a memory begins at a multiple of this in the file: the largest page of any system.</summary>
    private const int ContentAlignment = (int)Memory.OsPage;

    /// <summary>More than the part before any module has.</summary>
    private const int MostStart = 256 << 20;

    /// <summary>
    /// The builds of the two assemblies that saved code is part of: it uses their internal members, so that no other build will do.
    /// </summary>
    internal static string Build { get; } = Hexadecimal([.. typeof(InstanceCore).Module.ModuleVersionId.ToByteArray(), .. typeof(SavedHeader).Module.ModuleVersionId.ToByteArray()]);

    /// <summary>Bytes as text. .NET's own ways use vectors, for which code is never made ahead.</summary>
    private static string Hexadecimal(ReadOnlySpan<byte> bytes)
    {
        const string Digits = "0123456789abcdef";
        var text = new char[bytes.Length * 2];
        for (int i = 0; i < bytes.Length; i++) (text[2 * i], text[(2 * i) + 1]) = (Digits[bytes[i] >> 4], Digits[bytes[i] & 15]);
        return new string(text);
    }

    /// <summary>Whether function entries look for the stack's end in the map of <see cref="StackGuard"/>.</summary>
    internal static unsafe bool HasStackMap => StackGuard.Map is not null;

    /// <summary>Whether the file has machine code.</summary>
    internal required bool IsNative { get; init; }

    /// <summary>The digest of the file as it says it, by which files are told apart.</summary>
    internal string Digest { get; private init; } = "";

    /// <summary>Where the resource is in the image, relative to its beginning.</summary>
    internal int RelativeAddress { get; private init; }

    internal required CodeOptions Options { get; init; }

    /// <summary>The parts of WebAssembly that the module uses.</summary>
    internal required Features Features { get; init; }

    /// <summary>Whether it uses the runtime-linking extension, and of it <c>compile</c>.</summary>
    internal required bool UsesLinking { get; init; }

    internal required bool UsesCompile { get; init; }

    /// <summary>Whether its code is for threads: see <see cref="ModuleInfo.IsForThreads"/>.</summary>
    internal required bool IsForThreads { get; init; }

    /// <summary>What its module is decoded for.</summary>
    internal DecodeSettings Settings => DecodeSettings.All with { IsForThreads = IsForThreads };

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

    /// <summary>The assembly's classes, and the token of the first method of each.</summary>
    internal required (string Name, int FirstMethod)[] Classes { get; init; }

    /// <summary>The module's bytes.</summary>
    internal required ReadOnlyMemory<byte> Module { get; set; }

    /// <summary>What the module's data make of its memory, for the writer.</summary>
    internal InitialContent? Content { get; init; }

    /// <summary>Whether the file has it.</summary>
    internal bool HasContent => contentLength > 0;

    /// <summary>The memory, and the address there, that the content in the file is for.</summary>
    private int contentMemory;
    private ulong contentAddress;

    /// <summary>The parts of the resource behind this header, by their places in it: where the module ends, and the content.</summary>
    private int moduleEnd, contentAt, contentLength;

    /// <summary>What it was read from.</summary>
    private byte[] start = [];

    /// <summary>Adds the module to what was read of a file, now that the file is mapped.</summary>
    /// <param name="content">The resource in it.</param>
    /// <exception cref="SavedModuleException">It is another file.</exception>
    internal void Complete(ReadOnlyMemory<byte> content)
    {
        if (!content.Span.StartsWith(start)) throw new SavedModuleException(SavedModuleProblem.Damaged, "the file was replaced while it was loaded");
        Module = moduleEnd <= content.Length ? content[start.Length..moduleEnd] : throw Damaged();
        start = [];
    }

    /// <summary>The resource, its length before it; what <see cref="Seal"/> fills in is still missing.</summary>
    internal byte[] Write()
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream, Encoding.UTF8);
        writer.Write(0);
        writer.Write(Magic);
        writer.Write(new byte[FieldsAt - FileDigestAt]);
        writer.Write(Format);
        writer.Write(Environment.Version.Major);
        writer.Write(Build);
        writer.Write(IsNative);
        writer.Write(Platform);
        writer.Write(HasStackMap);
        writer.Write(Options.ChecksMemories);
        writer.Write(Options.IsInterruptible);
        writer.Write(Options.CountsFuel);
        writer.Write(Options.Inlines);
        writer.Write((int)Features);
        writer.Write(UsesLinking);
        writer.Write(UsesCompile);
        writer.Write(IsForThreads);
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
        writer.Write7BitEncodedInt(Classes.Length);
        foreach ((string name, int firstMethod) in Classes)
        {
            writer.Write(name);
            writer.Write7BitEncodedInt(firstMethod);
        }
        writer.Write7BitEncodedInt(Content?.Memory ?? 0);
        writer.Write7BitEncodedInt64((long)(Content?.Address ?? 0));
        writer.Flush();
        int start = (int)stream.Length - sizeof(int);
        writer.Write(Module.Span);
        writer.Flush();
        int end = (int)stream.Length - sizeof(int);
        if (Content is not null)
        {
            // Seal moves it to a place in the file where it can be mapped.
            writer.Write(Content.Bytes);
            writer.Write(new byte[ContentAlignment]);
            writer.Flush();
        }
        byte[] bytes = stream.ToArray();
        BitConverter.TryWriteBytes(bytes, bytes.Length - sizeof(int));
        Span<byte> fields = bytes.AsSpan(sizeof(int));
        BitConverter.TryWriteBytes(fields[ModuleAt..], start);
        BitConverter.TryWriteBytes(fields[ModuleEndAt..], end);
        BitConverter.TryWriteBytes(fields[ContentAt..], end);
        BitConverter.TryWriteBytes(fields[ContentLengthAt..], Content?.Bytes.Length ?? 0);
        return bytes;
    }

    /// <summary>Calling conventions, and with them the stubs of a module, differ by system too.</summary>
    private static string Platform =>
        (OperatingSystem.IsLinux() ? "Linux " : OperatingSystem.IsWindows() ? "Windows " : OperatingSystem.IsMacOS() ? "macOS " : "")
        + RuntimeInformation.ProcessArchitecture switch { Architecture.X64 => nameof(Architecture.X64), Architecture.Arm64 => nameof(Architecture.Arm64), var other => other.ToString() };

    private static void Write(BinaryWriter writer, string[] items)
    {
        writer.Write7BitEncodedInt(items.Length);
        foreach (string item in items) writer.Write(item);
    }

    private static string ReadText(BinaryReader reader)
    {
        byte[] bytes = reader.ReadBytes(Count(reader));
        return AsciiText.Of(bytes) ?? Encoding.UTF8.GetString(bytes);
    }

    private static string[] ReadStrings(BinaryReader reader)
    {
        var items = new string[Count(reader)];
        for (int i = 0; i < items.Length; i++) items[i] = ReadText(reader);
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
    /// <param name="content">The resource. The module stays where it is.</param>
    /// <exception cref="SavedModuleException">It is not such a resource, it is damaged, or it is not for this process.</exception>
    internal static SavedHeader Read(ReadOnlyMemory<byte> content)
    {
        ReadOnlySpan<byte> bytes = content.Span;
        int start = CheckStart(bytes, content.Length);
        SavedHeader header = Read(bytes[..start].ToArray(), default);
        header.Module = header.moduleEnd <= content.Length ? content[start..header.moduleEnd] : throw Damaged();
        return header;
    }

    /// <summary>Where the module begins.</summary>
    private static int CheckStart(ReadOnlySpan<byte> content, long length)
    {
        if (content.Length < FieldsAt || !content.StartsWith(Magic)) throw NotSaved();
        int start = BitConverter.ToInt32(content[ModuleAt..]);
        return start >= FieldsAt && start <= Math.Min(length, MostStart) ? start : throw Damaged();
    }

    /// <summary>Reads what is before the module.</summary>
    private static SavedHeader Read(byte[] start, ReadOnlyMemory<byte> module)
    {
        using var reader = new BinaryReader(new MemoryStream(start), Encoding.UTF8);
        reader.BaseStream.Position = FieldsAt;
        try
        {
            // The version is checked before the digest: another version may have its digest elsewhere.
            SavedHeader header = Read(reader, start, module);
            Span<byte> digest = stackalloc byte[DigestBytes];
            Sha256.Hash(start.AsSpan(LengthAt), digest);
            return digest.SequenceEqual(start.AsSpan(StartDigestAt, DigestBytes)) && header.moduleEnd >= start.Length ? header : throw Damaged();
        }
        catch (Exception e) when (e is EndOfStreamException or FormatException or DecoderFallbackException)
        {
            throw Damaged();
        }
    }

    private static SavedHeader Read(BinaryReader reader, byte[] start, ReadOnlyMemory<byte> module)
    {
        int format = reader.ReadInt32();
        if (format != Format) throw Other($"its format is {format}, this version reads {Format}");
        int major = reader.ReadInt32();
        if (major != Environment.Version.Major) throw Other($"it was saved under .NET {major}, this is .NET {Environment.Version.Major}");
        if (ReadText(reader) != Build) throw Other("it was saved by another build of this library; compile the module again");
        bool isNative = reader.ReadBoolean();
        string platform = ReadText(reader);
        bool hasMap = reader.ReadBoolean();
        if (platform != Platform || hasMap != HasStackMap)
            throw new SavedModuleException(SavedModuleProblem.OtherPlatform, $"it was saved for another platform ({platform})");
        var options = new CodeOptions(reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadBoolean(), reader.ReadBoolean());
        var features = (Features)reader.ReadInt32();
        bool usesLinking = reader.ReadBoolean(), usesCompile = reader.ReadBoolean(), isForThreads = reader.ReadBoolean();
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
        var classes = new (string, int)[Count(reader)];
        for (int i = 0; i < classes.Length; i++) classes[i] = (ReadText(reader), reader.Read7BitEncodedInt());
        return new SavedHeader
        {
            IsNative = isNative,
            Digest = Hexadecimal(start.AsSpan(FileDigestAt, DigestBytes)),
            RelativeAddress = BitConverter.ToInt32(start, AddressAt),
            Options = options,
            Features = features,
            UsesLinking = usesLinking,
            UsesCompile = usesCompile,
            IsForThreads = isForThreads,
            InstructionSets = sets,
            Constants = constants,
            Entries = entries,
            HostAdapters = adapters,
            Stubs = stubs,
            Guards = guards,
            Called = called,
            Classes = classes,
            Module = module,
            contentMemory = reader.Read7BitEncodedInt(),
            contentAddress = (ulong)reader.Read7BitEncodedInt64(),
            moduleEnd = BitConverter.ToInt32(start, ModuleEndAt),
            contentAt = BitConverter.ToInt32(start, ContentAt),
            contentLength = BitConverter.ToInt32(start, ContentLengthAt),
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
        if (Find(new MemoryStream(file), out _, out _) is not { } range) throw NotSaved();
        (int start, int length) = range.GetOffsetAndLength(file.Length);
        SavedHeader header = Read(file.AsMemory(start, length));
        Span<byte> digest = stackalloc byte[DigestBytes];
        HashFile(file, start + FileDigestAt, digest);
        return digest.SequenceEqual(file.AsSpan(start + FileDigestAt, DigestBytes)) ? header : throw Damaged();
    }

    /// <summary>
    /// Reads what an assembly's file says of itself, and its tables. What is read is as it was saved, and the file has its length; of the rest, which is machine code, data and custom sections, nothing is known.
    /// </summary>
    /// <param name="file">The file, at any position.</param>
    /// <returns>The header, without the module.</returns>
    /// <exception cref="SavedModuleException">There is none, it is damaged, or it is not for this process.</exception>
    internal static SavedHeader ReadStart(Stream file)
    {
        if (Find(file, out ImageHeaders? headers, out _) is not { } range) throw NotSaved();
        (int offset, int length) = range.GetOffsetAndLength(int.MaxValue);
        var first = new byte[Math.Min(FieldsAt, length)];
        file.Position = offset;
        file.ReadExactly(first);
        var start = new byte[CheckStart(first, length)];
        file.Position = offset;
        file.ReadExactly(start);
        SavedHeader header = Read(start, default);
        header.start = start;
        if (BitConverter.ToInt64(start, LengthAt) != file.Length) throw Damaged();
        // A file without machine code is read as a whole, and then its digest is compared.
        Span<byte> sum = stackalloc byte[SumBytes];
        bool isAsSaved = !header.IsNative || (header.moduleEnd <= length && SavedTables.TrySum(file, headers!, new Range(offset + start.Length, offset + header.moduleEnd), sum) && sum.SequenceEqual(start.AsSpan(TablesSumAt, SumBytes)));
        return isAsSaved ? header : throw Damaged();
    }

    /// <summary>Completes a file: digests and length. It is called again for the file that a compiler which runs ahead of time makes of it.</summary>
    internal static void Seal(byte[] file)
    {
        if (Find(new MemoryStream(file), out ImageHeaders? headers, out int address) is not { } range) throw NotSaved();
        (int start, int length) = range.GetOffsetAndLength(file.Length);
        Span<byte> content = file.AsSpan(start, length);
        int module = CheckStart(content, length);
        BitConverter.TryWriteBytes(content[LengthAt..], (long)file.Length);
        BitConverter.TryWriteBytes(content[AddressAt..], address);
        Align(content, start);
        int end = BitConverter.ToInt32(content[ModuleEndAt..]);
        if (!SavedTables.TrySum(new MemoryStream(file), headers!, new Range(start + module, start + end), content.Slice(TablesSumAt, SumBytes))) throw NotSaved();
        Sha256.Hash(content[LengthAt..module], content.Slice(StartDigestAt, DigestBytes));
        HashFile(file, start + FileDigestAt, content.Slice(FileDigestAt, DigestBytes));
    }

    /// <summary>Moves the memory's content to where a page of the file begins; the resource has room for that.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="at">Where it is in the file.</param>
    private static void Align(Span<byte> resource, int at)
    {
        int length = BitConverter.ToInt32(resource[ContentLengthAt..]), now = BitConverter.ToInt32(resource[ContentAt..]), end = BitConverter.ToInt32(resource[ModuleEndAt..]);
        if (length == 0) return;
        int wanted = ((at + end + ContentAlignment - 1) & -ContentAlignment) - at;
        resource.Slice(now, length).CopyTo(resource[wanted..]);
        resource[end..wanted].Clear();
        resource[(wanted + length)..].Clear();
        BitConverter.TryWriteBytes(resource[ContentAt..], wanted);
    }

    /// <summary>The content of a memory in the file, to be mapped.</summary>
    /// <param name="file">The file, which stays open with what is returned.</param>
    /// <returns>Null if there is none, or if it is not the file of this header.</returns>
    internal MappedContent? ContentIn(FileStream file)
    {
        if (contentLength <= 0 || Find(file, out _, out _) is not { } range) return null;
        (int offset, int length) = range.GetOffsetAndLength(int.MaxValue);
        Span<byte> digest = stackalloc byte[DigestBytes];
        if (length < FieldsAt) return null;
        file.Position = offset + FileDigestAt;
        file.ReadExactly(digest);
        long at = (long)offset + contentAt;
        bool isRight = Hexadecimal(digest) == Digest && contentAt >= moduleEnd && contentLength <= length - contentAt && at % ContentAlignment == 0;
        return isRight ? new MappedContent(file.SafeFileHandle, at, contentMemory, contentAddress, (ulong)contentLength) : null;
    }

    private static void HashFile(byte[] file, int at, Span<byte> digest)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(file.AsSpan(0, at));
        hash.AppendData(new byte[DigestBytes]);
        hash.AppendData(file.AsSpan(at + DigestBytes));
        hash.GetHashAndReset(digest);
    }

    /// <summary>Where the resource's content is in a file: the writer puts it first, and there is no other.</summary>
    /// <param name="file">The file.</param>
    /// <param name="headers">The headers, which say so; null if the file has none.</param>
    /// <param name="address">The content's address in the image.</param>
    /// <returns>Null if there is no such resource.</returns>
    private static Range? Find(Stream file, out ImageHeaders? headers, out int address)
    {
        headers = null;
        address = 0;
        try
        {
            headers = ImageHeaders.Read(file);
            if (headers is null || headers.OffsetOf(headers.Resources.Address) is not { } directory || directory > file.Length - sizeof(int)) return null;
            address = headers.Resources.Address + sizeof(int);
            Span<byte> prefix = stackalloc byte[sizeof(int)];
            file.Position = directory;
            file.ReadExactly(prefix);
            int length = BitConverter.ToInt32(prefix);
            long start = directory + sizeof(int);
            return length >= 0 && length <= file.Length - start && start + length <= int.MaxValue ? new Range((int)start, (int)start + length) : null;
        }
        catch (EndOfStreamException)
        {
            // It has become shorter meanwhile.
            return null;
        }
    }
}
