using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace WasmJit.Runtime;

/// <summary>
/// The fast path from a throw to its handler, for the functions of a module. It goes past frames of generated code alone, takes the registers from
/// where the functions saved them and jumps to the handler, as the runtime does after two passes over the stack. It learns from exceptions that go
/// the runtime's way, and leaves to the runtime whatever it does not know for certain. So functions that do not throw pay nothing, not even in a
/// <c>try</c>.
/// </summary>
/// <param name="importedTags">How many of the module's tags are imported.</param>
/// <remarks>
/// Unsafe. Why it is safe: (1) A frame is stepped over only if its return address, which only code of this module has, has
/// been seen to be in that function by the runtime's own walk over the stack, and if the size of its frame led to the next
/// such frame there. The module keeps all its code, so that addresses keep their meaning. (2) Generated code holds nothing
/// that would have to be undone: no locks, no pinned frames of calls out of managed code; frames of anything else end the
/// search. (3) The place where a handler goes on is the return from a call that is the first thing behind a <c>catch</c>, a
/// block that is entered from there only: the JIT keeps nothing in registers across such an edge. (4) References in saved
/// registers are read by machine code during which no collection can begin, from the places that the collector keeps right.
/// </remarks>
internal sealed unsafe class Unwinder(int importedTags)
{
    /// <summary>The name of the method from which <see cref="PlanFor"/> is called.</summary>
    internal const string ThrowMethod = "wasm throw";

    private const int MaxFrames = 256;
    private const int MaxForeign = 256;

    /// <summary>Larger stacks, in bytes, teach nothing: guests could make the walk take long.</summary>
    private const ulong MaxStack = 256 << 10;

    /// <summary>How many frames may be looked at for each function, and in all besides. A frame takes 1 µs, compiling a function 100.</summary>
    private const int FramesPerFunction = 64, MoreFrames = 100_000;

    [ThreadStatic]
    private static ThreadState? current;

    private readonly Lock gate = new();
    private readonly Dictionary<nint, Function> functions = [];
    private readonly Dictionary<nint, Region> regions = [];
    private readonly SiteTable<Site> sites = new();
    private int foreign;
    private long examined;

    /// <summary>The switch with which a process gives all throws to the runtime, as <c>AppContext</c> knows it.</summary>
    internal const string Switch = "WasmJit.ThrowByRuntime";

    private static readonly bool IsAllowed = !(AppContext.TryGetSwitch(Switch, out bool byRuntime) && byRuntime);

    /// <summary>Whether this platform's frames and registers are those that this class knows, and the host has not forbidden it.</summary>
    internal static bool IsSupported =>
        IsAllowed && RuntimeCode.IsAvailable && OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64 && !IsOff;

    /// <summary>The frame of the method that calls <see cref="PlanFor"/>.</summary>
    internal static FrameShape? ThrowFrame { private get; set; }

    /// <summary>How many exceptions of this thread took the fast path; for tests.</summary>
    [ThreadStatic]
    internal static int FastPaths;

    /// <summary>Whether modules that this thread compiles have no fast path; for tests.</summary>
    [ThreadStatic]
    internal static bool IsOff;

    private const int Untested = 0, Testing = 1, Trusted = 2, Distrusted = 3;

    private static int trust;

    /// <summary>Whether this thread runs the test itself.</summary>
    [ThreadStatic]
    private static bool isTester;

    /// <summary>The test of the fast path, which needs a guest: null if it is right. Set by the layer that has guests.</summary>
    internal static Func<string?>? Test { private get; set; }

    /// <summary>
    /// Whether this class's assumptions hold in this process. They are tested on a thread of their own when an exception could take the fast path for
    /// the first time. Until the answer is there the runtime throws.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsTrusted()
    {
        if (isTester) return true;
        if (Interlocked.CompareExchange(ref trust, Testing, Untested) != Untested) return false;
        string? problem = "there is no test";
        var thread = new Thread(
            () =>
            {
                isTester = true;
                try
                {
                    problem = Test?.Invoke();
                }
                catch (Exception e)
                {
                    problem = e.Message;
                }
            }, 16 << 20);
        thread.Start();
        thread.Join();
        Distrust(problem);
        return problem is null;
    }

    /// <summary>Takes the outcome of the test.</summary>
    internal static void Distrust(string? problem)
    {
        Volatile.Write(ref trust, problem is null ? Trusted : Distrusted);
        if (problem is not null) WasmJitEvents.Log.FastPathIsOff(problem);
    }

    /// <summary>A function of the module.</summary>
    private sealed class Function(object method, bool hasRegions)
    {
        /// <summary>Keeps the code.</summary>
        internal readonly object Method = method;
        internal readonly bool HasRegions = hasRegions;
        internal FrameShape? Shape;

        /// <summary>Whether the runtime has found the caller's frame where the shape says.</summary>
        internal volatile bool IsVerified;
    }

