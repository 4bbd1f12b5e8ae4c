using System.Buffers.Binary;
using System.Runtime.InteropServices;
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
    /// Stands in place of the address of a second name: there is only one name. The handle is an instance, whose exports have the second names, or
    /// the value for a single-level import.
    /// </summary>
    private const int SingleName = -1;

    /// <summary>An import as a guest writes it: five numbers of 32 bits.</summary>
    private readonly record struct Given(int Module, int ModuleLength, int Name, int NameLength, int Handle);

    private int Instantiate(int module, int list, int count)
    {
        Module target = Handles.Get<Module>(module);
        if ((uint)count > MostImports) throw Failure(LinkingError.InvalidArgument, $"{(uint)count} imports");
        // Copied first: other threads may write in the list.
        byte[] copy = Window(list, count * Marshal.SizeOf<Given>()).ToArray();
        var imports = new Imports();
        for (int i = 0; i < count; i++)
        {
            Given given = Read(copy.AsSpan(i * Marshal.SizeOf<Given>()));
            string name = Text(given.Module, given.ModuleLength);
            object value = Handles.Get<object>(given.Handle) switch
            {
                FuncRef func => func.Delegate,
                ModuleNamespace => throw Failure(LinkingError.InvalidArgument, "a directory cannot be imported"),
                var other => other,
            };
            if (given.Name == SingleName) imports.Add(name, value);
            else imports.Add(name, Text(given.Name, given.NameLength), value);
        }
        if (Options.Offered is { } offered) imports.AddRange(offered);
        Fuel.Pay(Guest.FuelTank, Linker.CostOf(target.Info));
        return Handles.Add(Linker.Instantiate(target, Linker.Resolve(target, imports), Guest.FuelTank, Guest.Resources));
    }

    private static Given Read(ReadOnlySpan<byte> bytes) => new(
        BinaryPrimitives.ReadInt32LittleEndian(bytes), BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]), BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]),
        BinaryPrimitives.ReadInt32LittleEndian(bytes[16..]));

    private object Export(int handle, int name, int length)
    {
        Instance made = Handles.Get<Instance>(handle);
        string text = Text(name, length);
        return made.FindInternal(text) ?? throw Failure(LinkingError.NotFound, $"there is no export \"{text}\"");
    }

    private int GetExport(int handle, int name, int length, int slot) => Export(handle, name, length) is FuncRef func
        ? Put(func, slot) : throw Failure(LinkingError.TypeMismatch, "the export is not a function");

    private int GetExportHandle(int handle, int name, int length) => Handles.Add(Export(handle, name, length));

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

    private int NewGlobal(int type, int isMutable, int address)
    {
        ValType value = TypeOf(type);
        if (isMutable is not (0 or 1)) throw Failure(LinkingError.InvalidArgument, "mutability is 0 or 1");
        var bytes = Window(address, value.ByteSize);
        var global = new Global(new GlobalType(value, isMutable == 1), Activator.CreateInstance(Signature.Of(new FuncType([value], [])).HostParameters[0]));
        bytes.CopyTo(global.Number);
        return Handles.Add(global);
    }

    private int ReadGlobal(int handle, int address)
    {
        Span<byte> number = Number(Handles.Get<Global>(handle));
        number.CopyTo(Window(address, number.Length));
        return number.Length;
    }

    private int WriteGlobal(int handle, int address)
    {
        Global global = Handles.Get<Global>(handle);
        Span<byte> number = Number(global);
        if (!global.Type.IsMutable) throw Failure(LinkingError.NotAllowed, "the global is immutable");
        Window(address, number.Length).CopyTo(number);
        return number.Length;
    }

    private static Span<byte> Number(Global global) =>
        global.Type.Type.IsRef ? throw Failure(LinkingError.TypeMismatch, "the global is a reference") : global.Number;

    private int ReadMemory(int handle, long from, int to, int length) => Copy(handle, from, to, length, isWrite: false);

    private int WriteMemory(int handle, long to, int from, int length) => Copy(handle, to, from, length, isWrite: true);

    /// <summary>Copies between the guest's memory and another, which may be the same.</summary>
    private int Copy(int handle, long there, int here, int length, bool isWrite)
    {
        Memory other = Handles.Get<Memory>(handle);
        Span<byte> own = Window(here, length);
        if ((ulong)there > other.Length || (uint)length > other.Length - (ulong)there)
            throw Failure(LinkingError.OutOfBounds, $"{(uint)length} bytes at {(ulong)there} are not inside a memory of {other.Length}");
        Span<byte> window = other.Slice((ulong)there, length);
        Pay(length);
        if (isWrite) LongWork.Copy(own, window);
        else LongWork.Copy(window, own);
        GC.KeepAlive(other);
        return length;
    }
}
