namespace WasmJit.Components;

/// <summary>The forms of names of imports and exports.</summary>
internal enum ExternNameKind
{
    Label,
    Constructor,
    Method,
    Static,
    Interface,
}

/// <summary>A name of an import or export, taken apart (Explainer.md, import and export definitions).</summary>
/// <param name="Kind">Its form.</param>
/// <param name="Resource">The resource of a constructor, method or static function.</param>
/// <param name="Version">The version of an interface, without <c>@</c>; null if it has none.</param>
internal readonly record struct ExternNameSyntax(ExternNameKind Kind, string? Resource, string? Version)
{
    private const string Constructor = "[constructor]", Method = "[method]", Static = "[static]";

    /// <summary>Takes a name apart.</summary>
    /// <param name="name">The name.</param>
    /// <param name="syntax">What it is.</param>
    /// <returns>What is wrong with it, or null.</returns>
    internal static string? Parse(string name, out ExternNameSyntax syntax)
    {
        syntax = default;
        if (name.StartsWith(Constructor, StringComparison.Ordinal))
        {
            string resource = name[Constructor.Length..];
            syntax = new(ExternNameKind.Constructor, resource, null);
            return CheckLabel(resource);
        }
        if (name.StartsWith(Method, StringComparison.Ordinal)) return ParseMember(name[Method.Length..], ExternNameKind.Method, out syntax);
        if (name.StartsWith(Static, StringComparison.Ordinal)) return ParseMember(name[Static.Length..], ExternNameKind.Static, out syntax);
        if (name.Contains(':', StringComparison.Ordinal)) return ParseInterface(name, out syntax);
        syntax = new(ExternNameKind.Label, null, null);
        return CheckLabel(name);
    }

    private static string? ParseMember(string name, ExternNameKind kind, out ExternNameSyntax syntax)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        syntax = new(kind, dot < 0 ? null : name[..dot], null);
        return dot < 0 ? "failed to find `.` character" : CheckLabel(name[..dot]) ?? CheckLabel(name[(dot + 1)..]);
    }

    private static string? ParseInterface(string name, out ExternNameSyntax syntax)
    {
        syntax = new(ExternNameKind.Interface, null, null);
        int colon = name.IndexOf(':', StringComparison.Ordinal);
        if (CheckWords(name[..colon]) is { } wrongNamespace) return wrongNamespace;
        string rest = name[(colon + 1)..];
        int end = rest.AsSpan().IndexOfAny(":/@");
        string package = end < 0 ? rest : rest[..end];
        if (CheckWords(package) is { } wrongPackage) return wrongPackage;
        if (end < 0 || rest[end] != '/') return "expected `/` after package name";
        rest = rest[(end + 1)..];
        end = rest.AsSpan().IndexOfAny(":/@");
        if (CheckLabel(end < 0 ? rest : rest[..end]) is { } wrongLabel) return wrongLabel;
        if (end < 0) return null;
        if (rest[end] != '@') return $"trailing characters found: `{rest[end..]}`";
        string version = rest[(end + 1)..];
        syntax = syntax with { Version = version };
        return IsCanonicalVersion(version) || SemanticVersion.Problem(version) is not { } wrong ? null : $"`{version}` is not a valid semver: {wrong}";
    }

    /// <summary>Whether a version is only as much of a semantic version as says what is compatible: <c>1</c>, <c>0.2</c>, <c>0.0.1</c>.</summary>
    internal static bool IsCanonicalVersion(string version)
    {
        ReadOnlySpan<char> number = version;
        if (version == "0.0.0") return true;
        if (version.StartsWith("0.0.", StringComparison.Ordinal)) number = number[4..];
        else if (version.StartsWith("0.", StringComparison.Ordinal)) number = number[2..];
        if (number.IsEmpty || number[0] is < '1' or > '9') return false;
        foreach (char c in number)
            if (!char.IsAsciiDigit(c)) return false;
        return true;
    }

    // ---- words ----

    /// <summary>What is wrong with a label, or null.</summary>
    internal static string? CheckLabel(string label) => IsLabel(label, false) ? null : $"`{label}` is not in kebab case";

    /// <summary>As a label, all in lower case.</summary>
    private static string? CheckWords(string words) => IsLabel(words, true) ? null : $"`{words}` is not in kebab case";

    /// <summary>Fragments between hyphens, each in one case; the first begins with a letter.</summary>
    private static bool IsLabel(string label, bool onlyLower)
    {
        bool first = true;
        foreach (Range range in label.AsSpan().Split('-'))
        {
            ReadOnlySpan<char> fragment = label.AsSpan(range);
            if (fragment.IsEmpty || (first && !char.IsAsciiLetter(fragment[0]))) return false;
            bool hasLower = false, hasUpper = false;
            foreach (char c in fragment)
            {
                if (char.IsAsciiLetterLower(c)) hasLower = true;
                else if (char.IsAsciiLetterUpper(c)) hasUpper = true;
                else if (!char.IsAsciiDigit(c)) return false;
            }
            if (hasUpper && (hasLower || onlyLower)) return false;
            first = false;
        }
        return true;
    }

    // ---- uniqueness ----

    /// <summary>Names with the same key are not strongly unique (Explainer.md, name uniqueness).</summary>
    internal static string UniquenessKey(string name)
    {
        string lower = name.ToLowerInvariant();
        string? member = lower.StartsWith(Method, StringComparison.Ordinal) ? lower[Method.Length..]
            : lower.StartsWith(Static, StringComparison.Ordinal) ? lower[Static.Length..] : null;
        if (member is null) return lower;
        int dot = member.IndexOf('.', StringComparison.Ordinal);
        return dot >= 0 && member.AsSpan(0, dot).SequenceEqual(member.AsSpan(dot + 1)) ? member[..dot] : member;
    }
}

