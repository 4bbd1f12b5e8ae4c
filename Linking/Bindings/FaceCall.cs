using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using WasmJit.Linking;

namespace WasmJit.Generated;

/// <summary>
/// A call of an exported function through the guest's memory, as generated code makes it: the arguments in order, then the call, then the result. How
/// each is passed depends on the function's type, which is known when the face is bound.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types", Justification = "A ref struct has none.")]
public ref struct FaceCall
{
    /// <summary>How many values a call has without an array.</summary>
    private const int Few = 10;

    [InlineArray(Few)]
    private struct Values
    {
        private Value first;
    }

    private readonly Face face;
    private readonly UntypedFunction function;
    private readonly BoundMethod bound;
    private readonly Value[]? more;
    private readonly int parameters;
    private Values few;
    private Passed passed;
    private int at;
    private long room;

    /// <summary>Begins a call. <see cref="End"/> has to follow, whatever happens.</summary>
    /// <param name="face">The face.</param>
    /// <param name="member">The index of the method.</param>
    public FaceCall(Face face, int member)
    {
        ArgumentNullException.ThrowIfNull(face);
        this.face = face;
        bound = face.MethodOf(member);
        function = face.FunctionOf(member);
        parameters = bound.Type.Params.Length;
        int count = parameters + bound.Type.Results.Length;
        if (count > Few) more = new Value[count];
        passed = new Passed(face);
    }

    [UnscopedRef]
    private Span<Value> All => more is not null ? more : (Span<Value>)few;

    private readonly ValType TypeAt(int parameter) => bound.Type.Params[parameter];

    private void Add(Value value) => All[at++] = value;

    private void AddNumber(long value)
    {
        if (TypeAt(at).Kind == ValKind.I32) Add((int)value);
        else Add(value);
    }

    private void AddPlace(long address, Crossing kind)
    {
        AddNumber(address);
        if (Conventions.HasLength(kind, bound.Form.Text)) AddNumber(passed.Length);
    }

    // ---- before the arguments ----

    /// <summary>Makes room for a result that the function puts into memory, if it does.</summary>
    /// <param name="size">The bytes of a struct; 0 for an address and a length.</param>
    public void Room(int size)
    {
        if (!bound.Form.ThroughPointer) return;
        room = passed.Room(size != 0 ? size : TypeAt(0).Kind == ValKind.I64 ? 16 : 8);
        AddNumber(room);
    }

    // ---- arguments ----

    /// <summary>A number.</summary>
    /// <param name="value">The number.</param>
    public void Pass(int value) => Add(value);

    /// <summary>A number.</summary>
    /// <param name="value">The number.</param>
    public void Pass(long value) => Add(value);

    /// <summary>A number.</summary>
    /// <param name="value">The number.</param>
    public void Pass(float value) => Add(value);

    /// <summary>A number.</summary>
    /// <param name="value">The number.</param>
    public void Pass(double value) => Add(value);

    /// <summary>A vector.</summary>
    /// <param name="value">The vector.</param>
    public void Pass(Vector128<byte> value) => Add(Value.FromVector128(value));

    /// <summary>A reference.</summary>
    /// <param name="value">A delegate, an object, or null.</param>
    public void PassReference(object? value) => Add(Value.FromReference(value));

    /// <summary>A text.</summary>
    /// <param name="text">The text.</param>
    public void PassText(string? text)
    {
        if (TypeAt(at).IsRef) Add(Value.FromReference(text));
        else AddPlace(bound.Form.Text == TextForm.ZeroTerminated ? passed.ZeroTerminated(text) : passed.Text(text), Crossing.Text);
    }

    /// <summary>An array.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="items">The items.</param>
    public void PassArray<T>(T[]? items)
        where T : unmanaged => AddPlace(passed.Array(items), Crossing.Array);

    /// <summary>A span that the guest reads.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="items">The items.</param>
    /// <returns>Where they are.</returns>
    public long PassSpan<T>(scoped ReadOnlySpan<T> items)
        where T : unmanaged
    {
        long address = passed.Span(items);
        AddPlace(address, Crossing.ReadOnlySpan);
        return address;
    }

    /// <summary>A struct.</summary>
    /// <typeparam name="T">A struct of numbers.</typeparam>
    /// <param name="value">The struct.</param>
    public void PassStruct<T>(T value)
        where T : unmanaged => AddPlace(passed.Struct(value), Crossing.Struct);

    // ---- the call ----

    /// <summary>Calls the function.</summary>
    public void Invoke() => function.Invoke(All[..parameters], All.Slice(parameters, bound.Type.Results.Length));

    /// <summary>Copies back what the guest has written to a span.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="address">Where <see cref="PassSpan"/> has put it.</param>
    /// <param name="items">The span.</param>
    public readonly void CopyBack<T>(long address, scoped Span<T> items)
        where T : unmanaged => passed.CopyBack(address, items);

    /// <summary>The call has ended as it should: what fails behind it is told.</summary>
    public void Done() => passed.Done();

    /// <summary>Gives back what was allocated for the call.</summary>
    public readonly void End() => passed.Free();

    // ---- results ----

    /// <summary>A result as it is.</summary>
    /// <param name="index">Which.</param>
    [UnscopedRef]
    private ref Value Result(int index) => ref All[parameters + index];

    /// <summary>A number.</summary>
    /// <param name="index">Which result.</param>
    public int Int32(int index = 0) => Result(index).AsInt32();

    /// <summary>A number.</summary>
    /// <param name="index">Which result.</param>
    public long Int64(int index = 0) => Result(index).AsInt64();

    /// <summary>A number.</summary>
    /// <param name="index">Which result.</param>
    public float Single(int index = 0) => Result(index).AsSingle();

    /// <summary>A number.</summary>
    /// <param name="index">Which result.</param>
    public double Double(int index = 0) => Result(index).AsDouble();

    /// <summary>A vector.</summary>
    /// <param name="index">Which result.</param>
    public Vector128<byte> Vector(int index = 0) => Result(index).AsVector();

    /// <summary>A reference other than to a function.</summary>
    /// <typeparam name="T">Its class.</typeparam>
    /// <param name="index">Which result.</param>
    public T Reference<T>(int index = 0) => GuestData.ReferenceAs<T>(Result(index).AsReference())!;

    /// <summary>A reference to a function.</summary>
    /// <typeparam name="T">The delegate type.</typeparam>
    /// <param name="index">Which result.</param>
    public T? Function<T>(int index = 0)
        where T : Delegate => Face.FunctionAs<T>((Delegate?)Result(index).AsReference());

    /// <summary>Addresses and lengths have no sign.</summary>
    private long Address(int index) => Result(index).Kind == ValKind.I32 ? (uint)Result(index).AsInt32() : Result(index).AsInt64();

    private (long Address, long Length) Place()
    {
        if (room == 0) return (Address(0), bound.Type.Results.Length > 1 ? Address(1) : 0);
        return TypeAt(0).Kind == ValKind.I64 ? (face.StructAt<long>(room), face.StructAt<long>(room + 8)) : (face.StructAt<uint>(room), face.StructAt<uint>(room + 4));
    }

    private readonly void GiveBack(long address)
    {
        if (bound.Member.IsOwned) face.Free(address);
    }

    /// <summary>A text.</summary>
    public string? Text()
    {
        if (bound.Type.Results.Length == 1 && bound.Type.Results[0].IsRef) return Reference<string?>();
        (long address, long length) = Place();
        string? text = room == 0 && bound.Type.Results.Length == 1 ? face.ZeroTerminated(address) : face.TextAt(address, length);
        GiveBack(address);
        return text;
    }

    /// <summary>A copy of items.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    public T[] Array<T>()
        where T : unmanaged
    {
        (long address, long length) = Place();
        T[] items = face.ArrayAt<T>(address, length);
        GiveBack(address);
        return items;
    }

    /// <summary>Items as they are in the guest's memory.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    public Span<T> Span<T>()
        where T : unmanaged
    {
        (long address, long length) = Place();
        Span<T> items = face.SpanAt<T>(address, length);
        GiveBack(address);
        return items;
    }

    /// <summary>A struct.</summary>
    /// <typeparam name="T">A struct of numbers.</typeparam>
    public T Struct<T>()
        where T : unmanaged
    {
        long address = room != 0 ? room : Address(0);
        T value = face.StructAt<T>(address);
        // The room is given back with the arguments.
        if (room == 0) GiveBack(address);
        return value;
    }
}
