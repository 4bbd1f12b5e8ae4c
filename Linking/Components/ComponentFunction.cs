using System.Reflection;

namespace WasmJit.Components;

/// <summary>A function of a <see cref="Component"/>.</summary>
public sealed class ComponentFunction
{
    private readonly Component component;
    private readonly Delegate function;
    private readonly Delegate? post;

    internal ComponentFunction(Component component, string name, ComponentFuncType type, Delegate function, Delegate? post)
    {
        this.component = component;
        this.function = function;
        this.post = post;
        Name = name;
        Type = type;
    }

    /// <summary>The export's name.</summary>
    public string Name { get; }

    /// <summary>The type.</summary>
    public ComponentFuncType Type { get; }

    /// <summary>Calls it: copies the arguments into the component's memory and the result out of it.</summary>
    /// <param name="arguments">The arguments, in the .NET forms of their types; see <see cref="ComponentKind"/>.</param>
    /// <returns>The result in the .NET form of its type; null if there is none.</returns>
    /// <exception cref="ArgumentException">The arguments are not those of the function.</exception>
    /// <exception cref="ObjectDisposedException">The component has been disposed of.</exception>
    /// <exception cref="TrapException">
    /// The component trapped, or returned something that is not a value of the type (<see cref="TrapKind.InvalidComponentValue"/>).
    /// </exception>
    public object? Call(params object?[] arguments)
    {
        if (arguments.Length != Type.Params.Length)
            throw new ArgumentException($"{Name} takes {Type.Params.Length} arguments, not {arguments.Length}.", nameof(arguments));
        component.Enter();
        try
        {
            var flat = new List<object>();
            if (Type.Arguments is { } record)
            {
                CanonicalAbi copy = component.Copy();
                if (Type.HasFlatArguments)
                {
                    copy.Lower(arguments, record, flat);
                }
                else
                {
                    uint address = copy.Allocate(record.Size, record.Alignment);
                    copy.Store(arguments, record, address);
                    flat.Add((int)address);
                }
            }
            object? core = Invoke(function, [.. flat]);
            if (Type.Result is not { } type) return null;
            object? result = Type.HasFlatResult ? component.Copy().Lift([core!], type) : component.Copy().Load((uint)(int)core!, type);
            if (post is not null) Invoke(post, [core]);
            return result;
        }
        finally
        {
            component.Leave();
        }
    }

    private static object? Invoke(Delegate function, object?[] arguments) =>
        function.GetType().GetMethod("Invoke")!.Invoke(function, BindingFlags.DoNotWrapExceptions, null, arguments, null);
}
