namespace WasmJit;

/// <summary>A file system that a guest can use.</summary>
/// <param name="FileSystem">The file system. Several guests can share one.</param>
/// <param name="GuestPath">The guest's name for its root: <c>/</c>, <c>.</c> or any name.</param>
/// <param name="ReadOnly">Whether the guest can change nothing in it.</param>
public sealed record WasiMount(IWasiFileSystem FileSystem, string GuestPath, bool ReadOnly = false);
