using System.Runtime.CompilerServices;

namespace WasmJit.Runtime;

/// <summary>
/// The interpreted functions that an exception has passed. They have no frames in .NET. Each run of the interpreter that an exception leaves notes
/// its functions, innermost run first.
/// </summary>
internal static unsafe class InterpretedStack
{
    private static readonly ConditionalWeakTable<Exception, List<Part>> Parts = [];

    /// <summary>The functions of a run, innermost first, as numbers of an instance's own functions. A deep run has both ends.</summary>
    /// <param name="Services">Gives their names.</param>
    /// <param name="Functions">The functions.</param>
    /// <param name="Instructions">Where in their register code they are.</param>
    /// <param name="Omitted">How many are left out in the middle.</param>
    internal sealed record Part(InstanceServices Services, int[] Functions, int[] Instructions, int Omitted)
    {
        internal void AddTo(List<WasmFrame> frames, bool reversed)
        {
            for (int i = 0; i < Functions.Length; i++)
            {
                if (Omitted > 0 && i == Functions.Length / 2) frames.Add(WasmFrame.Left(Omitted));
                int at = reversed ? Functions.Length - 1 - i : i;
                frames.Add(WasmStackTrace.Parse(Services.NameOf(Functions[at]))!.With(new InterpretedFrame(Services, Functions[at], Instructions[at])));
            }
        }
    }

    /// <summary>
    /// Notes the functions of a run, in an exception filter: the frames from <paramref name="bottom"/> on. It removes them from the stack, because
    /// the filters of runs further out come next, and everything is unwound only after that.
    /// </summary>
    /// <param name="exception">The exception.</param>
    /// <param name="instance">The run's instance.</param>
    /// <param name="thread">The thread's stack.</param>
    /// <param name="bottom">The run's first frame.</param>
    /// <param name="outer">Where the run further out notes its instructions.</param>
    /// <returns>False.</returns>
    internal static bool Note(Exception exception, InstanceCore instance, InterpreterThread thread, InterpreterFrame* bottom, Instruction** outer)
    {
        InterpreterFrame* sp = thread.Sp;
        Instruction** current = thread.At;
        thread.Sp = bottom;
        thread.At = outer;
        try
        {
            const int Ends = ExceptionFrames.KeptAtEachEnd;
            var count = (int)(sp - bottom);
            var functions = new int[count <= 4 * Ends ? count : 2 * Ends];
            var instructions = new int[functions.Length];
            for (int i = 0; i < functions.Length; i++)
            {
                int depth = i < functions.Length / 2 ? i : i + count - functions.Length;
                FunctionState* function = sp[-1 - depth].Function;
                functions[i] = function->Index;
                // A frame has where its caller goes on.
                Instruction* at = depth == 0 ? *current : sp[-depth].Ip - 1;
                // Loads and stores do not note where they are.
                if (depth == 0 && function->Translated is not null && InterpreterFault.IsOne(exception)) at = InterpreterFault.Find(function, thread, instance.Memory0Base, (ulong*)current);
                long index = at is not null && function->Translated is not null ? at - function->Translated : -1;
                instructions[i] = index is >= 0 and <= int.MaxValue ? (int)index : -1;
            }
            Parts.GetOrCreateValue(exception).Add(new Part(instance.Services, functions, instructions, count - functions.Length));
        }
        catch (OutOfMemoryException)
        {
            // The stack trace lacks these functions then.
        }
        return false;
    }

    /// <summary>The runs noted for an exception. The last belongs to its last throw.</summary>
    internal static List<Part> Of(Exception exception) => Parts.TryGetValue(exception, out List<Part>? parts) ? parts : [];

    /// <summary>
    /// The text of a stack trace with the interpreted functions where their run stands in it. Functions of the exception that a trap was made of come
    /// first: its own trace has only frames of .NET.
    /// </summary>
    internal static string? Complete(Exception exception, string? trace)
    {
        const string Run = $"{nameof(WasmJit)}.{nameof(Runtime)}.{nameof(Interpreter)}.{nameof(Interpreter.Execute)}(";
        List<Part> inner = exception.InnerException is { } cause ? Of(cause) : [], parts = Of(exception);
        if (trace is null || (inner.Count == 0 && parts.Count == 0)) return trace;
        var text = new System.Text.StringBuilder();
        foreach (Part part in inner) Append(text, part);
        string[] lines = trace.Split(Environment.NewLine);
        int next = Math.Max(0, parts.Count - lines.Count(line => line.Contains(Run, StringComparison.Ordinal)));
        for (int i = 0; i < lines.Length; i++)
        {
            if (next < parts.Count && lines[i].Contains(Run, StringComparison.Ordinal)) Append(text, parts[next++]);
            text.Append(lines[i]);
            if (i < lines.Length - 1) text.AppendLine();
        }
        return text.ToString();
    }

    private static void Append(System.Text.StringBuilder text, Part part)
    {
        var frames = new List<WasmFrame>();
        part.AddTo(frames, reversed: false);
        foreach (WasmFrame frame in frames) text.Append("   at ").Append(WasmStackTrace.Prefix).Append(frame).AppendLine();
    }

    /// <summary>Whether a frame of .NET is the loop of a run, which loads and stores itself; what it calls has frames of its own.</summary>
    internal static bool IsLoop(System.Reflection.MethodBase? method) =>
        method?.DeclaringType == typeof(Interpreter) && method.Name is nameof(Interpreter.Run) or nameof(Interpreter.Execute);

    /// <summary>Whether a frame of .NET is a run of the interpreter.</summary>
    internal static bool IsRun(System.Reflection.MethodBase? method) =>
        method?.DeclaringType == typeof(Interpreter) && method.Name == nameof(Interpreter.Execute);
}
