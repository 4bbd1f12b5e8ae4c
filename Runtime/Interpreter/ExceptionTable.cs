namespace WasmJit.Runtime;

/// <summary>What an entry of a function's handlers does.</summary>
[Flags]
internal enum HandlerTraits : ushort
{
    None,

    /// <summary>It takes every exception of WebAssembly, and no values; otherwise those of its tag.</summary>
    All = 1,

    /// <summary>The exception itself follows the values.</summary>
    GivesReference = 2,

    /// <summary>The exception itself lies below the values: <c>rethrow</c> needs it.</summary>
    KeepsException = 4,

    /// <summary>It hands exceptions to the handlers of another try, or to the caller.</summary>
    Delegates = 8,

    /// <summary>It is none: the list ends.</summary>
    End = 16,
}

/// <summary>
/// The handlers of interpreted functions. They lie behind a function's code, those of inner tries before those of outer ones, each in two instructions: B and C of the first
/// are where values and references go, its Imm the first instruction of the try's body and that behind the last, and A its <see cref="HandlerTraits"/>. Of the second Target
/// is where the code goes on, Value the tag (or the try to which exceptions are handed), and A and B are the number of the try. Tries are numbered in the order of
/// their beginnings.
/// </summary>
/// <remarks>Unsafe: entries and slots are those that the translator gave out.</remarks>
internal static unsafe class ExceptionTable
{
    /// <summary>The number of the try that stands for the caller.</summary>
    internal const int Caller = -1;

    private const int Length = 2;

    /// <summary>The exception of <c>throw</c>, with its values.</summary>
    internal static WasmException Make(InterpreterThread thread, InstanceCore instance, Instruction* ip, ulong* fp, int rp)
    {
        WasmException made = ExceptionHelpers.Make(instance, ip->Target);
        PayloadLayout layout = made.TagField.Layout;
        for (int i = 0; i < layout.Words; i++) made.Word(i) = fp[ip->A + i];
        for (int i = 0; i < layout.Refs; i++) made.Ref(i) = thread.Refs[rp + ip->B + i];
        return made;
    }

    /// <summary>
    /// Looks for the handler of an exception among the frames of a run, in an exception filter: inner runs have removed theirs (<see cref="InterpretedStack.Note"/>).
    /// </summary>
    /// <param name="exception">The exception.</param>
    /// <param name="thread">The thread's stack; it keeps the frame.</param>
    /// <param name="instance">The run's instance.</param>
    /// <param name="bottom">The run's first frame.</param>
    /// <returns>The entry; null if no function of the run handles the exception.</returns>
    internal static Instruction* Find(WasmException exception, InterpreterThread thread, InstanceCore instance, InterpreterFrame* bottom)
    {
        Instruction* at = *thread.At;
        for (InterpreterFrame* frame = thread.Sp - 1; frame >= bottom; frame--)
        {
            FunctionState* function = frame->Function;
            if (function->Handlers != 0)
            {
                Instruction* entry = Match(function, (int)(at - function->Translated), exception, instance);
                if (entry is not null)
                {
                    thread.Handling = frame;
                    return entry;
                }
            }
            at = frame->Ip - 1;
        }
        return null;
    }

    private static Instruction* Match(FunctionState* function, int at, WasmException exception, InstanceCore instance)
    {
        int innermost = int.MaxValue;
        for (Instruction* entry = function->Translated + function->Handlers; ; entry += Length)
        {
            var traits = (HandlerTraits)entry->A;
            if (traits == HandlerTraits.End) return null;
            if (at < entry->Target || at >= entry->Value || (entry[1].A | (entry[1].B << 16)) > innermost) continue;
            if ((traits & HandlerTraits.Delegates) != 0)
            {
                innermost = entry[1].Value;
                if (innermost == Caller) return null;
            }
            else if ((traits & HandlerTraits.All) != 0 || ReferenceEquals(exception.TagField, instance.Tags[entry[1].Value]))
            {
                return entry;
            }
        }
    }

    /// <summary>Forgets the frames above the one that handles an exception, and gives it the values.</summary>
    /// <param name="exception">The exception.</param>
    /// <param name="entry">The handler.</param>
    /// <param name="thread">The thread's stack.</param>
    /// <param name="bottom">The run's first frame.</param>
    /// <param name="fp">The run's first slot; then the frame's.</param>
    /// <param name="rp">The run's first reference; then the frame's.</param>
    /// <returns>Where the code goes on.</returns>
    internal static Instruction* Enter(WasmException exception, Instruction* entry, InterpreterThread thread, InterpreterFrame* bottom, ref ulong* fp, ref int rp)
    {
        InterpreterFrame* frame = thread.Handling;
        FunctionState* function = frame->Function;
        if (frame != bottom)
        {
            // The frame begins at the arguments of the call. All calls but the simple one have a word behind them.
            Instruction* call = frame->Ip - 1;
            if (call->Op != RegisterOp.Call) call--;
            fp = frame->Fp + call->A;
            rp = frame->Rp + call->B;
        }
        thread.Unwind(frame + 1, rp + function->RefSlots);
        var traits = (HandlerTraits)entry->A;
        object?[] refs = thread.Refs;
        int reference = rp + entry->C;
        if ((traits & HandlerTraits.KeepsException) != 0) refs[reference++] = exception;
        if ((traits & HandlerTraits.All) == 0)
        {
            PayloadLayout layout = exception.TagField.Layout;
            for (int i = 0; i < layout.Words; i++) fp[entry->B + i] = exception.Word(i);
            for (int i = 0; i < layout.Refs; i++) refs[reference++] = exception.Ref(i);
        }
        if ((traits & HandlerTraits.GivesReference) != 0) refs[reference] = exception;
        return function->Translated + entry[1].Target;
    }
}
