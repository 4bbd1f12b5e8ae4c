namespace WasmJit.Runtime;

/// <summary>
/// Something that the emitter relied on is not so: a fault of the emitter. Only code of the verifying mode throws it
/// (<see cref="EmitterAssertions"/>); neither guests nor filters of traps catch it.
/// </summary>
internal sealed class EmitterAssertionException(string message) : Exception(message);
