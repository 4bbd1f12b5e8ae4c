using System.Collections;

namespace WasmJit.Jit.Binary;

/// <summary>A list as its readers see it: they cannot change it.</summary>
internal readonly struct Items<T>(List<T> list) : IReadOnlyList<T>
{
    public int Count => list.Count;

    public T this[int index] => list[index];

    internal int IndexOf(T item) => list.IndexOf(item);

    internal int FindIndex(Predicate<T> match) => list.FindIndex(match);

    internal int FindIndex(int start, Predicate<T> match) => list.FindIndex(start, match);

    internal int FindLastIndex(Predicate<T> match) => list.FindLastIndex(match);

    public List<T>.Enumerator GetEnumerator() => list.GetEnumerator();

    IEnumerator<T> IEnumerable<T>.GetEnumerator() => list.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => list.GetEnumerator();
}

/// <summary>The functions of a module: a list, and perhaps one more.</summary>
internal readonly struct FuncItems(List<FuncInfo> list, FuncInfo? last) : IReadOnlyList<FuncInfo>
{
    public int Count => last is null ? list.Count : list.Count + 1;

    public FuncInfo this[int index] => last is null || index < list.Count ? list[index] : index == list.Count ? last : throw new ArgumentOutOfRangeException(nameof(index));

    public IEnumerator<FuncInfo> GetEnumerator()
    {
        foreach (FuncInfo func in list) yield return func;
        if (last is not null) yield return last;
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
