using System.Runtime.ExceptionServices;
using WasmJit.Runtime;

namespace WasmJit.DynamicLinking;

/// <summary>
/// Constructors, destructors, and the unloading of libraries. Code of the guest runs here at three points: in constructors, in destructors, and in
/// the program's <c>free</c>. It may open and close libraries itself, trap, or be stopped. So at each of these points the link map is whole:
/// libraries that are being unloaded are already out of it, and libraries whose code runs stay loaded until it has ended.
/// </summary>
public sealed partial class DynamicLinker
{
    /// <summary>How many destructors a library can register: one for each object that it constructs, and few have more than hundreds.</summary>
    internal const int MostAtExit = 100_000;

    private bool isSweeping, sweepsAgain, hooksExit;

    /// <summary>
    /// Waits for other threads that are in the linker. Their constructors may run for long, and a thread that waits for them can be cancelled.
    /// </summary>
    internal Lock.Scope Enter()
    {
        const int slice = 50;
        while (!gate.TryEnter(slice)) Guest.CancellationToken.ThrowIfCancellationRequested();
        Lock.Scope scope = gate.EnterScope();
        gate.Exit();
        return scope;
    }

    /// <summary>
    /// Closes a library once. When it is not open any more, and no other library uses it, its destructors run and it is unloaded: its memory goes
    /// back to the program's allocator, its slots of the table become null. If a constructor or destructor calls this, unused libraries are unloaded
    /// when that has ended.
    /// </summary>
    /// <param name="library">The library.</param>
    /// <exception cref="InvalidOperationException">It is not open.</exception>
    /// <exception cref="TrapException">A destructor traps. The library is unloaded all the same.</exception>
    public void Close(DynamicLibrary library)
    {
        using (Enter())
        {
            if (library.OpenCount == 0) throw new InvalidOperationException($"{library.Name} is not open.");
            library.OpenCount--;
            Sweep();
        }
    }

    /// <summary>
    /// Calls the destructors that libraries have registered for the program's end, last first, and those that are registered meanwhile. A program
    /// that ends itself does it.
    /// </summary>
    /// <exception cref="TrapException">A destructor traps.</exception>
    public void RunDestructors()
    {
        using (Enter())
        {
            try
            {
                // Each may close libraries, or register more, so the next one is looked up each time.
                while (Map.Libraries.LastOrDefault(l => l.AtExit.Count > 0) is { } library) RunLastAtExit(library);
            }
            catch
            {
                SweepAfterFailure();
                throw;
            }
            Sweep();
        }
    }

    /// <summary>
    /// Runs the constructors of libraries whose constructors have not begun. All of them stay loaded meanwhile, whatever the constructors close.
    /// </summary>
    private void Construct(IReadOnlyList<DynamicLibrary> order)
    {
        foreach (DynamicLibrary library in order) library.Users++;
        try
        {
            foreach (DynamicLibrary library in order)
            {
                if (library.IsInitialised) continue;
                library.IsInitialised = true;
                try
                {
                    library.RunConstructors();
                }
                catch
                {
                    // Destructors do not run for a library whose constructors have not.
                    library.AtExit.Clear();
                    throw;
                }
            }
        }
        finally
        {
            foreach (DynamicLibrary library in order) library.Users--;
        }
        // Libraries that they have closed while they were in use.
        Sweep();
    }

