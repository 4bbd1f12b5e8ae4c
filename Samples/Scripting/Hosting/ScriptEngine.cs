using System.Globalization;
using System.Runtime.ExceptionServices;
using WasmJit;
using WasmJit.Gc;

namespace Twig;

/// <summary>A function that has been compiled, and the module that the guest wrote for it.</summary>
/// <param name="Name">The function's name.</param>
/// <param name="Module">The module's bytes.</param>
public sealed record CompiledFunction(string Name, byte[] Module);

/// <summary>
/// Runs programs in Twig. Each engine has a guest of its own, with the names that its programs define; programs see nothing of
/// the host but what <see cref="Define"/> and <see cref="Grant{T}"/> give them. One thread at a time can be in an engine.
/// </summary>
public sealed class ScriptEngine
{
    private const int Constant = 2;

    private readonly HostMembers members;
    private readonly Lock gate = new();

    /// <summary>Makes an engine.</summary>
    /// <param name="compileAfter">How many calls and iterations make a function hot enough to be compiled; 0 for never.</param>
    public ScriptEngine(int compileAfter = 300)
    {
        Values = new ScriptValues(this);
        members = new HostMembers(this);
        Guest = new ScriptGuest(new Imports
        {
            { "host", "call", Guarded((target, arguments) => Call(target, Arguments(arguments))) },
            { "host", "get_member", Guarded((of, name) => members.Get(of, ScriptValues.Text(name!))) },
            { "host", "set_member", (Action<object?, object?, object?>)((of, name, value) =>
                Guard<object?>(() => { members.Set(of, ScriptValues.Text(name!), value); return null; })) },
            { "host", "call_member", (Func<object?, object?, object?, object?>)((of, name, arguments) =>
                Guard(() => Values.ToScript(members.Call(of, ScriptValues.Text(name!), Arguments(arguments))))) },
            { "host", "same", (Func<object?, object?, int>)((a, b) => Equals(a, b) ? 1 : 0) },
            { "host", "text", (Func<object?, object?>)(value => Guard(() => Values.NewString(ScriptValues.Display(Values.FromScript(value))))) },
            { "host", "number_text", (Func<double, object>)(number => Values.NewString(ScriptValues.Display(number))) },
            { "host", "parse_number", (Func<int, int, double>)((address, length) => double.Parse(
                Guest!.Memory.Slice((uint)address, length), NumberStyles.Float, CultureInfo.InvariantCulture)) },
            { "host", "compiled", (Action<object?, int, int>)((name, address, length) =>
                Compiled?.Invoke(new CompiledFunction(ScriptValues.Text(name!), Guest!.Memory.ReadBytes((uint)address, length)))) },
        });
        Guest.SetThreshold(compileAfter);
        Grant<Exception>(nameof(Exception.Message));
    }

    /// <summary>After a function has been compiled.</summary>
    public event Action<CompiledFunction>? Compiled;

    internal ScriptGuest Guest { get; }

    internal ScriptValues Values { get; }

    /// <summary>Gives programs a name that they cannot set: a value, an object, or a delegate that they can call.</summary>
    public void Define(string name, object? value) => Guest.Define(Values.NewString(name), Values.ToScript(value), Constant);

    /// <summary>Lets programs use public members of objects of a type and those derived from it. Methods are found by their number of parameters.</summary>
    /// <exception cref="ArgumentException">There is no such member.</exception>
    public void Grant<T>(params string[] names) => members.Grant(typeof(T), names);

    /// <summary>Runs a program. What it defines at its outermost level stays defined for later ones.</summary>
    /// <param name="text">The program.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The value of its last statement.</returns>
    /// <exception cref="ScriptSyntaxException">The text is not a program.</exception>
    /// <exception cref="ScriptException">It throws a value, or does something that cannot be done.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    /// <exception cref="TrapException">It calls too deeply, or runs out of memory.</exception>
    public object? Run(string text, CancellationToken cancellation = default)
    {
        lock (gate)
        {
            return WasmJit.Guest.Run(() => Values.FromScript(Translate(() => Guest.Run(Guest.PutText(text)))), cancellation);
        }
    }

    /// <summary>The value of a name.</summary>
    /// <exception cref="ScriptException">It is not defined.</exception>
    public object? Get(string name) => Values.FromScript(Translate(() => Guest.Get(Values.NewString(name))));

    /// <summary>A function of a program as a delegate.</summary>
    /// <exception cref="ScriptException">The name is not defined.</exception>
    /// <exception cref="InvalidCastException">The member is not a function.</exception>
    public T GetFunction<T>(string name)
        where T : Delegate => ((ScriptFunction)Get(name)!).ToDelegate<T>();

    /// <summary>What a guest throws, as .NET knows it: an exception of the host is itself again.</summary>
    internal object? Translate(Func<object?> call)
    {
        try
        {
            return call();
        }
        catch (WasmException e) when (e.Tag == Guest.Error)
        {
            object? value = e.GetValue<object?>(0);
            if (value is Exception inner) ExceptionDispatchInfo.Throw(inner);
            object? plain = Values.FromScript(value);
            throw new ScriptException(ScriptValues.Display(plain), plain, value, e);
        }
        catch (WasmException e) when (e.Tag == Guest.Syntax)
        {
            throw new ScriptSyntaxException(ScriptValues.Text(e.GetValue<object>(0)), e.GetValue<int>(1) != 0, e);
        }
    }

    /// <summary>
    /// Calls the host for a script. What is thrown becomes an exception of the guest, which scripts can catch; all but what ends
    /// the script: cancellation and traps.
    /// </summary>
    private T Guard<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (ScriptException e) when (e is not ScriptSyntaxException)
        {
            throw new WasmException(Guest.Error, e.RawValue);
        }
        catch (Exception e) when (e is not (WasmException or TrapException or OperationCanceledException))
        {
            throw new WasmException(Guest.Error, e);
        }
    }

    private Func<object?, object?, object?> Guarded(Func<object?, object?, object?> call) =>
        (a, b) => Guard(() => Values.ToScript(call(a, b)));

    private static object?[] Arguments(object? values)
    {
        WasmArray view = WasmArray.Of(values!);
        var arguments = new object?[view.Length];
        for (int i = 0; i < arguments.Length; i++) arguments[i] = view[i];
        return arguments;
    }

    private object? Call(object? target, object?[] arguments) =>
        target is Delegate function ? members.Call(function, arguments)
        : throw new InvalidCastException($"a {target!.GetType().Name} cannot be called");
}
