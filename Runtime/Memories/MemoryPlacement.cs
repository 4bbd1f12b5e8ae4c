namespace WasmJit.Runtime;

/// <summary>What address space a memory gets.</summary>
/// <param name="IsGuarded">A slot with guard pages, if its type can have one: code may leave checks to them.</param>
/// <param name="Reservation">The most that memories without guard pages reserve, in bytes; null for what they may grow to.</param>
internal readonly record struct MemoryPlacement(bool IsGuarded, long? Reservation = null);
