namespace WasmJit.Runtime;

/// <summary>
/// Threads that guests can cause to be made in any number. Each takes mappings for its stacks, and .NET ends the process where it cannot make one. So
/// they are counted among the mappings, and refused in time.
/// </summary>
internal static class CountedThread
{
    /// <summary>Starts a background thread.</summary>
    /// <param name="name">What it is called.</param>
    /// <param name="stackSize">Its stack, in bytes.</param>
    /// <param name="work">What it does.</param>
    /// <exception cref="InsufficientMemoryException">The process has nearly as many threads or mappings as the system allows.</exception>
    /// <exception cref="PlatformNotSupportedException">The platform has one thread.</exception>
    internal static Thread Start(string name, int stackSize, Action work)
    {
        if (!Mappings.TryTake(Mappings.OfThread)) throw Refused(null);
        try
        {
            var thread = new Thread(() => Run(work), stackSize) { IsBackground = true, Name = name };
            thread.Start();
            return thread;
        }
        catch (Exception e) when (e is OutOfMemoryException or ThreadStartException)
        {
            Mappings.Give(Mappings.OfThread);
            throw Refused(e);
        }
        catch (PlatformNotSupportedException)
        {
            // Browsers have one thread.
            Mappings.Give(Mappings.OfThread);
            throw;
        }
    }

    private static InsufficientMemoryException Refused(Exception? reason) =>
        new("No further thread can be made: the process has nearly as many threads or mappings as the system allows.", reason);

    private static void Run(Action work)
    {
        try
        {
            work();
        }
        finally
        {
            Mappings.Give(Mappings.OfThread);
        }
    }
}
