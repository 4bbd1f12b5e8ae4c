namespace WasmJit.Wasi.Preview2;

/// <summary>Tasks whose guest has gone: their outcome is not used any more.</summary>
internal static class LeftTasks
{
    /// <summary>Observes a failure, so that .NET does not report it as unobserved.</summary>
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