    /// <summary>
    /// Unloads libraries that are not open and that no remaining library uses. Libraries that code of the guest closes meanwhile go in a further
    /// round: libraries whose destructors still run may use them.
    /// </summary>
    private void Sweep()
    {
        sweepsAgain = true;
        if (isSweeping || isLoading || isUpdating) return;
        isSweeping = true;
        Exception? failure = null;
        try
        {
            while (sweepsAgain)
            {
                sweepsAgain = false;
                HashSet<DynamicLibrary> stays = Map.Staying();
                List<DynamicLibrary> gone = [.. Map.Libraries.Where(l => !stays.Contains(l))];
                if (gone.Count == 0) continue;
                gone.Reverse();
                // From here on no lookup finds them. Opening one of their paths loads the library again.
                Map.Remove(gone);
                failure = Attempt(() => gone.ForEach(RunAtExit), failure);
                failure = Attempt(() => Unload(gone), failure);
                areThreadsBehind = true;
                failure = Attempt(UpdateThreads, failure);
            }
        }
        finally
        {
            isSweeping = false;
        }
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>For cleaning up after a failure that the caller reports: a further failure adds nothing.</summary>
    private void SweepAfterFailure() => Attempt(Sweep, null);

    /// <summary>Runs something that may run code of the guest. The steps behind it run even if that fails.</summary>
    /// <returns>The first failure.</returns>
    private static Exception? Attempt(Action action, Exception? failure)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            failure ??= e;
        }
        return failure;
    }

    /// <summary>Frees the libraries' parts of memory and table. None of them is known any more when the guest's allocator runs.</summary>
    internal void Unload(List<DynamicLibrary> gone)
    {
        foreach (DynamicLibrary library in gone)
        {
            library.IsLoaded = false;
            Functions.Forget(library);
            uint slots = library.Section!.TableSize;
            if (library.Instance is not null) Space.Forget(library.Instance, library.TableBase, slots);
            if (library.HasSlots) Space.ReleaseSlots(library.TableBase, slots);
            foreach (GotEntry entry in library.Got)
                if (entry.Missing is { } missing) Space.Forget(missing);
            library.Got.Clear();
            library.Bound.Clear();
            library.AtExit.Clear();
        }
        Exception? failure = null;
        foreach (DynamicLibrary library in gone)
        {
            ulong[] blocks = [library.MemoryBlock, .. library.Texts.Values.Select(t => t.Block)];
            library.MemoryBlock = 0;
            library.Texts.Clear();
            foreach (ulong block in blocks) failure = Attempt(() => Space.Release(block), failure);
        }
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    private void RunAtExit(DynamicLibrary library)
    {
        while (library.AtExit.Count > 0) RunLastAtExit(library);
    }

    private void RunLastAtExit(DynamicLibrary library)
    {
        Guest.CancellationToken.ThrowIfCancellationRequested();
        (ulong function, ulong argument, bool hasArgument) = library.AtExit[^1];
        library.AtExit.RemoveAt(library.AtExit.Count - 1);
        FuncRef func = (FuncRef?)Space.Table.Get(function) ?? throw Trap.Make(TrapKind.UninitializedElement, $"{function}");
        library.Users++;
        try
        {
            switch (func.Delegate)
            {
                case Action<int> withArgument when hasArgument && !Is64: withArgument((int)(uint)argument); break;
                case Action<long> withArgument when hasArgument && Is64: withArgument((long)argument); break;
                case Action without when !hasArgument: without(); break;
                default: throw Trap.Make(TrapKind.IndirectCallTypeMismatch);
            }
        }
        finally
        {
            library.Users--;
        }
    }

    /// <summary>Notes a destructor of a library; the program's end runs those that are left then.</summary>
    internal int AtExit(DynamicLibrary library, ulong function, ulong argument, bool hasArgument)
    {
        using (Enter())
        {
            // The list is the host's memory, so its length is limited. C reports a full list by a number that is not 0.
            if (library.AtExit.Count >= MostAtExit) return -1;
            library.AtExit.Add((function, argument, hasArgument));
            if (hooksExit) return 0;
            try
            {
                // A function that the program's exit calls; once it is there, later destructors need none of their own.
                return HookExit();
            }
            catch
            {
                hooksExit = false;
                throw;
            }
        }
    }

    /// <summary>Asks the program's C library, which may be a shared library itself, to tell when the program ends.</summary>
    private int HookExit()
    {
        hooksExit = true;
        if (Map.Definer(null, "__cxa_atexit", ExternKind.Func) is { Instance: not null } full)
        {
            Delegate register = full.FunctionOf("__cxa_atexit").Delegate;
            if (register is Func<int, int, int, int> register32) return register32((int)IndexOf((Action<int>)(_ => RunDestructors())), 0, 0);
            if (register is Func<long, long, long, int> register64) return register64(IndexOf((Action<long>)(_ => RunDestructors())), 0, 0);
        }
        if (Map.Definer(null, "atexit", ExternKind.Func) is { Instance: not null } plain)
        {
            Delegate register = plain.FunctionOf("atexit").Delegate;
            if (register is Func<int, int> register32) return register32((int)IndexOf((Action)RunDestructors));
            if (register is Func<long, int> register64) return register64(IndexOf((Action)RunDestructors));
        }
        return 0;
    }

    private uint IndexOf(Delegate host) => Space.IndexOf(HostValues.FromDelegate(host, null));
}
