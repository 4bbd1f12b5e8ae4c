using System.Text;

namespace WasmJit.Linking;

/// <summary>How a .NET type crosses.</summary>
internal enum Crossing : byte
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>As one value: a number, a reference.</summary>
    Value,

    /// <summary>Text in memory.</summary>
    Text,

    /// <summary>An array or a span of numbers or structs, in memory.</summary>
    Array, Span, ReadOnlySpan,

    /// <summary>A struct of numbers, behind a pointer.</summary>
    Struct,

    /// <summary>A delegate, for a reference to a function.</summary>
    Function,

    /// <summary>Any object, for an externref and the like.</summary>
    Object,
}

/// <summary>How text is passed: all texts of a function in one way.</summary>
internal enum TextForm : byte { PointerAndLength, ZeroTerminated }

/// <summary>What the conventions see of a .NET type.</summary>
/// <param name="Kind">How it crosses.</param>
/// <param name="Number">The letter of a number's WebAssembly type.</param>
internal readonly record struct Shape(Crossing Kind, char Number);

/// <summary>How a method becomes a call of a function.</summary>
/// <param name="Text">How text is passed.</param>
/// <param name="ThroughPointer">Whether the function's first parameter is where the result goes.</param>
internal readonly record struct CallForm(TextForm Text, bool ThroughPointer);

/// <summary>
/// The conventions by which .NET members stand for exports and imports, and what is said where they do not. The source generators are compiled
/// with this file, too: what they write is what <c>Instance.As</c> makes. WebAssembly types are letters, one each: i l f d v for numbers,
/// F for references to functions, E for externref, R for other references.
/// </summary>
internal static class Conventions
{
    internal const char ExternRef = 'E', FuncRef = 'F', OtherRef = 'R';

    // ---- names ----

    /// <summary>The names that a member may have in WebAssembly.</summary>
    internal static string[] NamesOf(string member, string? given) => given is not null
        ? [given] : [.. new[] { member, Camel(member), Separated(member, '_'), Separated(member, '-') }.Distinct()];

    private static string Camel(string name) => char.ToLowerInvariant(name[0]) + name.Substring(1);

