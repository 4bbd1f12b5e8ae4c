using System.Collections;
using System.Globalization;
using System.Linq.Expressions;
using System.Text;
using WasmJit.Gc;

namespace Twig;

/// <summary>
/// Values on their way between scripts and .NET. Numbers, booleans and strings are copied, and so are lists; functions are
/// wrapped; any other .NET object is itself in scripts, and can be given back.
/// </summary>
internal sealed class ScriptValues(ScriptEngine engine)
{
    private ScriptGuest Guest => engine.Guest;

    internal object? ToScript(object? value) => value switch
    {
        null => null,
        bool b => Guest.NewBoolean(b ? 1 : 0),
        string s => NewString(s),
        char c => NewString(c.ToString()),
        double or float or int or long or short or byte or sbyte or ushort or uint or ulong or decimal =>
            Guest.NewNumber(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
        ScriptFunction f => f.Value,
        IList list => NewList(list),
        _ => value,
    };

    internal object? FromScript(object? value) => Guest.Kind(value) switch
    {
        1 => ((I31)value!).Value != 0,
        2 => Guest.Number(value, 0),
        3 => Text(value!),
        4 => ListOf(value),
        5 => new ScriptFunction(engine, value!),
        _ => value,
    };

    /// <summary>The value as a parameter's type.</summary>
    /// <exception cref="InvalidCastException">It cannot be one.</exception>
    internal object? FromScript(object? value, Type type)
    {
        object? plain = FromScript(value);
        Type target = Nullable.GetUnderlyingType(type) ?? type;
        if (plain is null && (target != type || !type.IsValueType)) return null;
        if (target.IsInstanceOfType(plain)) return plain;
        if (plain is double number && target.IsPrimitive && target != typeof(bool) && target != typeof(char))
        {
            object converted = Convert.ChangeType(number, target, CultureInfo.InvariantCulture);
            if (target == typeof(float) || Convert.ToDouble(converted, CultureInfo.InvariantCulture) == number) return converted;
        }
        if (plain is double d && target == typeof(decimal)) return (decimal)d;
        if (plain is ScriptFunction function && target.IsSubclassOf(typeof(Delegate))) return function.ToDelegate(target);
        if (plain is List<object?> list && target.IsArray)
        {
            Type element = target.GetElementType()!;
            var array = Array.CreateInstance(element, list.Count);
            object items = Guest.ListItems(value);
            for (int i = 0; i < list.Count; i++) array.SetValue(FromScript(WasmArray.Of(items)[i], element), i);
            return array;
        }
        throw new InvalidCastException($"a {target.Name} is expected, not {Describe(plain)}");
    }

    internal object ToValues(ReadOnlySpan<object?> values)
    {
        object array = Guest.NewValues(values.Length);
        WasmArray view = WasmArray.Of(array);
        for (int i = 0; i < values.Length; i++) view[i] = ToScript(values[i]);
        return array;
    }

    /// <summary>A string of the guest is an array of UTF-8 bytes, a .NET string is not.</summary>
    internal object NewString(string text)
    {
        object made = Guest.NewString(Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, WasmArray.Of(made).AsSpan<byte>());
        return made;
    }

    internal static string Text(object value) => Encoding.UTF8.GetString(WasmArray.Of(value).AsReadOnlySpan<byte>());

    /// <summary>What scripts print and put together with strings.</summary>
    internal static string Display(object? value) => value switch
    {
        null => "nil",
        bool b => b ? "true" : "false",
        double d => Display(d),
        string s => s,
        List<object?> list => $"[{string.Join(", ", list.Select(Display))}]",
        _ => value.ToString() ?? "",
    };

    internal static string Display(double number) => number.ToString("R", CultureInfo.InvariantCulture);

    private object? NewList(IList list)
    {
        object array = Guest.NewValues(list.Count);
        WasmArray view = WasmArray.Of(array);
        for (int i = 0; i < list.Count; i++) view[i] = ToScript(list[i]);
        return Guest.NewList(array);
    }

    private List<object?> ListOf(object? value)
    {
        WasmArray items = WasmArray.Of(Guest.ListItems(value));
        var list = new List<object?>(items.Length);
        for (int i = 0; i < items.Length; i++) list.Add(FromScript(items[i]));
        return list;
    }

    private static string Describe(object? value) => value switch
    {
        null => "nil",
        bool => "a boolean",
        double d => $"the number {Display(d)}",
        string => "a string",
        List<object?> => "a list",
        ScriptFunction => "a function",
        _ => $"a {value.GetType().Name}",
    };
}

/// <summary>A function of a script, for .NET to call.</summary>
public sealed class ScriptFunction
{
    private readonly ScriptEngine engine;

    internal ScriptFunction(ScriptEngine engine, object value)
    {
        this.engine = engine;
        Value = value;
    }

    /// <summary>The guest's closure.</summary>
    internal object Value { get; }

    /// <summary>Its name; <c>fn</c> if it has none.</summary>
    public string Name => ScriptValues.Text(engine.Guest.FunctionName(Value));

    /// <summary>Calls it.</summary>
    /// <exception cref="ScriptException">The script throws a value.</exception>
    public object? Invoke(params ReadOnlySpan<object?> arguments) => engine.Values.FromScript(InvokeRaw(engine.Values.ToValues(arguments)));

    private object? InvokeRaw(object arguments) => engine.Translate(() => engine.Guest.Call(Value, arguments, 0));

    /// <summary>It as a delegate; arguments and result are converted on the way.</summary>
    public T ToDelegate<T>()
        where T : Delegate => (T)ToDelegate(typeof(T));

    internal Delegate ToDelegate(Type type)
    {
        System.Reflection.MethodInfo signature = type.GetMethod("Invoke")!;
        ParameterExpression[] parameters = [.. signature.GetParameters().Select(p => Expression.Parameter(p.ParameterType, p.Name))];
        Expression arguments = Expression.NewArrayInit(typeof(object), parameters.Select(p => Expression.Convert(p, typeof(object))));
        Expression<Func<object?[], object?>> call = values =>
            InvokeAs(values, signature.ReturnType == typeof(void) ? typeof(object) : signature.ReturnType);
        Expression body = Expression.Invoke(call, arguments);
        if (signature.ReturnType != typeof(void)) body = Expression.Convert(body, signature.ReturnType);
        return Expression.Lambda(type, body, parameters).Compile();
    }

    private object? InvokeAs(object?[] arguments, Type result) => engine.Values.FromScript(InvokeRaw(engine.Values.ToValues(arguments)), result);

    /// <inheritdoc/>
    public override string ToString() => $"fn {Name}";

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ScriptFunction other && ReferenceEquals(other.Value, Value);

    /// <inheritdoc/>
    public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(Value);
}
