using System.Runtime.ExceptionServices;
using WasmJit.DynamicLinking;
using WasmJit.Jit.Binary;
using WasmJit.Linking;
using WasmJit.Runtime;
using WasmJit.Wasi;

namespace WasmJit;

/// <summary>
/// The threads of a program that makes some (the proposal wasi-threads): each has an instance of the module, over the same shared memories. The first to trap,
/// to call <c>proc_exit</c>, or to return from <c>_start</c> ends all of them.
/// </summary>
internal sealed class WasiThreads : IDisposable
{
    private const string Start = "wasi_thread_start";

    /// <summary>Numbers of threads are positive, and have 29 bits in the libraries of C.</summary>
    private const int MostNumbers = (1 << 29) - 1;

    /// <summary>A thread's stack as long as the program's C library has not given it its own.</summary>
    private const int FirstStack = 4096;

    private readonly Module module;
    private readonly DynamicLinker? linker;
    private readonly Imports imports = [];
    private readonly Fuel? fuel;
    private readonly GuestResources? resources;
    private readonly int most;
    private readonly CancellationTokenSource stop;
    private readonly object gate = new();
    private int running, lastNumber;
    private bool hasEnded;
    private Exception? cause;

    /// <param name="module">The program.</param>
    /// <param name="linker">Loads its libraries; null if it has none.</param>
    /// <param name="given">What it may import besides.</param>
    /// <param name="most">How many threads it may have beside its first.</param>
    /// <param name="fuel">Its fuel.</param>
    /// <param name="resources">Its resources.</param>
    /// <param name="cancellation">Ends all of it.</param>
    /// <exception cref="InvalidOperationException">Its engine cannot stop it.</exception>
    internal WasiThreads(Module module, DynamicLinker? linker, Imports given, int most, Fuel? fuel, GuestResources? resources, CancellationToken cancellation)
    {
        if (!module.Shared.Services.IsInterruptible)
            throw new InvalidOperationException("A program with threads must be stoppable: its engine's options have no Interruptible. Set EngineOptions.Interruptible.");
        this.module = module;
        this.linker = linker;
        this.most = most;
        this.fuel = fuel;
        this.resources = resources ?? module.Engine.NewResources();
        imports.AddRange(given);
        foreach (string name in SpawnImport.Names) imports[SpawnImport.Module, name] = (Func<int, int>)Spawn;
        foreach (ImportType import in module.Imports)
        {
            if (import is { Name: { } name, Type.Kind: ExternKind.Memory } && import.Type.Memory.IsShared && imports.Find(import.Module, name) is null)
                imports[import.Module, name] = MakeMemory(import.Type.Memory);
        }
        stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation, Guest.CancellationToken);
    }

    /// <summary>Whether a module is a program that was built for threads: it makes some, or has a shared memory that others could have.</summary>
    internal static bool AreWanted(Module module) => module.Imports.Any(Gives);

    /// <summary>Whether programs with threads get an import from here.</summary>
    internal static bool Gives(ImportType import) =>
        SpawnImport.Is(import.Module, import.Name) || (import.Type.Kind == ExternKind.Memory && import.Type.Memory.IsShared);

    private Memory MakeMemory(MemoryType type)
    {
        try
        {
            return new Memory(type, module.Shared.Placement, resources);
        }
        catch (ResourceLimitException e)
        {
            throw new LinkException(e);
        }
        catch (InsufficientMemoryException e)
        {
            throw new LinkException($"out of memory: {e.Message}");
        }
    }

    /// <summary>Runs the program to its end, and waits until no thread of it runs any more.</summary>
    /// <param name="beforeStart">Sees the first instance before its start function runs.</param>
    /// <param name="main">Runs the program's beginning.</param>
    /// <returns>The exit code if it returned, or what it gave to <c>proc_exit</c>.</returns>
    internal int Run(Action<Instance> beforeStart, Func<Instance, int> main)
    {
        int code = 0;
        Instance? first = null;
        try
        {
            first = linker is null ? module.InstantiateFor(beforeStart, imports, fuel, resources) : linker.InstantiateFor(beforeStart, module, imports, fuel, resources);
            code = Guest.Run(
                () =>
                {
                    linker?.Initialize();
                    return main(first);
                },
                stop.Token);
            End(null);
        }
        catch (Exception e)
        {
            // A thread that another one has stopped does not decide how the program ends.
            End(e);
        }
        lock (gate)
        {
            while (running > 0) Monitor.Wait(gate);
            first?.FuelTank?.GiveBack();
            switch (cause)
            {
                case null: return code;
                case WasiExitException exit: return exit.ExitCode;
                default:
                    ExceptionDispatchInfo.Throw(cause);
                    return code;
            }
        }
    }

    /// <summary>The program ends, for the first reason that there is.</summary>
    private void End(Exception? reason)
    {
        lock (gate)
        {
            if (hasEnded) return;
            hasEnded = true;
            cause = reason;
        }
        stop.Cancel();
    }

    /// <summary><c>thread-spawn</c>: a thread that calls <c>wasi_thread_start</c> with its number and the argument.</summary>
    /// <returns>The number, or an error number, negative.</returns>
    private int Spawn(int argument)
    {
        ResourceLease? lease = null;
        int number;
        lock (gate)
        {
            if (hasEnded || running >= most) return -(int)Errno.Again;
            running++;
            number = lastNumber = (lastNumber % MostNumbers) + 1;
        }
        bool begun = false;
        try
        {
            lease = resources?.Take(ResourceKind.Threads);
            Fuel.Pay(fuel, linker?.CostOfThread ?? Linker.CostOf(module.Info));
            if (linker is null)
            {
                Instance instance = module.InstantiateFor(null, imports, fuel, resources);
                if (!instance.TryGetExport(Start, out Action<int, int>? start)) return -(int)Errno.Notsup;
                WorkerThreads.Guests.Start(() => Run(() => start(number, argument), instance.Dispose, lease));
            }
            else
            {
                if (!linker.Program.Instance.TryGetExport<Action<int, int>>(Start, out _)) return -(int)Errno.Notsup;
                DynamicThread thread = linker.CreateThread(FirstStack);
                var start = thread.Image.InstanceOf(linker.Program).GetExport<Action<int, int>>(Start);
                WorkerThreads.Guests.Start(() => Run(() => linker.Space.RunThread(thread.Image, () => start(number, argument)), thread.Retire, lease));
            }
            begun = true;
            return number;
        }
        catch (Exception e) when (e is LinkException or DynamicLinkException or ResourceLimitException or OutOfMemoryException)
        {
            return -(int)Errno.Again;
        }
        finally
        {
            if (!begun)
            {
                lease?.End();
                Leave();
            }
        }
    }

    private bool Run(Action start, Action end, ResourceLease? lease)
    {
        try
        {
            Guest.Run(start, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // All end; the reason is known.
        }
        catch (Exception e)
        {
            End(e);
        }
        finally
        {
            lease?.End();
            try
            {
                end();
            }
            finally
            {
                // The program's first thread waits for this.
                Leave();
            }
        }
        return true;
    }

    private void Leave()
    {
        lock (gate)
        {
            running--;
            Monitor.PulseAll(gate);
        }
    }

    public void Dispose() => stop.Dispose();
}