    private static string Separated(string name, char separator)
    {
        var text = new StringBuilder();
        for (int i = 0; i < name.Length; i++)
        {
            bool begins = char.IsUpper(name[i]) && i > 0 && (!char.IsUpper(name[i - 1]) || i + 1 < name.Length && char.IsLower(name[i + 1]));
            if (begins) text.Append(separator);
            text.Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }

    // ---- types ----

    /// <summary>Whether one WebAssembly value can be the .NET value.</summary>
    internal static bool IsValueOf(Shape shape, char type) => shape.Kind switch
    {
        Crossing.Value => shape.Number == type,
        Crossing.Function => type == FuncRef,
        Crossing.Object => type is ExternRef or OtherRef,
        Crossing.Text => type == ExternRef,
        _ => false,
    };

    /// <summary>Whether values are in memory: an address is passed. A text may be a reference instead.</summary>
    internal static bool IsInMemory(Crossing kind) => kind is Crossing.Text or Crossing.Array or Crossing.Span or Crossing.ReadOnlySpan or Crossing.Struct;

    /// <summary>Whether a length is passed behind an address.</summary>
    internal static bool HasLength(Crossing kind, TextForm form) =>
        kind is Crossing.Array or Crossing.Span or Crossing.ReadOnlySpan || kind == Crossing.Text && form == TextForm.PointerAndLength;

    internal static bool IsAddress(char type) => type is 'i' or 'l';

    /// <summary>How a method calls a function; null if it does not fit.</summary>
    /// <param name="parameters">The method's parameters.</param>
    /// <param name="result">What it returns; null for nothing, or a tuple.</param>
    /// <param name="tuple">The letters of the tuple that it returns; null if it returns none.</param>
    /// <param name="types">The letters of the function's parameters.</param>
    /// <param name="results">Those of its results.</param>
    internal static CallForm? FormOf(IReadOnlyList<Shape> parameters, Shape? result, string? tuple, string types, string results)
    {
        foreach (TextForm text in new[] { TextForm.PointerAndLength, TextForm.ZeroTerminated })
        {
            foreach (bool throughPointer in new[] { false, true })
            {
                var form = new CallForm(text, throughPointer);
                if (ParametersFit(parameters, form, types) && ResultFits(result, tuple, form, results)) return form;
            }
        }
        return null;
    }

    private static bool ParametersFit(IReadOnlyList<Shape> parameters, CallForm form, string types)
    {
        int at = 0;
        if (form.ThroughPointer && (at >= types.Length || !IsAddress(types[at++]))) return false;
        foreach (Shape parameter in parameters)
        {
            if (at >= types.Length) return false;
            char type = types[at++];
            if (IsValueOf(parameter, type)) continue;
            if (!IsInMemory(parameter.Kind) || !IsAddress(type)) return false;
            if (HasLength(parameter.Kind, form.Text) && (at >= types.Length || types[at++] != type)) return false;
        }
        return at == types.Length;
    }

    private static bool ResultFits(Shape? result, string? tuple, CallForm form, string results)
    {
        // Every reference but those to functions is an object in a tuple.
        if (tuple is not null) return !form.ThroughPointer && tuple == results.Replace(ExternRef, OtherRef);
        if (result is not { } shape) return results.Length == 0 && !form.ThroughPointer;
        if (form.ThroughPointer) return results.Length == 0 && IsInMemory(shape.Kind);
        if (results.Length == 0) return false;
        if (results.Length == 1 && IsValueOf(shape, results[0])) return true;
        return shape.Kind switch
        {
            Crossing.None or Crossing.Value or Crossing.Function or Crossing.Object => false,
            Crossing.Struct => results.Length == 1 && IsAddress(results[0]),
            Crossing.Text when results.Length == 1 => form.Text == TextForm.ZeroTerminated && IsAddress(results[0]),
            _ => results.Length == 2 && IsAddress(results[0]) && results[0] == results[1],
        };
    }

    // ---- what a call needs of the module ----

    /// <summary>Whether a call reads or writes the guest's memory, and whether it has room made there.</summary>
    /// <param name="parameters">The method's parameters.</param>
    /// <param name="result">What it returns; null for nothing, or a tuple.</param>
    /// <param name="form">How it becomes a call.</param>
    /// <param name="types">The letters of the function's parameters.</param>
    /// <param name="results">Those of its results.</param>
    internal static (bool Memory, bool Allocator) NeedsOf(IReadOnlyList<Shape> parameters, Shape? result, CallForm form, string types, string results)
    {
        bool allocates = form.ThroughPointer;
        int at = form.ThroughPointer ? 1 : 0;
        foreach (Shape parameter in parameters)
        {
            if (IsValueOf(parameter, types[at++])) continue;
            allocates = true;
            if (HasLength(parameter.Kind, form.Text)) at++;
        }
        bool returnsPlace = result is { } shape && IsInMemory(shape.Kind) && !(results.Length == 1 && IsValueOf(shape, results[0]));
        return (allocates || returnsPlace, allocates);
    }

    /// <summary>What a module lacks of that; null if it has all.</summary>
    internal static string? LackOf((bool Memory, bool Allocator) needs, bool hasMemory, bool hasAllocator) =>
        needs.Memory && !hasMemory ? "what crosses goes through memory, and the module has none"
        : needs.Allocator && !hasAllocator ? "what is passed needs room in the guest, and the module exports neither malloc nor cabi_realloc" : null;

    /// <summary>The exported functions that room is made with.</summary>
    internal static readonly (string Name, string Parameters, string Results)[] Allocators = [("malloc", "i", "i"), ("malloc", "l", "l"), ("cabi_realloc", "iiii", "i")];

    // ---- what does not fit ----

    internal const string CallerComesFirst = "a Caller has to be the first parameter";
    internal const string CannotBeSet = "it cannot be set";
    internal const string NoIndexer = "an indexer cannot be bound";
    internal const string NoSuchMethod = "a method of this kind cannot be bound";
    internal const string NoGenericImport = "a generic method cannot be imported";
    internal const string EventOfInstance = "an event is an import, which an instance has already: use Module.Instantiate<T>";

    private static string Quoted(IEnumerable<string> names) => string.Join(" or ", names.Select(n => $"\"{n}\""));

    internal static string NoExport(IEnumerable<string> names) => "there is no export " + Quoted(names);

    internal static string NoImport(IEnumerable<string> names) => "there is no imported function " + Quoted(names);

    internal static string ParameterCannotCross(string parameter, string type) => $"the parameter {parameter} is {type}, which cannot cross";

    internal static string ResultCannotCross(string type) => $"the result is {type}, which cannot cross";

    /// <param name="export">Its name.</param>
    /// <param name="found">Its type as text.</param>
    /// <param name="wanted">What was expected, with its article.</param>
    internal static string OtherKind(string export, string found, string wanted) => $"the export \"{export}\" is {found}, not {wanted}";

    internal static string OtherSignature(string export, string found, string result, IEnumerable<string> parameters) =>
        $"the export \"{export}\" is {found}, which is not {result} ({string.Join(", ", parameters)})";

    internal static string OtherType(string export, string found, string type) => $"the export \"{export}\" is {found}, which is not {type}";

    internal static string Immutable(string export) => $"the global \"{export}\" is immutable, and the property can be set";

    internal static string DoesNotFit(string face, string? module) => $"{face} does not fit the module{(module is null ? "" : " " + module)}";
}
