using System.Text;
using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;

namespace WasmJit;

/// <summary>
/// Writes what there was when a guest trapped, in the format for core dumps of WebAssembly's tools: a module whose custom sections <c>core</c>,
/// <c>coremodules</c>, <c>coreinstances</c> and <c>corestack</c> have the stack, and whose memories and globals have the values of the instances'. The
/// values of locals are not known. A core dump has all that the guest had in its memory, secrets too.
/// </summary>
public static class CoreDump
{
    /// <summary>Memory is written in pieces of so many bytes; those that are zero are left out.</summary>
    private const int Piece = 65536;

    /// <summary>The most bytes of memories: sections are no longer than 4 GiB. The rest is left out.</summary>
    private const long MostBytes = 4_000_000_000;

    /// <summary>So many locals of a frame are listed at most.</summary>
    private const int MostLocals = 1000;

    /// <summary>Writes a core dump.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="exception">A <see cref="TrapException"/>, <see cref="WasmException"/> or <see cref="GuestCanceledException"/>.</param>
    /// <param name="instances">
    /// The instances whose memories and globals are written, as they are now: call this before anything else runs in them. Frames of a module belong to its
    /// first instance here.
    /// </param>
    /// <exception cref="ArgumentException">The exception is of another kind, and has no stack of a guest.</exception>
    /// <exception cref="IOException">The stream cannot be written to.</exception>
    public static void Write(Stream output, Exception exception, params ReadOnlySpan<Instance> instances)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(exception);
        IReadOnlyList<WasmFrame> stack = exception switch
        {
            TrapException e => e.WasmStack,
            WasmException e => e.WasmStack,
            GuestCanceledException e => e.WasmStack,
            _ => throw new ArgumentException("An exception of this kind has no stack of a guest.", nameof(exception)),
        };
        var dump = new Dump([.. instances]);
        dump.Write(output, stack);
    }

    /// <summary>The dump being written.</summary>
    private sealed class Dump
    {
        /// <summary>Modules, and for each entry of the list of instances its module and the instance if that is known.</summary>
        private readonly List<ModuleInfo> modules = [];
        private readonly List<(int Module, Instance? Instance)> entries = [];
        private readonly List<Memory> memories = [];
        private readonly List<Global> globals = [];

        internal Dump(Instance[] instances)
        {
            foreach (Instance instance in instances) entries.Add((ModuleOf(instance.Module.Info), instance));
        }

        private int ModuleOf(ModuleInfo info)
        {
            int known = modules.IndexOf(info);
            if (known >= 0) return known;
            modules.Add(info);
            return modules.Count - 1;
        }

        private int EntryOf(ModuleInfo info)
        {
            int module = ModuleOf(info), entry = entries.FindIndex(e => e.Module == module);
            if (entry >= 0) return entry;
            entries.Add((module, null));
            return entries.Count - 1;
        }

        internal void Write(Stream output, IReadOnlyList<WasmFrame> stack)
        {
            byte[] frames = Frames(stack);
            byte[] instanceList = Instances();
            output.Write([0, (byte)'a', (byte)'s', (byte)'m', 1, 0, 0, 0]);
            Custom(output, "core", writer =>
            {
                writer.WriteByte(0);
                Name(writer, modules.Count > 0 ? modules[0].Name ?? "" : "");
            });
            Custom(output, "coremodules", writer =>
            {
                Unsigned(writer, (uint)modules.Count);
                foreach (ModuleInfo module in modules)
                {
                    writer.WriteByte(0);
                    Name(writer, module.Name ?? "");
                }
            });
            Custom(output, "coreinstances", writer => writer.Write(instanceList));
            Custom(output, "corestack", writer =>
            {
                writer.WriteByte(0);
                Name(writer, "main");
                writer.Write(frames);
            });
            WriteMemories(output);
        }

        private byte[] Frames(IReadOnlyList<WasmFrame> stack)
        {
            var body = new MemoryStream();
            uint count = 0;
            foreach (WasmFrame frame in stack.SelectMany(f => f.Inlined.Append(f)))
            {
                if (frame.Definition is not ModuleInfo info || frame.FunctionIndex is not { } function) continue;
                count++;
                body.WriteByte(0);
                Unsigned(body, (uint)EntryOf(info));
                Unsigned(body, (uint)function);
                Unsigned(body, (uint)(frame.FunctionOffset ?? 0));
                FuncInfo func = info.Funcs[function];
                long locals = func.Func.Params.Length + func.Locals.Sum(run => (long)run.Count);
                if (locals > MostLocals) locals = 0;
                Unsigned(body, (uint)locals);
                // A value that is missing.
                for (long i = 0; i < locals; i++) body.WriteByte(1);
                Unsigned(body, 0);
            }
            var frames = new MemoryStream();
            Unsigned(frames, count);
            body.WriteTo(frames);
            return frames.ToArray();
        }

        private byte[] Instances()
        {
            var list = new MemoryStream();
            Unsigned(list, (uint)entries.Count);
            foreach ((int module, Instance? instance) in entries)
            {
                list.WriteByte(0);
                Unsigned(list, (uint)module);
                Indices(list, memories, instance?.Memories.Where(m => !m.IsDisposed).ToArray() ?? []);
                Indices(list, globals, instance?.Globals ?? []);
            }
            return list.ToArray();
        }

        private static void Indices<T>(MemoryStream list, List<T> all, T[] own)
            where T : class
        {
            Unsigned(list, (uint)own.Length);
            foreach (T item in own)
            {
                int index = all.IndexOf(item);
                if (index < 0)
                {
                    index = all.Count;
                    all.Add(item);
                }
                Unsigned(list, (uint)index);
            }
        }

        private void WriteMemories(Stream output)
        {
            if (memories.Count > 0)
            {
                Section(output, SectionId.Memory, writer =>
                {
                    Unsigned(writer, (uint)memories.Count);
                    foreach (Memory memory in memories) Limits(writer, memory);
                });
            }
            if (globals.Count > 0)
            {
                Section(output, SectionId.Global, writer =>
                {
                    Unsigned(writer, (uint)globals.Count);
                    foreach (Global global in globals) Value(writer, global);
                });
            }
            List<(int Memory, ulong Address, int Length)> pieces = Pieces();
            if (pieces.Count == 0) return;
            long size = 0;
            var head = new MemoryStream();
            Unsigned(head, (uint)pieces.Count);
            size += head.Length;
            foreach ((int memory, ulong address, int length) in pieces) size += PieceHead(memory, address, length).Length + length;
            output.WriteByte(SectionId.Data);
            Unsigned(output, (uint)size);
            head.WriteTo(output);
            foreach ((int memory, ulong address, int length) in pieces)
            {
                PieceHead(memory, address, length).WriteTo(output);
                output.Write(memories[memory].Slice(address, length));
            }
        }

        private List<(int Memory, ulong Address, int Length)> Pieces()
        {
            var pieces = new List<(int, ulong, int)>();
            long all = 0;
            for (int i = 0; i < memories.Count; i++)
            {
                ulong end = memories[i].Length;
                for (ulong at = 0; at < end; at += Piece)
                {
                    int length = (int)Math.Min(Piece, end - at);
                    if (memories[i].Slice(at, length).IndexOfAnyExcept((byte)0) < 0) continue;
                    if ((all += length + 32) > MostBytes) return pieces;
                    pieces.Add((i, at, length));
                }
            }
            return pieces;
        }

        private MemoryStream PieceHead(int memory, ulong address, int length)
        {
            var head = new MemoryStream();
            if (memory == 0)
            {
                head.WriteByte(0);
            }
            else
            {
                head.WriteByte(2);
                Unsigned(head, (uint)memory);
            }
            bool is64 = memories[memory].Type.Is64;
            head.WriteByte(is64 ? (byte)0x42 : (byte)0x41);
            Signed(head, is64 ? (long)address : (int)(uint)address);
            head.WriteByte(0x0b);
            Unsigned(head, (uint)length);
            return head;
        }

        private static void Limits(MemoryStream writer, Memory memory)
        {
            MemoryType type = memory.Type;
            bool hasPageSize = type.PageSizeLog2 != 16;
            writer.WriteByte((byte)((type.Maximum is null ? 0 : 1) | (type.IsShared ? 2 : 0) | (type.Is64 ? 4 : 0) | (hasPageSize ? 8 : 0)));
            Unsigned(writer, memory.PageCount);
            if (type.Maximum is { } maximum) Unsigned(writer, maximum);
            if (hasPageSize) Unsigned(writer, (ulong)type.PageSizeLog2);
        }

        private static void Value(MemoryStream writer, Global global)
        {
            ValType type = global.Type.Type;
            (byte code, byte constant) = type.Kind switch
            {
                ValKind.I32 => (TypeByte.I32, (byte)0x41),
                ValKind.I64 => (TypeByte.I64, (byte)0x42),
                ValKind.F32 => (TypeByte.F32, (byte)0x43),
                ValKind.F64 => (TypeByte.F64, (byte)0x44),
                ValKind.V128 => (TypeByte.V128, (byte)0xfd),
                // References mean nothing outside of the process.
                _ => ((byte)0x6f, (byte)0xd0),
            };
            writer.WriteByte(code);
            writer.WriteByte(0);
            writer.WriteByte(constant);
            switch (global.Value)
            {
                case int number when type.Kind == ValKind.I32: Signed(writer, number); break;
                case long number when type.Kind == ValKind.I64: Signed(writer, number); break;
                case float number when type.Kind == ValKind.F32: writer.Write(BitConverter.GetBytes(number)); break;
                case double number when type.Kind == ValKind.F64: writer.Write(BitConverter.GetBytes(number)); break;
                case System.Runtime.Intrinsics.Vector128<byte> vector when type.Kind == ValKind.V128:
                    writer.WriteByte(0x0c);
                    for (int i = 0; i < 16; i++) writer.WriteByte(vector[i]);
                    break;
                default: writer.WriteByte(0x6f); break;
            }
            writer.WriteByte(0x0b);
        }

        private static void Custom(Stream output, string name, Action<MemoryStream> write) => Section(output, SectionId.Custom, writer =>
        {
            Name(writer, name);
            write(writer);
        });

        private static void Section(Stream output, byte id, Action<MemoryStream> write)
        {
            var content = new MemoryStream();
            write(content);
            output.WriteByte(id);
            Unsigned(output, (uint)content.Length);
            content.WriteTo(output);
        }

        private static void Name(Stream writer, string name)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(name);
            Unsigned(writer, (uint)bytes.Length);
            writer.Write(bytes);
        }

        private static void Unsigned(Stream writer, ulong value)
        {
            for (; value >= 0x80; value >>= 7) writer.WriteByte((byte)(value | 0x80));
            writer.WriteByte((byte)value);
        }

        private static void Signed(Stream writer, long value)
        {
            while (value is < -64 or > 63)
            {
                writer.WriteByte((byte)(value | 0x80));
                value >>= 7;
            }
            writer.WriteByte((byte)(value & 0x7f));
        }
    }
}
