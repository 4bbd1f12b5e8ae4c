using WasmJit.Jit.Binary;
using WasmJit.Jit.Format;
using WasmJit.Jit.Operators;

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

    /// <summary>The most locals of a frame that are listed.</summary>
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

        /// <summary>Where each is in its list: a module may have a million of them, and instances share them.</summary>
        private readonly Dictionary<Memory, int> memoryNumbers = [];
        private readonly Dictionary<Global, int> globalNumbers = [];

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
            ByteWriter frames = Frames(stack);
            ByteWriter instanceList = Instances();
            output.Write([0, (byte)'a', (byte)'s', (byte)'m', 1, 0, 0, 0]);
            Custom(output, "core", writer =>
            {
                writer.U8(0);
                writer.Name(modules.Count > 0 ? modules[0].Name ?? "" : "");
            });
            Custom(output, "coremodules", writer =>
            {
                writer.U32((uint)modules.Count);
                foreach (ModuleInfo module in modules)
                {
                    writer.U8(0);
                    writer.Name(module.Name ?? "");
                }
            });
            Custom(output, "coreinstances", writer => writer.Append(instanceList));
            Custom(output, "corestack", writer =>
            {
                writer.U8(0);
                writer.Name("main");
                writer.Append(frames);
            });
            WriteMemories(output);
        }

        private ByteWriter Frames(IReadOnlyList<WasmFrame> stack)
        {
            var body = new ByteWriter();
            uint count = 0;
            foreach (WasmFrame frame in stack.SelectMany(f => f.Inlined.Append(f)))
            {
                if (frame.Definition is not ModuleInfo info || frame.FunctionIndex is not { } function) continue;
                count++;
                body.U8(0);
                body.U32((uint)EntryOf(info));
                body.U32((uint)function);
                body.U32((uint)(frame.FunctionOffset ?? 0));
                FuncInfo func = info.Funcs[function];
                long locals = func.Func.Params.Length + func.Locals.Sum(run => (long)run.Count);
                if (locals > MostLocals) locals = 0;
                body.U32((uint)locals);
                // A value that is missing.
                for (long i = 0; i < locals; i++) body.U8(1);
                body.U32(0);
            }
            var frames = new ByteWriter();
            frames.U32(count);
            frames.Append(body);
            return frames;
        }

        private ByteWriter Instances()
        {
            var list = new ByteWriter();
            list.U32((uint)entries.Count);
            foreach ((int module, Instance? instance) in entries)
            {
                list.U8(0);
                list.U32((uint)module);
                Indices(list, memories, memoryNumbers, instance?.Memories.Where(m => !m.IsDisposed).ToArray() ?? []);
                Indices(list, globals, globalNumbers, instance?.Globals ?? []);
            }
            return list;
        }

        private static void Indices<T>(ByteWriter list, List<T> all, Dictionary<T, int> numbers, T[] own)
            where T : class
        {
            list.U32((uint)own.Length);
            foreach (T item in own)
            {
                if (!numbers.TryGetValue(item, out int index))
                {
                    numbers.Add(item, index = all.Count);
                    all.Add(item);
                }
                list.U32((uint)index);
            }
        }

        private void WriteMemories(Stream output)
        {
            if (memories.Count > 0)
            {
                Section(output, SectionId.Memory, writer =>
                {
                    writer.U32((uint)memories.Count);
                    foreach (Memory memory in memories) writer.Limits(memory.CurrentType);
                });
            }
            if (globals.Count > 0)
            {
                Section(output, SectionId.Global, writer =>
                {
                    writer.U32((uint)globals.Count);
                    foreach (Global global in globals) Value(writer, global);
                });
            }
            List<(int Memory, ulong Address, int Length)> pieces = Pieces();
            if (pieces.Count == 0) return;
            var count = new ByteWriter();
            count.U32((uint)pieces.Count);
            long size = count.Length;
            foreach ((int memory, ulong address, int length) in pieces) size += PieceHead(memory, address, length).Length + length;
            var head = new ByteWriter();
            head.U8(SectionId.Data);
            head.U32((uint)size);
            head.Append(count);
            output.Write(head.Span);
            foreach ((int memory, ulong address, int length) in pieces)
            {
                output.Write(PieceHead(memory, address, length).Span);
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

        private ByteWriter PieceHead(int memory, ulong address, int length)
        {
            var head = new ByteWriter();
            if (memory == 0)
            {
                head.U8(0);
            }
            else
            {
                head.U8(2);
                head.U32((uint)memory);
            }
            bool is64 = memories[memory].Type.Is64;
            head.Code(is64 ? OpId.I64Const : OpId.I32Const);
            head.S64(is64 ? (long)address : (int)(uint)address);
            head.Code(OpId.End);
            head.U32((uint)length);
            return head;
        }

        private static void Value(ByteWriter writer, Global global)
        {
            // References mean nothing outside of the process.
            byte reference = (byte)HeapType.Extern.Code;
            ValType type = global.Type.Type;
            (byte code, OpId constant) = type.Kind switch
            {
                ValKind.I32 => (TypeByte.I32, OpId.I32Const),
                ValKind.I64 => (TypeByte.I64, OpId.I64Const),
                ValKind.F32 => (TypeByte.F32, OpId.F32Const),
                ValKind.F64 => (TypeByte.F64, OpId.F64Const),
                ValKind.V128 => (TypeByte.V128, OpId.V128Const),
                _ => (reference, OpId.RefNull),
            };
            writer.U8(code);
            writer.U8(0);
            writer.Code(constant);
            switch (global.Value)
            {
                case int number when type.Kind == ValKind.I32: writer.S64(number); break;
                case long number when type.Kind == ValKind.I64: writer.S64(number); break;
                case float number when type.Kind == ValKind.F32: writer.Fixed32(BitConverter.SingleToUInt32Bits(number)); break;
                case double number when type.Kind == ValKind.F64: writer.Fixed64(BitConverter.DoubleToUInt64Bits(number)); break;
                case System.Runtime.Intrinsics.Vector128<byte> vector when type.Kind == ValKind.V128:
                    for (int i = 0; i < 16; i++) writer.U8(vector[i]);
                    break;
                default: writer.U8(reference); break;
            }
            writer.Code(OpId.End);
        }

        private static void Custom(Stream output, string name, Action<ByteWriter> write) => Section(output, SectionId.Custom, writer =>
        {
            writer.Name(name);
            write(writer);
        });

        private static void Section(Stream output, byte id, Action<ByteWriter> write)
        {
            var content = new ByteWriter();
            write(content);
            var section = new ByteWriter();
            section.U8(id);
            section.Sized(content);
            output.Write(section.Span);
        }
    }
}
