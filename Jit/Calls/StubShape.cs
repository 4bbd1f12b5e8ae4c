using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>
/// The facts that a stub needs about its functions. It passes on all arguments as they came. In the System V convention, and in that of ARM64, integers of
/// both widths are then alike, floats of both widths, and all references, so there are few shapes for any number of signatures. A function that has no
/// register left for a number has the shape of its own signature.
/// </summary>
internal sealed class StubShape
{
    /// <summary>ARM64 has two more for integers.</summary>
    private const int IntegerRegisters = 6, FloatRegisters = 8;

    /// <summary>
    /// A tuple of at least this many values is larger than the two registers in which results are returned, and than the four in which ARM64 returns floats.
    /// </summary>
    private const int AlwaysByBuffer = 5;

    private StubShape(string key, Type[] parameters, Type result, bool isNumbered, bool usesFloatRegister)
    {
        Key = key;
        Parameters = parameters;
        Return = result;
        IsNumbered = isNumbered;
        UsesFloatRegister = usesFloatRegister;
    }

    /// <summary>Equal for equal shapes.</summary>
    internal string Key { get; }

    /// <summary>The instance, then what stands for the arguments.</summary>
    internal Type[] Parameters { get; }

    internal Type Return { get; }

    /// <summary>Whether a register is left for a number.</summary>
    internal bool IsNumbered { get; }

    /// <summary>Whether that is one for floats.</summary>
    internal bool UsesFloatRegister { get; }

    internal int IntegerArguments => Parameters.Count(t => t != typeof(double) && t != typeof(float));

    internal int FloatArguments => Parameters.Length - IntegerArguments;

    /// <summary>The parameters of the method for all functions that have numbers.</summary>
    internal Type[] NumberedParameters => [.. Parameters, UsesFloatRegister ? typeof(float) : typeof(int)];

    private static bool HasThunks => InterpreterCalls.HasSharedMethods;

    /// <summary>The shape of a signature.</summary>
    internal static StubShape Of(Signature signature)
    {
        bool isNumbered = CanBeNumbered(signature, out bool usesFloat) && HasThunks;
        if (!isNumbered) return new StubShape("=" + signature.Key, signature.Parameters, signature.Return, false, false);
        int results = signature.ResultTypes.Length;
        bool byBuffer = results >= AlwaysByBuffer;
        var key = new System.Text.StringBuilder(signature.Key.Length);
        Type[] parameters = [typeof(InstanceCore), .. signature.ValueTypes.Select(t => Widest(t, key))];
        key.Append(':');
        // Where a small tuple is returned depends on each of its types.
        Type[] types = byBuffer ? [] : results == 1 ? [Widest(signature.ResultTypes[0], key)]
            : [.. signature.ResultTypes.Select(t => OneOf(t, key))];
        if (byBuffer) key.Append('b');
        return new StubShape(key.ToString(), parameters, byBuffer ? typeof((long, long, long, long, long)) : Signature.Tuple(types), true, usesFloat);
    }

    /// <summary>The shape of a signature's saved stubs, which is its own.</summary>
    internal static StubShape Saved(Signature signature)
    {
        bool isNumbered = CanBeNumbered(signature, out bool usesFloat);
        return new StubShape(signature.Key, signature.Parameters, signature.Return, isNumbered && HasThunks, usesFloat);
    }

    /// <summary>Whether a register is left for a number, by the System V convention.</summary>
    internal static bool CanBeNumbered(Signature signature, out bool usesFloatRegister) => CanBeNumbered(signature.Key, out usesFloatRegister, out _);

    /// <summary>The same of a signature by its key.</summary>
    /// <param name="key">The key: <see cref="Signature.Key"/>.</param>
    /// <param name="usesFloatRegister">Whether the register is one for floats.</param>
    /// <param name="register">How many registers of its kind are taken by arguments.</param>
    internal static bool CanBeNumbered(string key, out bool usesFloatRegister, out int register)
    {
        // .NET's searches in texts use vectors, whose types it would load for them alone when a process starts.
        int parameters = 0, floats = 0;
        for (; parameters < key.Length && key[parameters] != ':'; parameters++) if (key[parameters] is 'f' or 'd') floats++;
        bool hasVectors = false;
        foreach (char c in key) hasVectors |= c == 'v';
        // The instance comes first.
        int integers = 1 + parameters - floats;
        bool isScalar = !hasVectors && key.Length - parameters <= 2;
        bool fitsInteger = isScalar && integers < IntegerRegisters;
        // A result that goes through a buffer takes an integer register; registers of floats are numbered for themselves.
        usesFloatRegister = !fitsInteger && !hasVectors && floats < FloatRegisters;
        register = usesFloatRegister ? floats : integers;
        return fitsInteger || usesFloatRegister;
    }

    private static Type Widest(Type type, System.Text.StringBuilder key)
    {
        (char letter, Type wide) = !type.IsValueType ? ('O', typeof(object))
            : type == typeof(float) || type == typeof(double) ? ('d', typeof(double)) : ('l', typeof(long));
        key.Append(letter);
        return wide;
    }

    private static Type OneOf(Type type, System.Text.StringBuilder key)
    {
        (char letter, Type same) = type == typeof(int) ? ('i', type) : type == typeof(float) ? ('f', type) : ('?', type);
        if (letter == '?') return Widest(type, key);
        key.Append(letter);
        return same;
    }
}
