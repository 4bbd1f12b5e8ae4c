namespace WasmJit.Runtime;

/// <summary>The context of a function in a table that is no function: whoever calls it through the table gets the trap that it names.</summary>
internal interface ISlotTrap
{
    /// <summary>The trap.</summary>
    TrapException Trap { get; }
}
