using WasmJit.Jit.Interpreter;
using WasmJit.Runtime;

namespace WasmJit.Tests;

/// <summary>What translation asks for where nothing is run.</summary>
internal sealed unsafe class NoTarget : IRegisterTarget
{
    public bool IsInterruptible => false;

    public bool CountsFuel => false;

    public bool TakesAll => false;

    public int? SlotsOfSpilling => null;

    public FunctionState* StateOf(int func) => null;

    public CallShape* ShapeOf(DefType type) => null;

    public CallShape* TailShapeOf(DefType type) => null;

    public bool NeedsChecks(MemoryType memory) => false;
}
