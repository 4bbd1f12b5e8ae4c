namespace WasmJit.Runtime;

/// <summary>The context of a table's slot that holds no function. A call through the slot gets the trap that it names.</summary>
internal interface ISlotTrap
{
    /// <summary>The trap.</summary>
    TrapException Trap { get; }
}
