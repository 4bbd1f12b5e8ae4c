using System.Diagnostics.CodeAnalysis;

namespace WasmJit.Components;

/// <summary>The reasons for which components trap, in the words of the official tests where these have any.</summary>
internal static class ComponentTrap
{
    internal const string CannotEnter = "cannot enter component instance";
    internal const string CannotLeave = "cannot leave component instance";
    internal const string CannotBlock = "cannot block a synchronous task before returning";
    internal const string Deadlock = "deadlock detected: event loop cannot make further progress";
    internal const string Unaligned = "unaligned pointer";
    internal const string ListOutOfBounds = "list content out-of-bounds";
    internal const string StringOutOfBounds = "string content out-of-bounds";
    internal const string HostStringOutOfBounds = "string pointer/length out of bounds of memory";
    internal const string HostListOutOfBounds = "list pointer/length out of bounds of memory";
    internal const string ReallocBeyond = "realloc return: beyond end of memory";
    internal const string ReallocUnaligned = "realloc return: result not aligned";
    internal const string InvalidDiscriminant = "invalid variant discriminant";
    internal const string InvalidChar = "invalid `char` bit pattern";
    internal const string BorrowsRemain = "borrow handles still remain at the end of the call";
    internal const string OwnedWhileLent = "cannot remove owned resource while borrowed";
    internal const string ResultOutOfBounds = "pointer out of bounds of memory";
    internal const string AlreadyReturned = "a task that has returned or was cancelled cannot return again";
    internal const string NotResolved = "a task ended without returning a value";
    internal const string NoAsyncReturn = "`task.return` and `task.cancel` need a function lifted with `async`";
    internal const string WrongReturn = "invalid `task.return` signature and/or options for current task";
    internal const string NotCancelled = "`task.cancel` of a task that was not cancelled";
    internal const string BadCallbackCode = "unsupported callback code";
    internal const string JoinedSynchronously = "waitable cannot be used synchronously while added to a waitable set";
    internal const string TooManyHandles = "too many handles";
    internal const string TooManyTasks = "too many tasks that hold a stack";
    internal const string TooMuchCopied = "more is copied than a call may copy";
    internal const string UncaughtException = "uncaught exception propagated out of component";
    internal const string WrongThread = "the thread is not suspended";

    [DoesNotReturn]
    internal static void Throw(string reason) => throw Make(reason);

    internal static TrapException Make(string reason) => WasmJit.Runtime.Trap.Make(TrapKind.ComponentModel, reason);

    [DoesNotReturn]
    internal static void UnknownHandle(uint index) => throw Make($"unknown handle index {index}");

    internal static void If(bool condition, string reason)
    {
        if (condition) Throw(reason);
    }
}