    /// <summary>A protected region: the one around it, where its handlers begin once it is known, and what they catch.</summary>
    private sealed class Region(Region? parent)
    {
        internal readonly Region? Parent = parent;
        internal readonly nint[] Cell = GC.AllocateArray<nint>(1, pinned: true);
        internal readonly List<int> Tags = [];
        internal bool CatchesAll;
    }

    /// <summary>A return address: the function it is in (null: code of others), and the innermost region around the call.</summary>
    private sealed class Site(Function? function)
    {
        internal readonly Function? Function = function;
        internal Region? Region;
        internal volatile bool IsKnown = function is { HasRegions: false };
    }

    /// <summary>The calls of the last throw on a thread that went the runtime's way and whose regions are not known yet.</summary>
    private sealed class ThreadState
    {
        internal readonly nint[] PlanStorage = GC.AllocateArray<nint>(UnwindCode.Pairs + (2 * MaxFrames), pinned: true);
        internal readonly List<(Site Site, nint Address, nint Low, nint High)> Unknown = [];
        internal WasmException? Exception;
        internal Unwinder? Unwinder;
    }

    // ---- what is compiled ----

    /// <summary>Makes a region known; gives its cell, which lives as long as this object.</summary>
    /// <param name="parent">The cell of the innermost region around it in the function, 0 if there is none.</param>
    internal nint AddRegion(nint parent)
    {
        lock (gate)
        {
            var region = new Region(parent == 0 ? null : regions[parent]);
            var cell = (nint)Unsafe.AsPointer(ref region.Cell[0]);
            regions[cell] = region;
            return cell;
        }
    }

    /// <summary>Notes that a region catches a tag, given as an index, or everything (-1). Called before its function runs.</summary>
    internal void AddClause(nint cell, int tag)
    {
        lock (gate)
        {
            if (tag < 0) regions[cell].CatchesAll = true;
            else regions[cell].Tags.Add(tag);
        }
    }

    /// <summary>Makes a function's code known, before it runs for the first time; <paramref name="method"/> keeps it alive.</summary>
    internal void AddFunction(nint code, object method, bool hasRegions)
    {
        lock (gate) functions[code] = new Function(method, hasRegions);
    }

    // ---- a throw ----

    /// <summary>
    /// The plan for <see cref="UnwindCode.Transfer"/> that leads to the handler of an exception; 0 if the runtime is to throw it.
    /// </summary>
    /// <param name="exception">The exception.</param>
    /// <param name="instance">The instance that throws it.</param>
    /// <param name="sp">The stack pointer of the method <see cref="ThrowMethod"/>, which the throwing function has called.</param>
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    internal static nint PlanFor(object exception, InstanceCore instance, nint sp) =>
        instance.Services.Unwinder is { } unwinder && ThrowFrame is { } frame
            ? unwinder.Plan(Unsafe.As<WasmException>(exception), instance, sp, frame) : 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private nint Plan(WasmException exception, InstanceCore instance, nint sp, FrameShape frame)
    {
        ThreadState state = current ??= new ThreadState();
        state.Exception = null;
        state.Unknown.Clear();
        var plan = (nint*)Unsafe.AsPointer(ref state.PlanStorage[0]);
        for (int i = 0; i < FrameShape.Registers; i++) plan[UnwindCode.Sources + i] = (nint)(plan + UnwindCode.Current + i);
        sp = StepOver(plan, frame, sp);
        nint first = sp;
        bool canLearn = true;
        for (int depth = 0; depth < MaxFrames; depth++)
        {
            nint address = *(nint*)(sp - 8);
            Site? site = sites.Find(address);
            if (site is null && canLearn)
            {
                Learn(first);
                canLearn = false;
                site = sites.Find(address);
            }
            if (site?.Function is not { Shape: { } shape } function) break;
            plan[UnwindCode.Pairs + (2 * depth)] = sp - 8;
            plan[UnwindCode.Pairs + (2 * depth) + 1] = address;
            if (!site.IsKnown)
            {
                // When the runtime's throw follows, the innermost function calls that, from the same region.
                state.Unknown.Add((site, depth == 0 ? 0 : address, sp, sp + shape.Size));
            }
            else if (!FindRegion(site.Region, exception, instance, out Region? region))
            {
                break;
            }
            else if (region is not null)
            {
                if (state.Unknown.Count > 0 || region.Cell[0] == 0) break;
                if (trust != Trusted && !IsTrusted()) return 0;
                plan[UnwindCode.Target] = region.Cell[0];
                plan[UnwindCode.StackPointer] = sp;
                plan[UnwindCode.Checks] = depth + 1;
                FastPaths++;
                return (nint)plan;
            }
            if (!function.IsVerified)
            {
                if (canLearn) Learn(first);
                canLearn = false;
                if (!function.IsVerified) break;
            }
            sp = StepOver(plan, shape, sp);
        }
        if (state.Unknown.Count > 0)
        {
            state.Exception = exception;
            state.Unwinder = this;
        }
        return 0;
    }

