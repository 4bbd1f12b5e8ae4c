namespace WasmJit.Wasi;

/// <summary>The run of a program to its end, whatever version of WASI it speaks.</summary>
internal static class ProgramRun
{
    /// <param name="options">What the guest has.</param>
    /// <param name="start">Runs it.</param>
    /// <param name="drain">Waits until what it has written is in the streams.</param>
    /// <returns>The exit code: what <paramref name="start"/> returns, or what the guest ended itself with.</returns>
    internal static int ToEnd(WasiOptions options, Func<int> start, Action drain)
    {
        bool canceled = false;
        try
        {
            return Guest.Run(start, options.Cancellation);
        }
        catch (WasiExitException exit)
        {
            return exit.ExitCode;
        }
        catch (OperationCanceledException)
        {
            canceled = true;
            throw;
        }
        finally
        {
            // A write that was left alone may never end, and a flush behind it neither.
            if (!canceled)
            {
                drain();
                options.Output?.Flush();
                options.Error?.Flush();
            }
        }
    }
}
