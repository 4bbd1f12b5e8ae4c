namespace WasmJit.Wasi.Preview2;

/// <summary>Tasks whose guest has gone: their outcome is not used any more. Results that have to be disposed of are for <see cref="Components.LeftValues"/>.</summary>
internal static class LeftTasks
{
    /// <summary>Observes a failure, so that .NET does not report it as unobserved.</summary>
    internal static void Leave(Task task) =>
        task.ContinueWith(static t => t.Exception, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
