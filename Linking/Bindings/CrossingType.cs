using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using WasmJit.Generated;
using WasmJit.Jit.Calls;
using WasmJit.Runtime;

namespace WasmJit.Linking;

/// <summary>A .NET type in a signature that is bound, and what it can be in WebAssembly.</summary>
internal sealed class CrossingType
{
    private CrossingType(Type type, Crossing kind, Type? item)
    {
        Type = type;
        Kind = kind;
        Item = item;
    }

    internal Type Type { get; }

    internal Crossing Kind { get; }

    /// <summary>The element of an array or span.</summary>
    internal Type? Item { get; }

    internal static CrossingType Of(Type type)
    {
        if (NumberDelegates.KindOf(type) is not null) return new CrossingType(type, Crossing.Value, null);
        if (type == typeof(string)) return new CrossingType(type, Crossing.Text, null);
        if (type.IsArray && type.GetElementType() is { } element) return new CrossingType(type, type.IsSZArray && IsPlain(element) ? Crossing.Array : Crossing.None, element);
        if (type.IsGenericType && type.GetGenericTypeDefinition() is var open && (open == typeof(Span<>) || open == typeof(ReadOnlySpan<>)))
        {
            Type item = type.GetGenericArguments()[0];
            return new CrossingType(type, !IsPlain(item) ? Crossing.None : open == typeof(Span<>) ? Crossing.Span : Crossing.ReadOnlySpan, item);
        }
        if (typeof(Delegate).IsAssignableFrom(type)) return new CrossingType(type, Crossing.Function, null);
        if (type.IsValueType) return new CrossingType(type, IsPlain(type) && !IsTuple(type) ? Crossing.Struct : Crossing.None, null);
        return new CrossingType(type, type.IsByRef || type.IsPointer ? Crossing.None : Crossing.Object, null);
    }

    /// <summary>Whether it is a tuple, which stands for several values.</summary>
    internal static bool IsTuple(Type type) => type.IsValueType && typeof(ITuple).IsAssignableFrom(type);

    /// <summary>Whether values of the type are nothing but numbers, so that their bytes can be copied.</summary>
    private static bool IsPlain(Type type, int depth = 0)
    {
        if (type.IsEnum || type.IsPrimitive) return type != typeof(nint) && type != typeof(nuint) && type != typeof(bool) && type != typeof(char);
        if (FaceMember.IsKnownStruct(type)) return true;
        // Such a program has lost fields that it does not use.
        if (RuntimeCode.IsCompiledWhole) return false;
        // The layout of .NET's own structs is not documented, so they do not cross as bytes.
        if (!type.IsValueType || type.Assembly == typeof(object).Assembly || type.ContainsGenericParameters || type.IsByRefLike || depth > 8) return false;
        FieldInfo[] fields = type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        return fields.Length > 0 && type.IsLayoutSequential && Array.TrueForAll(fields, f => IsPlain(f.FieldType, depth + 1));
    }

    /// <summary>What the conventions see of it.</summary>
    internal Shape Shape => new(Kind, NumberDelegates.KindOf(Type) is { } number ? LetterOf(number) : default);

    /// <summary>Whether one WebAssembly value of a type can be the .NET value.</summary>
    internal bool IsValueOf(ValType type) => Conventions.IsValueOf(Shape, LetterOf(type));

    /// <summary>Types as <see cref="Conventions"/> writes them.</summary>
    internal static string LettersOf(ReadOnlySpan<ValType> types)
    {
        Span<char> letters = types.Length <= 64 ? stackalloc char[types.Length] : new char[types.Length];
        for (int i = 0; i < letters.Length; i++) letters[i] = LetterOf(types[i]);
        return new string(letters);
    }

    internal static char LetterOf(ValType type) => !type.IsRef ? LetterOf(type.Kind)
        : ReferenceEquals(Subtyping.TopOf(type.Heap!), HeapType.Func) ? Conventions.FuncRef
        : type == ValType.ExternRef ? Conventions.ExternRef : Conventions.OtherRef;

    private static char LetterOf(ValKind kind) => kind switch
    {
        ValKind.I32 => 'i',
        ValKind.I64 => 'l',
        ValKind.F32 => 'f',
        ValKind.F64 => 'd',
        _ => 'v',
    };

    /// <summary>The items of a tuple in the same letters; a question mark for what no function returns.</summary>
    internal static string TupleLetters(Type tuple)
    {
        var letters = new System.Text.StringBuilder();
        foreach (Type item in tuple.GetGenericArguments())
        {
            if (letters.Length > 0 && letters.Length % 7 == 0 && IsTuple(item)) letters.Append(TupleLetters(item));
            else letters.Append(item == typeof(Delegate) ? Conventions.FuncRef : item == typeof(object) ? Conventions.OtherRef
                : item == typeof(int) || item == typeof(long) || item == typeof(float) || item == typeof(double) || item == typeof(Vector128<byte>) ? LetterOf(NumberDelegates.KindOf(item)!.Value) : '?');
        }
        return letters.ToString();
    }
}
