using System.Diagnostics.CodeAnalysis;

namespace WasmJit.Runtime;

/// <summary>
/// The time in which a thread's guests obey a token. When the token is cancelled, the thread's part of <see cref="StackGuard.Map"/> is marked:
/// function entries look there for the stack's end anyway, and interruptible loops poll it.
/// </summary>
internal sealed unsafe class CancellationScope
{
    private readonly WasmThread thread;
    private readonly CancellationScope? outer;
    private readonly CancellationToken token;
    private readonly ulong top;
    private CancellationTokenSource? linked;
    private CancellationTokenRegistration registration;
    private bool fired;
    private bool left;

    private CancellationScope(WasmThread thread, ulong top, CancellationToken token)
    {
        this.thread = thread;
        this.token = token;
        this.top = top;
        outer = thread.Scope;
    }

    /// <summary>Cancelled as soon as this scope's token or that of one around it is.</summary>
    internal CancellationToken Token =>
        outer is null ? token : (linked ??= CancellationTokenSource.CreateLinkedTokenSource(outer.Token, token)).Token;

    /// <summary>The tokens of this scope and of those around it: what a call obeys that goes on when the scope has been left.</summary>
    internal CancellationToken[] Tokens
    {
        get
        {
            var tokens = new List<CancellationToken>();
            for (CancellationScope? scope = this; scope is not null; scope = scope.outer) tokens.Add(scope.token);
            return [.. tokens];
        }
    }

    /// <summary>Begins a scope of the calling thread. The caller ends it with <see cref="Leave"/>, in reverse order.</summary>
    internal static CancellationScope Enter(CancellationToken token)
    {
        byte local;
        return Enter((ulong)&local, token);
    }

    /// <summary>The same for all frames below an address of the calling thread's stack.</summary>
    internal static CancellationScope Enter(ulong top, CancellationToken token)
    {
        WasmThread thread = WasmThread.Current;
        var scope = new CancellationScope(thread, top, token);
        thread.Scope = scope;
        scope.registration = token.UnsafeRegister(static s => ((CancellationScope)s!).Fire(), scope);
        return scope;
    }

    internal void Leave()
    {
        registration.Dispose();
        linked?.Dispose();
        lock (thread)
        {
            left = true;
            thread.Scope = outer;
            if (!fired) return;
            thread.Mark(top, false);
            if (Fired(outer) is { } other) thread.Mark(other.top, true);
        }
    }

    private void Fire()
    {
        lock (thread)
        {
            if (left) return;
            fired = true;
            thread.Mark(top, true);
        }
    }

    /// <summary>The outermost cancelled scope of those around <paramref name="scope"/> and itself.</summary>
    private static CancellationScope? Fired(CancellationScope? scope)
    {
        CancellationScope? found = null;
        for (; scope is not null; scope = scope.outer)
            if (scope.fired) found = scope;
        return found;
    }

    /// <summary>The exception of a wait that <see cref="Token"/> has ended.</summary>
    internal GuestCanceledException EndOfWait() =>
        outer is { Token.IsCancellationRequested: true } ? outer.EndOfWait() : new GuestCanceledException(token);

    /// <summary>
    /// Lets another thread work for the guest of a scope until the result is disposed of. The other thread obeys the scope's token where it calls
    /// <see cref="ThrowIfStopped"/>.
    /// </summary>
    internal static Loan Lend(CancellationScope? scope)
    {
        if (scope is null) return default;
        WasmThread thread = WasmThread.Current;
        var loan = new Loan(thread, thread.Scope);
        thread.Scope = scope;
        return loan;
    }

    /// <summary>Ends what <see cref="Lend"/> began.</summary>
    internal readonly struct Loan(WasmThread? thread, CancellationScope? before) : IDisposable
    {
        public void Dispose()
        {
            if (thread is not null) thread.Scope = before;
        }
    }

    /// <summary>The outermost of this scope and those around it whose token is cancelled; any thread may ask.</summary>
    internal CancellationScope? Stopped
    {
        get
        {
            CancellationScope? stopped = null;
            for (CancellationScope? scope = this; scope is not null; scope = scope.outer)
                if (scope.token.IsCancellationRequested) stopped = scope;
            return stopped;
        }
    }

    /// <summary>For long work of the runtime that runs no guest's code: throws if the calling thread's guests are to stop.</summary>
    /// <exception cref="GuestCanceledException">They are.</exception>
    internal static void ThrowIfStopped()
    {
        if (WasmThread.CurrentScope?.Stopped is { } stopped) throw new GuestCanceledException(stopped.token);
    }

    /// <summary>Throws because the calling thread's mark was found: it is cancelled, or its stack is used up.</summary>
    [DoesNotReturn]
    internal static void Stop()
    {
        if (Fired(WasmThread.Current.Scope) is { } scope) throw new GuestCanceledException(scope.token);
        throw new TrapException(TrapKind.CallStackExhausted);
    }
}
