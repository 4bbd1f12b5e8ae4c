using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// Runs register code, with one loop and one switch. Calls between functions of the same instance stay in it. If something throws, the frames of <see
/// cref="InterpreterThread"/> tell the guest's state.
/// </summary>
/// <remarks>
/// Unsafe: slots are those that the translator gave out, all below <see cref="FunctionState.Slots"/>, and the entry makes room for these. Accesses to
/// memory 0 without a check are below its slot's end, as those of generated code are: index and offset have 32 bits each. Results of 32 bits are
/// written as 64, because a processor that has just written the lower half of a slot waits when it reads the whole.
/// </remarks>
internal static unsafe partial class Interpreter
{
    /// <summary>
    /// Runs a function from outside of the loop. Its arguments are at the top of the thread's interpreter stack, and its results then take their
    /// place. If the function ends with a tail call out of the interpreter, the call is made here, unless the caller makes it.
    /// </summary>
    /// <param name="thread">The thread's stack.</param>
    /// <param name="instance">The function's instance.</param>
    /// <param name="function">The function.</param>
    /// <param name="tails">Whether the caller goes on with <see cref="InterpreterThread.NextCode"/> if it is set.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static void Execute(InterpreterThread thread, InstanceCore instance, FunctionState* function, bool tails)
    {
        byte local;
        // Otherwise the function that is entered looks.
        if (StackGuard.Map is null) StackGuard.Check();
        ulong* fp = thread.Top;
        int rp = thread.RefTop;
        Instruction** outer = thread.At;
        InterpreterFrame* bottom = thread.Sp, frameLimit = thread.FrameLimit;
        ulong* limit = thread.Limit;
        // The limit of a guest's stack limits the interpreter's, too.
        if (WasmThread.Current.StackLimit is var end and not 0) thread.LimitTo((ulong)&local > end ? (ulong)&local - end : 0);
        bool done = false;
        FunctionState* first = function;
        ulong* slots = fp;
        int references = rp;
        Instruction* handler;
        try
        {
            while (true)
            {
                try
                {
                    Run(thread, instance, first, slots, references);
                    while (thread.NextCode is var code and not 0)
                    {
                        CallShape* shape = thread.NextShape;
                        FunctionState* next = thread.NextFunction;
                        if (next is not null && next->Compiled == 0)
                        {
                            thread.NextCode = 0;
                            instance = Unsafe.As<InstanceCore>(thread.NextContext)!;
                            Run(thread, instance, next, fp, rp);
                            continue;
                        }
                        if (tails && shape->Tail != 0)
                        {
                            // The instance may be another than the one that was called.
                            thread.NextOwner = instance;
                            break;
                        }
                        object? context = thread.NextContext;
                        thread.NextCode = 0;
                        thread.NextContext = null;
                        thread.Top = fp + Math.Max(shape->ParamSlots, shape->ResultSlots);
                        thread.RefTop = rp + Math.Max(shape->RefParams, shape->RefResults);
                        InterpreterCalls.Call(thread, context, code, shape, fp, rp);
                        if (shape->RefParams > shape->RefResults) Array.Clear(thread.Refs, rp + shape->RefResults, shape->RefParams - shape->RefResults);
                    }
                    break;
                }
                catch (WasmException e) when ((handler = ExceptionTable.Find(e, thread, instance, bottom)) is not null)
                {
                    slots = fp;
                    references = rp;
                    thread.GoesOnAt = ExceptionTable.Enter(e, handler, thread, bottom, ref slots, ref references);
                    thread.GoesOnFrom = bottom;
                    first = null;
                }
            }
            done = true;
        }
        catch (Exception e) when (InterpretedStack.Note(e, instance, thread, bottom, outer))
        {
            // The filter never takes the exception.
            throw;
        }
        finally
        {
            thread.Top = fp;
            thread.RefTop = rp;
            thread.At = outer;
            thread.Limit = limit;
            thread.FrameLimit = frameLimit;
            if (!done) thread.Unwind(bottom, rp);
            GC.KeepAlive(instance);
        }
    }

    /// <summary>The callee of <c>call_indirect</c>.</summary>
    private static FuncRef Resolve(InstanceCore instance, Instruction* ip, ulong* fp)
    {
        Table table = instance.Tables[ip[1].B | (ip[1].C << 16)];
        return ip[1].A != 0
            ? CodeHelpers.Resolve64(fp[ip->C], table, ip[1].Value, instance, ip[1].Target)
            : CodeHelpers.Resolve32(*(uint*)(fp + ip->C), table, ip[1].Value, instance, ip[1].Target);
    }
}
