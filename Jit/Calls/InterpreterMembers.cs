using System.Reflection;
using WasmJit.Runtime;

namespace WasmJit.Jit.Calls;

/// <summary>Members of the interpreter that methods made for signatures use. They are apart, so that who makes none need not have them.</summary>
internal static class InterpreterMembers
{
    internal const BindingFlags Any = BindingFlags.Static | BindingFlags.Instance | BindingFlags.NonPublic;

    internal static readonly FieldInfo Refs = typeof(InterpreterThread).GetField(nameof(InterpreterThread.Refs), Any)!;
    internal static readonly FieldInfo NextCode = typeof(InterpreterThread).GetField(nameof(InterpreterThread.NextCode), Any)!;
    internal static readonly FieldInfo NextOwner = typeof(InterpreterThread).GetField(nameof(InterpreterThread.NextOwner), Any)!;
    internal static readonly FieldInfo TailEntry = typeof(InterpreterThread).GetField(nameof(InterpreterThread.TailEntry), Any)!;
    internal static readonly FieldInfo TailCode = typeof(InterpreterThread).GetField(nameof(InterpreterThread.TailCode), Any)!;
    internal static readonly FieldInfo Top = typeof(InterpreterThread).GetField(nameof(InterpreterThread.Top), Any)!;
    internal static readonly FieldInfo RefTop = typeof(InterpreterThread).GetField(nameof(InterpreterThread.RefTop), Any)!;
    internal static readonly MethodInfo SetRef = EntryThunk.Method(typeof(InterpreterThread), nameof(InterpreterThread.SetRef));
    internal static readonly MethodInfo TakeRef = EntryThunk.Method(typeof(InterpreterThread), nameof(InterpreterThread.TakeRef));
    internal static readonly MethodInfo CurrentThread = typeof(InterpreterThread).GetProperty(nameof(InterpreterThread.Current), Any)!.GetMethod!;
    internal static readonly MethodInfo Enter = typeof(InterpreterCalls).GetMethod(nameof(InterpreterCalls.Enter), Any, [typeof(InstanceCore), typeof(int), typeof(InterpreterThread)])!;
}
