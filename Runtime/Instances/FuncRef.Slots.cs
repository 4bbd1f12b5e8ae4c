using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// A function as it stands in .NET where the delegate type of its signature is not in the program: arguments and results are objects. Several results are an array.
/// </summary>
/// <param name="arguments">The arguments.</param>
/// <returns>The result, null if there is none.</returns>
internal delegate object? BoxedFunction(params object?[] arguments);

/// <remarks>
/// What follows is for processes that can make no code: methods that delegates of usual signatures are made of. A delegate's target is the function, as that of all
/// others is.
/// </remarks>
internal sealed unsafe partial class FuncRef
{
    /// <summary>Delegates of other signatures, whose target does not tell which function they call.</summary>
    private static readonly ConditionalWeakTable<Delegate, FuncRef> Others = [];

    /// <summary>The guest's function that a delegate of this library calls, of whatever type it is; null for functions of the host.</summary>
    internal static FuncRef? Behind(Delegate value) =>
        value.Target is FuncRef func ? func : !RuntimeCode.IsAvailable && Others.TryGetValue(value, out FuncRef? other) ? other : null;

    /// <summary>Notes that a delegate calls this function.</summary>
    internal Delegate Know(Delegate value)
    {
        Others.Add(value, this);
        return value;
    }

    /// <summary>Calls the function with objects.</summary>
    /// <exception cref="ArgumentException">The arguments are not those of the type.</exception>
    internal object? CallBoxed(params object?[] arguments)
    {
        FuncType type = Type.AsFunc!;
        if (arguments.Length != type.Params.Length)
            throw new ArgumentException($"The function takes {type.Params.Length} arguments, not {arguments.Length}: {type}", nameof(arguments));
        var values = new Value[arguments.Length];
        for (int i = 0; i < values.Length; i++) values[i] = Value.From(arguments[i], type.Params[i]);
        var results = new Value[type.Results.Length];
        SlotCalls.Invoke(this, values, results);
        return results.Length switch
        {
            0 => null,
            1 => results[0].ToObject(),
            _ => Array.ConvertAll(results, static result => result.ToObject()),
        };
    }

    private static ulong Bits<T>(T value)
        where T : unmanaged
    {
        ulong bits = 0;
        *(T*)&bits = value;
        return bits;
    }

    internal void Run<T1>(T1 v1)
        where T1 : unmanaged
    {
        ulong* values = stackalloc ulong[] { Bits(v1) };
        SlotCalls.Invoke(this, values, 1, 0);
    }

    internal void Run<T1, T2>(T1 v1, T2 v2)
        where T1 : unmanaged
        where T2 : unmanaged
    {
        ulong* values = stackalloc ulong[] { Bits(v1), Bits(v2) };
        SlotCalls.Invoke(this, values, 2, 0);
    }

    internal void Run<T1, T2, T3>(T1 v1, T2 v2, T3 v3)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
    {
        ulong* values = stackalloc ulong[] { Bits(v1), Bits(v2), Bits(v3) };
        SlotCalls.Invoke(this, values, 3, 0);
    }

    internal void Run<T1, T2, T3, T4>(T1 v1, T2 v2, T3 v3, T4 v4)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
    {
        ulong* values = stackalloc ulong[] { Bits(v1), Bits(v2), Bits(v3), Bits(v4) };
        SlotCalls.Invoke(this, values, 4, 0);
    }

    internal TResult Get<TResult>()
        where TResult : unmanaged
    {
        ulong value;
        SlotCalls.Invoke(this, &value, 0, 1);
        return *(TResult*)&value;
    }

    internal TResult Get<T1, TResult>(T1 v1)
        where T1 : unmanaged
        where TResult : unmanaged
    {
        ulong* values = stackalloc ulong[] { Bits(v1) };
        SlotCalls.Invoke(this, values, 1, 1);
        return *(TResult*)values;
    }

    internal TResult Get<T1, T2, TResult>(T1 v1, T2 v2)
        where T1 : unmanaged
        where T2 : unmanaged
        where TResult : unmanaged
    {
        ulong* values = stackalloc ulong[] { Bits(v1), Bits(v2) };
        SlotCalls.Invoke(this, values, 2, 1);
        return *(TResult*)values;
    }

    internal TResult Get<T1, T2, T3, TResult>(T1 v1, T2 v2, T3 v3)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where TResult : unmanaged
    {
        ulong* values = stackalloc ulong[] { Bits(v1), Bits(v2), Bits(v3) };
        SlotCalls.Invoke(this, values, 3, 1);
        return *(TResult*)values;
    }

    internal TResult Get<T1, T2, T3, T4, TResult>(T1 v1, T2 v2, T3 v3, T4 v4)
        where T1 : unmanaged
        where T2 : unmanaged
        where T3 : unmanaged
        where T4 : unmanaged
        where TResult : unmanaged
    {
        ulong* values = stackalloc ulong[] { Bits(v1), Bits(v2), Bits(v3), Bits(v4) };
        SlotCalls.Invoke(this, values, 4, 1);
        return *(TResult*)values;
    }
}
