using System.Globalization;

namespace WasmJit.Components;

/// <summary>The version in the name of an interface, for comparing versions that are compatible with each other.</summary>
internal readonly record struct InterfaceVersion(ulong Major, ulong Minor, ulong Patch)
{
    /// <summary>The version of a name.</summary>
    /// <param name="name">The name, as in <c>wasi:io/streams@0.2.0</c>; <c>wasi:io/streams@0.2</c> is a canonical one.</param>
    /// <param name="track">What names of compatible versions have in common: all up to the first number that is not zero.</param>
    /// <returns>Null if there is no version, or one before a release, which is compatible with itself alone.</returns>
    internal static InterfaceVersion? Of(string name, out string track)
    {
        track = "";
        int at = name.IndexOf('@', StringComparison.Ordinal);
        if (at < 0) return null;
        ReadOnlySpan<char> version = name.AsSpan(at + 1);
        int build = version.IndexOf('+');
        if (build >= 0) version = version[..build];
        Span<ulong> numbers = [0, 0, 0];
        int count = 0;
        foreach (Range part in version.Split('.'))
        {
            if (count == 3 || !ulong.TryParse(version[part], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[count++])) return null;
        }
        int significant = numbers[0] != 0 ? 1 : numbers[1] != 0 ? 2 : 3;
        if (count < significant) return null;
        track = string.Create(CultureInfo.InvariantCulture, $"{name.AsSpan(0, at)}@{(significant == 1 ? $"{numbers[0]}" : significant == 2 ? $"0.{numbers[1]}" : $"0.0.{numbers[2]}")}");
        return new InterfaceVersion(numbers[0], numbers[1], numbers[2]);
    }

    /// <summary>Whether a version is older than another.</summary>
    public static bool operator <(InterfaceVersion a, InterfaceVersion b) => (a.Major, a.Minor, a.Patch).CompareTo((b.Major, b.Minor, b.Patch)) < 0;

    /// <summary>Whether a version is newer than another.</summary>
    public static bool operator >(InterfaceVersion a, InterfaceVersion b) => b < a;
}