    /// <summary>
    /// Notes where a frame saved registers, and gives the stack pointer in the caller. The registers that the outermost frame saved are those of the
    /// handler's function.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint StepOver(nint* plan, FrameShape shape, nint sp)
    {
        foreach (SavedRegister saved in shape.Saved) plan[UnwindCode.Sources + saved.Register] = sp + saved.Offset;
        return sp + shape.Size + 8;
    }

    /// <summary>The region that takes an exception, out of one and those around it; false if that is not certain.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool FindRegion(Region? region, WasmException exception, InstanceCore instance, out Region? found)
    {
        for (found = region; found is not null; found = found.Parent)
        {
            bool? catches = Catches(found, exception, instance);
            if (catches is null) return false;
            if (catches.Value) return true;
        }
        return true;
    }

    /// <summary>
    /// Whether a region takes an exception, as the throwing instance sees its tags. The handler may be another instance's: its dispatch then does not
    /// take the exception and throws it again. A region is certain not to take something only if tags of instances' own are compared.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool? Catches(Region region, WasmException exception, InstanceCore instance)
    {
        if (region.CatchesAll) return true;
        bool certain = true;
        foreach (int tag in region.Tags)
        {
            if (ReferenceEquals(instance.Tags[tag], exception.TagField)) return true;
            certain &= tag >= importedTags;
        }
        return certain && Array.IndexOf(instance.Tags, exception.TagField) >= importedTags ? false : null;
    }

    // ---- what exceptions on the runtime's way teach ----

    /// <summary>Compares the stack with what the runtime says of it, from the function that throws outward.</summary>
    private void Learn(nint sp)
    {
        if (WasmThread.Current.StackHigh - (ulong)sp > MaxStack || Volatile.Read(ref examined) > MoreFrames + ((long)FramesPerFunction * functions.Count)) return;
        StackFrame[] frames = new StackTrace(false).GetFrames();
        int at = Array.FindIndex(frames, f => f.GetMethod()?.Name == ThrowMethod);
        if (at < 0) return;
        lock (gate)
        {
            examined += frames.Length;
            Function? below = null;
            for (at++; at < frames.Length; at++)
            {
                nint address = *(nint*)(sp - 8);
                nint start = address - frames[at].GetNativeOffset();
                if (!functions.TryGetValue(start, out Function? function))
                {
                    if (sites.Find(address) is null && foreign++ < MaxForeign) sites.Add(address, new Site(null));
                    return;
                }
                if (below is not null) below.IsVerified = true;
                function.Shape ??= FrameShape.Of(start);
                if (sites.Find(address) is null) sites.Add(address, new Site(function));
                if (function.Shape is not { } shape) return;
                below = function;
                sp += shape.Size + 8;
            }
        }
    }

    /// <summary>
    /// For filters, first of all: an exception comes to a region. The first region of a frame that it comes to is the
    /// innermost one around the call.
    /// </summary>
    /// <param name="exception">The exception.</param>
    /// <param name="cell">The region's cell.</param>
    /// <param name="frame">An address in the frame.</param>
    internal static void Passing(object exception, nint cell, nint frame)
    {
        if (current is not { Exception: { } pending } state || !ReferenceEquals(pending, exception)) return;
        Unwinder unwinder = state.Unwinder!;
        for (int i = 0; i < state.Unknown.Count; i++)
        {
            (Site site, nint address, nint low, nint high) = state.Unknown[i];
            if (frame < low || frame >= high) continue;
            // No more can be learned of this frame: the first region is the innermost.
            state.Unknown.RemoveAt(i);
            if (site.IsKnown || (address != 0 && *(nint*)(low - 8) != address)) return;
            lock (unwinder.gate)
            {
                if (!unwinder.regions.TryGetValue(cell, out Region? region)) return;
                site.Region = region;
            }
            site.IsKnown = true;
            return;
        }
    }

    /// <summary>
    /// For handlers: an exception is caught in a frame. It has come to no region in those frames below that are still unknown.
    /// </summary>
    internal static void Caught(object exception, nint frame)
    {
        if (current is not { Exception: { } pending } state || !ReferenceEquals(pending, exception)) return;
        foreach ((Site site, _, _, nint high) in state.Unknown)
            if (high <= frame) site.IsKnown = true;
        state.Exception = null;
        state.Unknown.Clear();
    }

    /// <summary>For filters of entries, which never take it: an exception has come to all regions that it can come to.</summary>
    /// <returns>False.</returns>
    internal static bool Leaves(WasmException exception)
    {
        Caught(exception, nint.MaxValue);
        return false;
    }
}
