using WasmJit.Linking;

namespace WasmJit.DynamicLinking;

/// <summary>
/// A further thread of a program with a shared memory. Code that runs through it has a stack and thread-local variables of its own, and the same
/// memory. Any thread of the host may run it, one at a time. The first thread opens and closes libraries; they are here, too, when that is done.
/// Meanwhile this thread must not run.
/// </summary>
public sealed class DynamicThread : IDisposable
{
    private readonly DynamicLinker linker;
    private bool isDisposed;

    internal DynamicThread(DynamicLinker linker, ThreadImage image)
    {
        this.linker = linker;
        Image = image;
    }

    internal ThreadImage Image { get; }

    /// <summary>A function of a library, or of one that it needs, as this thread runs it.</summary>
    /// <typeparam name="T">As of <see cref="Instance.GetExport{T}"/>.</typeparam>
    /// <param name="library">The library, or the program.</param>
    /// <param name="name">The symbol.</param>
    /// <exception cref="DynamicLinkException">There is no such function.</exception>
    /// <exception cref="InvalidCastException">It has another signature.</exception>
    /// <exception cref="ObjectDisposedException">The library has been unloaded, or this is disposed of.</exception>
    public T GetFunction<T>(DynamicLibrary library, string name)
        where T : Delegate
    {
        using (linker.Enter())
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            return Image.InstanceOf(library.DefinerOf(name, ExternKind.Func)).GetExport<T>(name);
        }
    }

    /// <summary>The address of a variable, of a library or of one that it needs; of a thread-local variable this thread's address.</summary>
    /// <param name="library">The library, or the program.</param>
    /// <param name="name">The symbol.</param>
    /// <exception cref="DynamicLinkException">There is no such variable.</exception>
    /// <exception cref="ObjectDisposedException">The library has been unloaded, or this is disposed of.</exception>
    public ulong GetAddress(DynamicLibrary library, string name)
    {
        using (linker.Enter())
        {
            ObjectDisposedException.ThrowIf(isDisposed, this);
            return Image.AddressOf(library.DefinerOf(name, ExternKind.Global), name);
        }
    }

    /// <summary>
    /// The thread has ended, while others run. Its memory is freed when one of them comes to the linker: only they may call the program's allocator.
    /// </summary>
    internal void Retire()
    {
        using (linker.Enter())
        {
            if (isDisposed) return;
            isDisposed = true;
            linker.Retire(this);
        }
    }

    /// <summary>Frees stack and thread-local variables. The thread must not run any more.</summary>
    public void Dispose()
    {
        using (linker.Enter())
        {
            if (isDisposed) return;
            isDisposed = true;
            linker.Remove(this);
        }
    }
}
