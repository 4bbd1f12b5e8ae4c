using System.Diagnostics.CodeAnalysis;
using WasmJit.Linking;

namespace WasmJit;

/// <summary>
/// The instance that calls a host function: one that imports it. A host function whose first parameter is a <see cref="Caller"/> gets it; it is not a
/// parameter of the WebAssembly function. If several instances import one function, each call comes with the instance that makes it, on any thread.
/// An instance that takes a reference to the function and passes it on stays its caller.
/// </summary>
/// <example><code>
/// { "env", "log", (Caller caller, int text, int length) => Console.WriteLine(caller.Memory.ReadString((uint)text, length)) }
/// </code></example>
public sealed class Caller
{
    private Memory? memory;
    private bool isMemoryKnown;

    private GuestAllocator? allocator;

    internal Caller(Instance instance) => Instance = instance;

    /// <summary>What allocates in its memory.</summary>
    internal GuestAllocator Allocator => allocator ??= new GuestAllocator(Instance);

    /// <summary>The instance.</summary>
    public Instance Instance { get; }

    /// <summary>Its memory: the export named "memory", otherwise its first.</summary>
    /// <exception cref="InvalidOperationException">The instance has no memory.</exception>
    public Memory Memory => TryGetMemory(out Memory? found) ? found : throw new InvalidOperationException("The calling instance has no memory.");

    /// <summary>The object that the host has given it; see <see cref="Instance.State"/>.</summary>
    public object? State => Instance.State;

    /// <summary>The object that the host has given it, as what it is.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <exception cref="InvalidOperationException">The instance has no such object.</exception>
    public T GetState<T>()
        where T : class => Instance.State as T ?? throw new InvalidOperationException(
            $"The calling instance's State is {(Instance.State is { } other ? other.GetType().ToString() : "null")}, not {typeof(T)}.");

    /// <summary>The units that it may still execute; null if its engine does not count.</summary>
    public Fuel? Fuel => Instance.Fuel;

    /// <summary>Its resources and their limits; null without limits.</summary>
    public GuestResources? Resources => Instance.Resources;

    /// <summary>The token that stops the call, as <see cref="Guest.CancellationToken"/>.</summary>
    public CancellationToken CancellationToken => Guest.CancellationToken;

    /// <summary>Its memory, if it has one; see <see cref="Memory"/>.</summary>
    /// <param name="found">The memory.</param>
    public bool TryGetMemory([NotNullWhen(true)] out Memory? found)
    {
        if (!isMemoryKnown)
        {
            // Which memory it is never changes, and both threads that come here at once find the same.
            if (!Instance.TryGetExport("memory", out Memory? own) && Instance.Memories.Length > 0) own = Instance.Memories[0];
            Volatile.Write(ref memory, own);
            Volatile.Write(ref isMemoryKnown, true);
        }
        found = memory;
        return found is not null;
    }

    /// <summary>An export of the instance; see <see cref="Instance.GetExport{T}"/>.</summary>
    /// <typeparam name="T">What is asked for.</typeparam>
    /// <param name="name">The export.</param>
    /// <exception cref="KeyNotFoundException">There is no export of this name.</exception>
    /// <exception cref="InvalidCastException">The export is something else, or the function has another signature.</exception>
    public T GetExport<T>(string name)
        where T : class => Instance.GetExport<T>(name);

    /// <summary>An export of the instance, if there is one of this name and type.</summary>
    /// <typeparam name="T">What is asked for.</typeparam>
    /// <param name="name">The export.</param>
    /// <param name="export">The export.</param>
    public bool TryGetExport<T>(string name, [NotNullWhen(true)] out T? export)
        where T : class => Instance.TryGetExport(name, out export);
}
