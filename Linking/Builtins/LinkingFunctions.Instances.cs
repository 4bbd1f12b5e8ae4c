using System.Buffers.Binary;
using WasmJit.Builtins;
using WasmJit.Jit.Calls;
using WasmJit.Jit.Format;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>Instances, and what they export.</summary>
internal readonly partial struct LinkingFunctions
{
    /// <summary>The most imports that a guest can list.</summary>
    private const int MostImports = 100_000;

    /// <summary>
    /// An import as a guest writes it: four addresses and lengths, and a handle of 32 bits. Where all bits of the second name's address are set there
    /// is only one name. The handle is then an instance, whose exports have the second names, or the value for a single-level import.
    /// </summary>
    private readonly record struct Given(ulong Module, ulong ModuleLength, ulong Name, ulong NameLength, int Handle, bool IsSingle)
    {
        /// <summary>How many bytes the guest's record has, with what fills it up to a multiple of its alignment.</summary>
        internal static int SizeOf(bool isWide) => isWide ? 40 : 20;

        internal static Given Read(ReadOnlySpan<byte> bytes, bool isWide)
        {
            Span<ulong> words = stackalloc ulong[4];
            for (int i = 0; i < words.Length; i++) words[i] = Word(bytes, i, isWide);
            int handle = BinaryPrimitives.ReadInt32LittleEndian(bytes[(isWide ? 32 : 16)..]);
            return new Given(words[0], words[1], words[2], words[3], handle, words[2] == (isWide ? ulong.MaxValue : uint.MaxValue));
        }
    }

    /// <summary>An address or a length in a record of a guest's.</summary>
    private static ulong Word(ReadOnlySpan<byte> bytes, int index, bool isWide) =>
        isWide ? BinaryPrimitives.ReadUInt64LittleEndian(bytes[(sizeof(ulong) * index)..]) : BinaryPrimitives.ReadUInt32LittleEndian(bytes[(sizeof(uint) * index)..]);

    /// <summary>A list of imports, as the guest has written it. It is a copy: other threads may write in the list.</summary>
    private byte[] ImportList(ulong list, ulong count, int size)
    {
        if (count > MostImports) throw Failure(LinkingError.InvalidArgument, $"{count} imports");
        return Window(list, count * (ulong)size).ToArray();
    }

    private int Instantiate(int module, ulong list, ulong count, bool isWide)
    {
        Module target = Handles.Get<Module>(module);
        int size = Given.SizeOf(isWide);
        byte[] copy = ImportList(list, count, size);
        var imports = new Imports();
        for (int i = 0; i < (int)count; i++)
        {
            Given given = Given.Read(copy.AsSpan(i * size), isWide);
            string name = Text(given.Module, given.ModuleLength);
            object value = Handles.Get<object>(given.Handle) switch
            {
                FuncRef func => func.Delegate,
                ModuleNamespace => throw Failure(LinkingError.InvalidArgument, "a directory cannot be imported"),
                var other => other,
            };
            if (given.IsSingle) imports.Add(name, value);
            else imports.Add(name, Text(given.Name, given.NameLength), value);
        }
        if (Options.Offered is { } offered) imports.AddRange(offered);
        Fuel.Pay(Guest.FuelTank, Linker.CostOf(target.Info));
        return Handles.Add(Linker.Instantiate(target, Linker.Resolve(target, imports), Guest.FuelTank, Guest.Resources));
    }

    private object Export(int handle, ulong name, ulong length)
    {
        Instance made = Handles.Get<Instance>(handle);
        string text = Text(name, length);
        return made.FindInternal(text) ?? throw Failure(LinkingError.NotFound, $"there is no export \"{text}\"");
    }

    private int GetExport(int handle, ulong name, ulong length, int slot) => Export(handle, name, length) is FuncRef func
        ? Put(func, slot) : throw Failure(LinkingError.TypeMismatch, "the export is not a function");

    private int GetExportHandle(int handle, ulong name, ulong length) => Handles.Add(Export(handle, name, length));

    private int GetFunction(int slot)
    {
        if ((uint)slot >= (uint)GuestTable.Size) throw Failure(LinkingError.OutOfBounds, $"there is no slot {(uint)slot}");
        return Handles.Add(GuestTable.Get((uint)slot) ?? throw Failure(LinkingError.NotFound, $"slot {slot} is empty"));
    }

    /// <summary>Puts a function into a slot of the guest's table; with -1 into a new one at its end.</summary>
    private int Put(FuncRef func, int slot)
    {
        Table target = GuestTable;
        if (!RefTypes.Matches(func, target.Type.Element)) throw Failure(LinkingError.TypeMismatch, $"the table is of {target.Type.Element}");
        if (slot == -1)
        {
            long added = target.GrowCore(1, func);
            return added >= 0 ? (int)added : throw Failure(LinkingError.OutOfBounds, "the table cannot grow");
        }
        if ((uint)slot >= (uint)target.Size) throw Failure(LinkingError.OutOfBounds, $"there is no slot {(uint)slot}");
        target.Set((uint)slot, func);
        return slot;
    }

    // ---- globals and memories ----

    private static ValType TypeOf(int code) => code switch
    {
        TypeByte.I32 => ValType.I32,
        TypeByte.I64 => ValType.I64,
        TypeByte.F32 => ValType.F32,
        TypeByte.F64 => ValType.F64,
        TypeByte.V128 => ValType.V128,
        _ => throw Failure(LinkingError.InvalidArgument, $"0x{code:x} is not a type of numbers"),
    };

    private int NewGlobal(int type, int isMutable, ulong address)
    {
        ValType value = TypeOf(type);
        if (isMutable is not (0 or 1)) throw Failure(LinkingError.InvalidArgument, "mutability is 0 or 1");
        var bytes = Window(address, (ulong)value.ByteSize);
        var global = new Global(new GlobalType(value, isMutable == 1), Activator.CreateInstance(Signature.Of(new FuncType([value], [])).HostParameters[0]));
        bytes.CopyTo(global.Number);
        return Handles.Add(global);
    }

    private int ReadGlobal(int handle, ulong address)
    {
        Span<byte> number = Number(Handles.Get<Global>(handle));
        number.CopyTo(Window(address, (ulong)number.Length));
        return number.Length;
    }

    private int WriteGlobal(int handle, ulong address)
    {
        Global global = Handles.Get<Global>(handle);
        Span<byte> number = Number(global);
        if (!global.Type.IsMutable) throw Failure(LinkingError.NotAllowed, "the global is immutable");
        Window(address, (ulong)number.Length).CopyTo(number);
        return number.Length;
    }

    private static Span<byte> Number(Global global) =>
        global.Type.Type.IsRef ? throw Failure(LinkingError.TypeMismatch, "the global is a reference") : global.Number;

    /// <summary>Copies between the guest's memory and another, which may be the same.</summary>
    private int Copy(int handle, long there, ulong here, ulong length, bool isWrite)
    {
        Memory other = Handles.Get<Memory>(handle);
        Span<byte> own = Window(here, length);
        if ((ulong)there > other.Length || length > other.Length - (ulong)there)
            throw Failure(LinkingError.OutOfBounds, $"{length} bytes at {(ulong)there} are not inside a memory of {other.Length}");
        Span<byte> window = other.Slice((ulong)there, own.Length);
        Pay(length);
        if (isWrite) LongWork.Copy(own, window);
        else LongWork.Copy(window, own);
        GC.KeepAlive(other);
        return own.Length;
    }
}
