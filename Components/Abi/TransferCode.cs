using System.Reflection;
using System.Reflection.Emit;
using WasmJit.Jit.Calls;

namespace WasmJit.Components;

/// <summary>How a function's parameters or result are passed on one side.</summary>
internal enum ValueForm
{
    /// <summary>As core values, in slots.</summary>
    Flat,

    /// <summary>In memory, at the address in the first slot.</summary>
    Memory,

    /// <summary>In memory that is allocated; the address goes into the first slot.</summary>
    Allocated,
}

/// <summary>A copy: where the slots of both sides are.</summary>
internal unsafe delegate void TransferMethod(Transfer transfer, CallScope? scope, ulong* source, ulong* target);

/// <summary>A copy of elements that lie one behind the other.</summary>
internal unsafe delegate void ElementsMethod(Transfer transfer, byte* source, byte* target, ulong count);

/// <summary>
/// Compiled copies of values between two guests. There is one for each shape of types and each pair of forms in the process,
/// for as long as it is in use; labels, memories, encodings and resource types are not part of it.
/// </summary>
internal sealed class TransferCode
{
    private static readonly WeakTable<string, TransferCode> Known = new();

    private readonly DynamicMethod method;

    /// <summary>Not the method: .NET locks that while it is compiled, and on a thread with little stack another thread compiles.</summary>
    private readonly Lock gate = new();
    private readonly List<DynamicMethod> helpers;
    private readonly bool isElements;
    private Delegate? made;

    private TransferCode(TransferEmitter emitter, bool isElements)
    {
        method = emitter.Made;
        helpers = emitter.Helpers;
        this.isElements = isElements;
    }

    /// <summary>How many there are, some perhaps that are gone.</summary>
    internal static int Count => Known.Count;

    /// <summary>The copy of parameters or a result.</summary>
    internal static TransferCode Of(
        IReadOnlyList<ComponentValType> types, TypeShape shape, ValueForm source, ValueForm target, bool from64, bool to64) =>
        Known.GetOrAdd($"{(int)source}{(int)target}{(from64 ? 'l' : 'i')}{(to64 ? 'l' : 'i')}{shape.Key}", (types, shape, source, target, from64, to64), static s =>
        {
            var emitter = new TransferEmitter(s.shape, s.from64, s.to64, false);
            emitter.Write(s.types, s.source, s.target);
            return new TransferCode(emitter, false);
        });

    /// <summary>The copy of a stream's elements.</summary>
    internal static TransferCode OfElements(ComponentValType type, TypeShape shape, bool from64, bool to64) =>
        Known.GetOrAdd($"e{(from64 ? 'l' : 'i')}{(to64 ? 'l' : 'i')}{shape.Key}", (type, shape, from64, to64), static s =>
        {
            var emitter = new TransferEmitter(s.shape, s.from64, s.to64, true);
            emitter.WriteElements(s.type);
            return new TransferCode(emitter, true);
        });

    internal TransferMethod Method => (TransferMethod)Made;

    internal ElementsMethod Elements => (ElementsMethod)Made;

    private Delegate Made
    {
        get
        {
            if (Volatile.Read(ref made) is { } known) return known;
            lock (gate)
            {
                if (made is null)
                {
                    // Where there is stack for it: guests come here.
                    foreach (DynamicMethod helper in helpers) CodeAddress.Of(helper);
                    CodeAddress.Of(method);
                    Volatile.Write(ref made, method.CreateDelegate(isElements ? typeof(ElementsMethod) : typeof(TransferMethod)));
                }
                return made;
            }
        }
    }
}

/// <summary>Where a value is, for the emitter: in slots, which have 64 bits each, or in memory.</summary>
/// <param name="IsMemory">Whether it is laid out as in a memory.</param>
/// <param name="Pointer">The address, less <paramref name="Offset"/>; null of slots that are locals.</param>
/// <param name="Offset">The offset to add. For slots that are locals: the number of the first one.</param>
/// <param name="Locals">The slots.</param>
internal readonly record struct Place(bool IsMemory, LocalBuilder? Pointer, long Offset, LocalBuilder[]? Locals)
{
    internal static Place Memory(LocalBuilder pointer, long offset = 0) => new(true, pointer, offset, null);

    internal static Place Slots(LocalBuilder pointer) => new(false, pointer, 0, null);

    internal static Place Slots(LocalBuilder[] locals) => new(false, null, 0, locals);

    /// <summary>A part: so many bytes further in memory, so many slots further in slots.</summary>
    internal Place At(long bytes, int slots) => this with { Offset = Offset + (IsMemory ? bytes : Locals is null ? 8L * slots : slots) };
}

/// <summary>The methods that generated code calls, by name.</summary>
internal static class AbiMembers
{
    internal static MethodInfo Helper(string name) => EntryThunk.Method(typeof(TransferHelpers), name);

    internal static readonly FieldInfo From = typeof(Transfer).GetField(nameof(Transfer.From), BindingFlags.Instance | BindingFlags.NonPublic)!;

    internal static readonly FieldInfo To = typeof(Transfer).GetField(nameof(Transfer.To), BindingFlags.Instance | BindingFlags.NonPublic)!;
}
