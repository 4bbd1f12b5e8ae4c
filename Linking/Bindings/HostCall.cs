using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;
using WasmJit.Jit.Calls;
using WasmJit.Linking;

namespace WasmJit.Generated;

/// <summary>An object whose functions for guests a source generator has written.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IGeneratedImports
{
    /// <summary>The class that they were written for.</summary>
    Type GeneratedFor { get; }

    /// <summary>The functions and other imports, each with its member's name and the name that an attribute gives.</summary>
    IEnumerable<(string Member, string? Given, object? Value)> ImportsForGuests { get; }
}

/// <summary>What host functions do with texts, arrays and structs: they are in the caller's memory, by address and length.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public static class HostCall
{
    private static Memory MemoryOf(Caller caller)
    {
        ArgumentNullException.ThrowIfNull(caller);
        return caller.TryGetMemory(out Memory? memory) ? memory : throw GuestAllocator.NoMemory;
    }

    // ---- what the guest passes ----

    /// <summary>A text in UTF-8.</summary>
    /// <param name="caller">The guest.</param>
    /// <param name="address">Where it is.</param>
    /// <param name="length">Its bytes.</param>
    public static string TextAt(Caller caller, int address, int length) => GuestData.Text(MemoryOf(caller), (uint)address, (uint)length);

    /// <summary>Items as they are in the guest's memory.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="caller">The guest.</param>
    /// <param name="address">Where they are.</param>
    /// <param name="count">How many.</param>
    public static Span<T> SpanAt<T>(Caller caller, int address, int count)
        where T : unmanaged => GuestData.Items<T>(MemoryOf(caller), (uint)address, (uint)count);

    /// <summary>Items as they are in the guest's memory, to be read.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="caller">The guest.</param>
    /// <param name="address">Where they are.</param>
    /// <param name="count">How many.</param>
    public static ReadOnlySpan<T> ReadOnlySpanAt<T>(Caller caller, int address, int count)
        where T : unmanaged => SpanAt<T>(caller, address, count);

    /// <summary>A copy of items.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="caller">The guest.</param>
    /// <param name="address">Where they are.</param>
    /// <param name="count">How many.</param>
    public static T[] ArrayAt<T>(Caller caller, int address, int count)
        where T : unmanaged => SpanAt<T>(caller, address, count).ToArray();

    /// <summary>A struct.</summary>
    /// <typeparam name="T">A struct of numbers.</typeparam>
    /// <param name="caller">The guest.</param>
    /// <param name="address">Where it is.</param>
    public static T StructAt<T>(Caller caller, int address)
        where T : unmanaged => GuestData.Struct<T>(MemoryOf(caller), (uint)address);

    /// <summary>A function as the delegate type that was asked for.</summary>
    /// <typeparam name="T">The type.</typeparam>
    /// <param name="function">The function.</param>
    /// <exception cref="TrapException">It has another signature.</exception>
    public static T? FunctionAs<T>(Delegate? function)
        where T : Delegate => Face.FunctionAs<T>(function);

    /// <summary>An object as the class that was asked for.</summary>
    /// <typeparam name="T">The class.</typeparam>
    /// <param name="value">The object.</param>
    /// <exception cref="TrapException">It is of another class.</exception>
    public static T? ReferenceAs<T>(object? value)
        where T : class => GuestData.ReferenceAs<T>(value);

    // ---- what a host function waits for ----

    /// <summary>Begins a wait for a task: its continuations must not run in a context whose thread waits.</summary>
    /// <returns>The context, for <see cref="EndWait"/>.</returns>
    public static SynchronizationContext? BeginWait() => AsyncHost.Begin();

    /// <summary>Ends it.</summary>
    /// <param name="context">What <see cref="BeginWait"/> gave.</param>
    public static void EndWait(SynchronizationContext? context) => AsyncHost.End(context);

    /// <summary>The result of a task. The guest's token ends the wait.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="task">The task.</param>
    public static T Wait<T>(Task<T> task)
    {
        ArgumentNullException.ThrowIfNull(task);
        return AsyncHost.Wait(task);
    }

    /// <summary>The result of a task. The guest's token ends the wait.</summary>
    /// <typeparam name="T">Its type.</typeparam>
    /// <param name="task">The task.</param>
    public static T Wait<T>(ValueTask<T> task) => AsyncHost.WaitValue(task);

    // ---- what the guest gets: allocated in its memory, for it to free ----

    /// <summary>Puts a text into the guest's memory.</summary>
    /// <param name="text">The text.</param>
    /// <param name="caller">The guest.</param>
    public static (int Address, int Length) PassText(string? text, Caller caller) =>
        text is null ? (0, 0) : PassSpan<byte>(Encoding.UTF8.GetBytes(text), caller);

    /// <summary>Puts items into the guest's memory.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="items">The items.</param>
    /// <param name="caller">The guest.</param>
    public static (int Address, int Length) PassArray<T>(T[]? items, Caller caller)
        where T : unmanaged => items is null ? (0, 0) : PassSpan<T>(items, caller);

    /// <summary>Puts items into the guest's memory.</summary>
    /// <typeparam name="T">A number, or a struct of numbers.</typeparam>
    /// <param name="items">The items.</param>
    /// <param name="caller">The guest.</param>
    public static (int Address, int Length) PassSpan<T>(ReadOnlySpan<T> items, Caller caller)
        where T : unmanaged
    {
        ArgumentNullException.ThrowIfNull(caller);
        ReadOnlySpan<byte> bytes = MemoryMarshal.AsBytes(items);
        GuestAllocator allocator = caller.Allocator;
        ulong address = allocator.Allocate(bytes.Length);
        GuestData.Put(allocator.Required, address, bytes);
        return ((int)address, items.Length);
    }
}
