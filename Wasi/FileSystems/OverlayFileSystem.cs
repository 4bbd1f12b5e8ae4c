namespace WasmJit;

/// <summary>
/// A file system that looks like another one, and whose changes are kept in memory: what a guest writes, removes or moves does not touch the one below. A
/// file is copied when it is first changed. What is changed below meanwhile may or may not be seen.
/// </summary>
/// <param name="below">The file system that it looks like, a <see cref="HostFileSystem"/> or <see cref="ArchiveFileSystem"/> for instance.</param>
/// <param name="time">The clock of files that are changed; the system's if null.</param>
public sealed class OverlayFileSystem(IWasiFileSystem below, TimeProvider? time = null)
    : MemoryFileSystem(time, (below ?? throw new ArgumentNullException(nameof(below))).Root);
