using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using WasmJit.Linking;

namespace WasmJit.Generated;

/// <summary>
/// What a call through an export's own delegate passes in the guest's memory. Generated code makes such calls where the function's type is the usual
/// one: addresses and lengths of 32 bits, texts with their lengths. All others are a <see cref="FaceCall"/>.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
[SuppressMessage("Performance", "CA1815:Override equals and operator equals on value types", Justification = "A ref struct has none.")]
public ref struct FaceArguments
{
    private readonly Face face;
    private Passed passed;

    /// <summary>Begins a call. <see cref="End"/> has to follow, whatever happens.</summary>
    /// <param name="face">The face.</param>
    public FaceArguments(Face face)
    {
        ArgumentNullException.ThrowIfNull(face);
        this.face = face;
        passed = new Passed(face);
    }

    /// <summary>Makes room for a result that the function puts into memory.</summary>
    /// <param name="size">Its bytes.</param>
    /// <returns>Where it is.</returns>
    public int Room(int size) => (int)passed.Room(size);

    /// <summary>A text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="length">Its bytes.</param>
    /// <returns>Where it is.</returns>
    public int Text(string? text, out int length)
    {
        long address = passed.Text(text);
        length = (int)passed.Length;
        return (int)address;
    }

    /// <summary>An array.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="items">The items.</param>
    /// <param name="length">How many there are.</param>
    /// <returns>Where they are.</returns>
    public int Array<T>(T[]? items, out int length)
        where T : unmanaged
    {
        long address = passed.Array(items);
        length = (int)passed.Length;
        return (int)address;
    }

    /// <summary>A span that the guest reads.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="items">The items.</param>
    /// <param name="length">How many there are.</param>
    /// <returns>Where they are.</returns>
    public int Span<T>(scoped ReadOnlySpan<T> items, out int length)
        where T : unmanaged
    {
        length = items.Length;
        return (int)passed.Span(items);
    }

    /// <summary>A struct.</summary>
    /// <typeparam name="T">A struct of numbers.</typeparam>
    /// <param name="value">The struct.</param>
    /// <returns>Where it is.</returns>
    public int Struct<T>(T value)
        where T : unmanaged => (int)passed.Struct(value);

    /// <summary>Copies back what the guest has written to a span.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="address">Where <see cref="Span"/> has put it.</param>
    /// <param name="items">The span.</param>
    public readonly void CopyBack<T>(int address, scoped Span<T> items)
        where T : unmanaged => passed.CopyBack((uint)address, items);

    /// <summary>The call has ended as it should: what fails behind it is told.</summary>
    public void Done() => passed.Done();

    /// <summary>Gives back what was allocated for the call.</summary>
    public readonly void End() => passed.Free();

    // ---- results ----

    /// <summary>The address and the length that the function has put into the room for its result.</summary>
    /// <param name="room">What <see cref="Room"/> gave.</param>
    public readonly (int Address, int Length) PlaceIn(int room) => (face.StructAt<int>((uint)room), face.StructAt<int>((uint)room + 4L));

    /// <summary>A text.</summary>
    /// <param name="place">Where it is.</param>
    /// <param name="isOwned">Whether it is given back.</param>
    public readonly string? TextOf((int Address, int Length) place, bool isOwned)
    {
        string? text = face.TextAt((uint)place.Address, (uint)place.Length);
        if (isOwned) face.Free((uint)place.Address);
        return text;
    }

    /// <summary>A copy of items.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="place">Where they are.</param>
    /// <param name="isOwned">Whether they are given back.</param>
    public readonly T[] ArrayOf<T>((int Address, int Length) place, bool isOwned)
        where T : unmanaged
    {
        T[] items = face.ArrayAt<T>((uint)place.Address, (uint)place.Length);
        if (isOwned) face.Free((uint)place.Address);
        return items;
    }

    /// <summary>Items as they are in the guest's memory.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="place">Where they are.</param>
    /// <param name="isOwned">Whether they are given back.</param>
    public readonly Span<T> SpanOf<T>((int Address, int Length) place, bool isOwned)
        where T : unmanaged
    {
        Span<T> items = face.SpanAt<T>((uint)place.Address, (uint)place.Length);
        if (isOwned) face.Free((uint)place.Address);
        return items;
    }

    /// <summary>A struct.</summary>
    /// <typeparam name="T">A struct of numbers.</typeparam>
    /// <param name="address">Where it is.</param>
    /// <param name="isOwned">Whether it is given back.</param>
    public readonly T StructOf<T>(int address, bool isOwned)
        where T : unmanaged
    {
        T value = face.StructAt<T>((uint)address);
        if (isOwned) face.Free((uint)address);
        return value;
    }
}
