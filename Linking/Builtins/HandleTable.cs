using WasmJit.Builtins;

namespace WasmJit.Linking;

/// <summary>
/// Objects by number, for guests. A number consists of a place and a generation. A place whose generations are used up is not used again, so a number
/// never means another object than the one it was made for. All numbers are positive, and none is below 2^20.
/// </summary>
internal sealed class HandleTable(int most)
{
    private const int PlaceBits = 20;

    private const int LastGeneration = (1 << (31 - PlaceBits)) - 1;

    /// <summary>The smallest handle.</summary>
    internal const int First = 1 << PlaceBits;

    private readonly Lock gate = new();
    private readonly List<(object? Item, int Generation)> places = [];
    private readonly Stack<int> free = [];
    private int count;

    /// <exception cref="LinkingFailure">There are too many.</exception>
    internal int Add(object item)
    {
        lock (gate)
        {
            if (count >= most) throw new LinkingFailure(LinkingError.QuotaExceeded, $"quota exceeded: handles: {count} are in use, {most} are allowed");
            if (!free.TryPop(out int place))
            {
                place = places.Count;
                if (place >= First) throw new LinkingFailure(LinkingError.QuotaExceeded, "quota exceeded: handles: all numbers are used up");
                places.Add((null, 0));
            }
            int generation = places[place].Generation + 1;
            places[place] = (item, generation);
            count++;
            return (generation << PlaceBits) | place;
        }
    }

    internal object? Find(int handle)
    {
        lock (gate)
        {
            int place = handle & (First - 1);
            return handle >= First && place < places.Count && places[place].Generation == handle >> PlaceBits ? places[place].Item : null;
        }
    }

    /// <exception cref="LinkingFailure">There is no such handle, or it is of another kind.</exception>
    internal T Get<T>(int handle)
        where T : class => Find(handle) switch
        {
            T item => item,
            null => throw Invalid(handle),
            _ => throw new LinkingFailure(LinkingError.InvalidArgument, $"handle {handle} is of another kind"),
        };

    /// <exception cref="LinkingFailure">There is no such handle.</exception>
    internal void Drop(int handle)
    {
        object item;
        lock (gate)
        {
            item = Find(handle) ?? throw Invalid(handle);
            int place = handle & (First - 1), generation = handle >> PlaceBits;
            places[place] = (null, generation);
            count--;
            if (generation < LastGeneration) free.Push(place);
        }
        if (item is ILinkedObject owned) owned.End();
    }

    private static LinkingFailure Invalid(int handle) => new(LinkingError.InvalidArgument, $"there is no handle {handle}");
}
