namespace WasmJit.Jit.Operators;

/// <summary>The values of an enumeration by their names as rows of the operator table write them: in any case, with or without hyphens.</summary>
/// <remarks>Every program comes here before its first call, so the dictionary is of a kind that .NET itself has compiled ahead.</remarks>
internal static class EnumNames<T>
    where T : struct, Enum
{
    private static readonly T[] Values = Enum.GetValues<T>();
    private static readonly Dictionary<string, int> Indices = Read(typeof(T).GetEnumNames());

    private static Dictionary<string, int> Read(string[] names)
    {
        var indices = new Dictionary<string, int>(names.Length);
        for (int i = 0; i < names.Length; i++) indices.Add(Normal(names[i]), i);
        return indices;
    }

    private static string Normal(ReadOnlySpan<char> name)
    {
        Span<char> letters = stackalloc char[name.Length];
        int length = 0;
        foreach (char c in name)
            if (c != '-') letters[length++] = char.ToLowerInvariant(c);
        return new string(letters[..length]);
    }

    /// <exception cref="FormatException">There is no such value.</exception>
    internal static T Of(ReadOnlySpan<char> name) =>
        Indices.TryGetValue(Normal(name), out int index) ? Values[index] : throw new FormatException($"There is no {typeof(T).Name} '{name}'.");
}