/// <summary>Semantic versions (semver.org, 2.0).</summary>
internal static class SemanticVersion
{
    /// <summary>What is wrong with a version, or null.</summary>
    internal static string? Problem(string text)
    {
        if (text.Length == 0) return "empty string, expected a semver version";
        int at = 0;
        string[] positions = ["major version number", "minor version number", "patch version number"];
        for (int i = 0; i < 3; i++)
        {
            if (Number(text, ref at, positions[i]) is { } wrong) return wrong;
            if (i == 2) break;
            if (at == text.Length) return $"unexpected end of input while parsing {positions[i]}";
            if (text[at] != '.') return Unexpected(text[at], positions[i]);
            at++;
        }
        if (at < text.Length && text[at] == '-')
        {
            at++;
            if (Identifiers(text, ref at, true) is { } wrong) return wrong;
        }
        if (at < text.Length && text[at] == '+')
        {
            at++;
            if (Identifiers(text, ref at, false) is { } wrong) return wrong;
        }
        return at == text.Length ? null : Unexpected(text[at], "patch version number");
    }

    private static string Unexpected(char c, string position) => $"unexpected character '{c}' while parsing {position}";

    private static string? Number(string text, ref int at, string position)
    {
        int start = at;
        ulong value = 0;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            ulong digit = (ulong)(text[at++] - '0');
            if (value > (ulong.MaxValue - digit) / 10) return $"value of {position} exceeds u64::MAX";
            value = (value * 10) + digit;
        }
        if (at == start) return at == text.Length ? $"unexpected end of input while parsing {position}" : Unexpected(text[at], position);
        return at - start > 1 && text[start] == '0' ? $"invalid leading zero in {position}" : null;
    }

    private static string? Identifiers(string text, ref int at, bool isPrerelease)
    {
        string position = isPrerelease ? "pre-release identifier" : "build metadata";
        while (true)
        {
            int start = at;
            bool isNumber = true;
            while (at < text.Length && (char.IsAsciiLetterOrDigit(text[at]) || text[at] == '-'))
            {
                isNumber &= char.IsAsciiDigit(text[at]);
                at++;
            }
            if (at == start) return $"empty identifier segment in {position}";
            if (isPrerelease && isNumber && at - start > 1 && text[start] == '0') return $"invalid leading zero in {position}";
            if (at == text.Length || text[at] != '.') return null;
            at++;
        }
    }
}
