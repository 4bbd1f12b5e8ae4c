namespace WasmJit.Wasi.Preview2;

/// <summary>Tasks whose guest has gone: what they end with interests nobody any more.</summary>
internal static class LeftTasks
{
    /// <summary>Takes note of a failure, so that it does not count as one that nobody has seen.</summary>
    internal static void Leave(Task task) =>
        task.ContinueWith(static t => t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);

    /// <summary>As <see cref="Leave"/>; a result is disposed of.</summary>
    internal static void LeaveResult<T>(Task<T> task)
        where T : IDisposable => task.ContinueWith(
            static t =>
            {
                if (t.IsCompletedSuccessfully) t.Result.Dispose();
                else _ = t.Exception;
            },
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
