using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Work that listeners are told of: an activity of the source <c>WasmJit</c>, for distributed traces, and an event at its end. There is one only while
/// there is a listener.
/// </summary>
/// <remarks>
/// .NET's activities are in the assembly of its metrics, which takes long to be loaded (<see cref="WasmJitMetrics"/>). So whatever names their types is in
/// methods that are not called before the source is there.
/// </remarks>
internal sealed class TracedWork : IDisposable
{
    private static ActivitySource? source;
    private static volatile bool isPublished;

    private readonly long start = Stopwatch.GetTimestamp();
    private readonly Activity? activity;

    private TracedWork(string name)
    {
        if (isPublished) activity = source!.StartActivity(name);
    }

    /// <summary>Makes the source, so that listeners find it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Publish()
    {
        source ??= new ActivitySource("WasmJit");
        isPublished = true;
    }

    /// <summary>Begins the work on a module or component; null if there is no listener.</summary>
    /// <param name="name">What is done, as activities have it.</param>
    /// <param name="level">That of the event at the end; null for none.</param>
    internal static TracedWork? Begin(string name, EventLevel? level = null) =>
        (isPublished && HasListeners()) || (level is { } told && WasmJitEvents.Wants(WasmJitEvents.Keywords.Modules, told)) ? Make(name) : null;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool HasListeners() => source!.HasListeners();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TracedWork Make(string name) => new(name);

    /// <summary>The bytes of a module were decoded and validated, and compiled if the engine does so ahead.</summary>
    /// <param name="name">The module's name.</param>
    /// <param name="bytes">How many there were.</param>
    /// <param name="functions">How many functions it defines.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal void Compiled(string? name, int bytes, int functions)
    {
        activity?.SetTag("wasm.module", name).SetTag("wasm.bytes", bytes);
        if (WasmJitEvents.Wants(WasmJitEvents.Keywords.Modules, EventLevel.Informational))
            WasmJitEvents.Log.ModuleCompiled(name ?? "", bytes, functions, WasmJitEvents.MillisecondsSince(start));
    }

    /// <summary>An instance was made, and its start function has run.</summary>
    /// <param name="name">The module's name.</param>
    internal void Instantiated(string? name)
    {
        if (WasmJitEvents.Wants(WasmJitEvents.Keywords.Modules, EventLevel.Verbose))
            WasmJitEvents.Log.InstanceMade(name ?? "", WasmJitEvents.MillisecondsSince(start));
    }

    /// <summary>Notes something that the work is about.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal void Tag(string name, object? value) => activity?.SetTag(name, value);

    /// <summary>Notes that the work has failed, in an exception filter.</summary>
    /// <param name="exception">Why.</param>
    /// <returns>False.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal bool HasFailed(Exception exception)
    {
        activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
        return false;
    }

    /// <summary>Ends it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public void Dispose() => activity?.Dispose();
}
