namespace WasmJit.Components;

/// <summary>
/// What is done when a task of the host has ended: by the thread that is in the instances then, or the next one that enters. If it is not waited for any more,
/// perhaps no thread ever enters: then it is done at once. It is done once.
/// </summary>
/// <param name="scheduler">The instances'.</param>
/// <param name="task">The task.</param>
/// <param name="action">What is done. Where <paramref name="isLeft"/> says so, it may run on any thread, and touches nothing of the instances.</param>
/// <param name="isLeft">Whether it is not waited for any more; once it says so it always does.</param>
internal sealed class LateAction(Scheduler scheduler, Task task, Action action, Func<bool> isLeft)
{
    private int isDone;

    /// <summary>Waits for the task. Until the action has run, the host has something to do.</summary>
    internal void Start()
    {
        Interlocked.Increment(ref scheduler.Pending);
        task.ContinueWith(_ => Ended(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Ended()
    {
        if (!isLeft()) scheduler.Post(Run);
        // It may have been left in between.
        if (isLeft()) RunLeft();
    }

    private void Run()
    {
        if (Interlocked.Exchange(ref isDone, 1) != 0) return;
        Interlocked.Decrement(ref scheduler.Pending);
        action();
    }

    /// <summary>It has just been left: if the task has ended, what was posted may never be done.</summary>
    internal void RunLeft()
    {
        if (!task.IsCompleted) return;
        Run();
        scheduler.Signal();
    }
}
