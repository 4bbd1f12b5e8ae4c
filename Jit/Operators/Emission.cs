using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.Intrinsics;
using WasmJit.Jit.Il;

namespace WasmJit.Jit.Operators;

/// <summary>How a plain operator is emitted: the last column of its row, parsed once.</summary>
internal sealed class Emission
{
    /// <summary>The instruction of a word.</summary>
    private static OpCode OpCodeOf(string text) => text switch
    {
        "add" => OpCodes.Add,
        "sub" => OpCodes.Sub,
        "mul" => OpCodes.Mul,
        "div" => OpCodes.Div,
        "and" => OpCodes.And,
        "or" => OpCodes.Or,
        "xor" => OpCodes.Xor,
        "shl" => OpCodes.Shl,
        "shr" => OpCodes.Shr,
        "shr.un" => OpCodes.Shr_Un,
        "ceq" => OpCodes.Ceq,
        "clt" => OpCodes.Clt,
        "clt.un" => OpCodes.Clt_Un,
        "cgt" => OpCodes.Cgt,
        "cgt.un" => OpCodes.Cgt_Un,
        "conv.i1" => OpCodes.Conv_I1,
        "conv.i2" => OpCodes.Conv_I2,
        "conv.i4" => OpCodes.Conv_I4,
        "conv.i8" => OpCodes.Conv_I8,
        "conv.u8" => OpCodes.Conv_U8,
        "conv.r4" => OpCodes.Conv_R4,
        "conv.r8" => OpCodes.Conv_R8,
        "conv.r.un" => OpCodes.Conv_R_Un,
        "i1" => OpCodes.Ldind_I1,
        "u1" => OpCodes.Ldind_U1,
        "i2" => OpCodes.Ldind_I2,
        "u2" => OpCodes.Ldind_U2,
        "i4" => OpCodes.Ldind_I4,
        "u4" => OpCodes.Ldind_U4,
        "i8" => OpCodes.Ldind_I8,
        "r4" => OpCodes.Ldind_R4,
        "r8" => OpCodes.Ldind_R8,
        "v128" => OpCodes.Ldobj,
        _ => throw new FormatException($"Unknown instruction in the operator table: {text}"),
    };

    /// <summary>The instruction that stores a type.</summary>
    private static OpCode StoreOf(string text) => text switch
    {
        "i1" => OpCodes.Stind_I1,
        "i2" => OpCodes.Stind_I2,
        "i4" => OpCodes.Stind_I4,
        "i8" => OpCodes.Stind_I8,
        "r4" => OpCodes.Stind_R4,
        "r8" => OpCodes.Stind_R8,
        "v128" => OpCodes.Stobj,
        _ => throw new FormatException($"Unknown instruction in the operator table: {text}"),
    };

    /// <summary>A step: an opcode, or the constant to push before the next.</summary>
    internal readonly record struct Step(OpCode Code, int? Constant);

    internal enum EmissionKind : byte { Il, Call, Load, Store, Vector }

    internal EmissionKind Kind { get; private init; }

    internal Step[] Steps { get; private init; } = [];

    internal MethodInfo? Method { get; private init; }

    /// <summary>The methods of vectors to call one after the other.</summary>
    internal MethodInfo[] Methods { get; private init; } = [];

    /// <summary>The bytes that a load or store touches.</summary>
    internal int Width { get; private init; }

    /// <summary>Writes the steps from one on.</summary>
    internal void WriteSteps(IlBuffer il, int from)
    {
        foreach (Step step in Steps.AsSpan(from))
        {
            if (step.Constant is { } constant) il.LdcI4(constant);
            else il.Emit(step.Code);
        }
    }

    internal static Emission Of(Operator op) => op.EmissionCache ??= Parse(op);

    private static Emission Parse(Operator op)
    {
        int colon = op.Emission.IndexOf(':');
        string kind = op.Emission[..colon], rest = op.Emission[(colon + 1)..];
        switch (kind)
        {
            case "il": return new Emission { Kind = EmissionKind.Il, Steps = Array.ConvertAll(rest.Split(','), ParseStep) };
            case "call":
                return new Emission
                {
                    Kind = EmissionKind.Call,
                    Method = FindMethod(op, rest),
                    Width = op.MemArg is { } access ? 1 << access.Number : 0,
                };
            case "vec": return new Emission { Kind = EmissionKind.Vector, Methods = FindVectorMethods(op, rest.Split(',')) };
            case "load":
                {
                    string[] parts = rest.Split(',');
                    return new Emission { Kind = EmissionKind.Load, Steps = Array.ConvertAll(parts, ParseStep), Width = WidthOf(parts[0]) };
                }
            case "store":
                return new Emission { Kind = EmissionKind.Store, Steps = [new Step(StoreOf(rest), null)], Width = WidthOf(rest) };
            default: throw new FormatException($"Unknown emission for {op}: {op.Emission}");
        }
    }

    private static Step ParseStep(string text) =>
        text.StartsWith("ldc.", StringComparison.Ordinal) ? new Step(default, int.Parse(text.AsSpan(4), CultureInfo.InvariantCulture)) : new Step(OpCodeOf(text), null);

    private static int WidthOf(string type) => type == "v128" ? 16 : type[1] - '0';

    /// <summary>Methods of <see cref="Vector128"/>, each with the type of its lanes: all of them the JIT's own.</summary>
    private static MethodInfo[] FindVectorMethods(Operator op, string[] names)
    {
        var methods = new MethodInfo[names.Length];
        for (int i = 0; i < names.Length; i++)
        {
            int colon = names[i].IndexOf(':');
            Type lane = Lanes[names[i][(colon + 1)..]];
            methods[i] = FindVectorMethod(names[i][..colon], lane, i == 0 ? op.Params.Length + (op.HasLane ? 1 : 0) : 1)
                ?? throw new MissingMethodException($"The method {names[i]} of {op} does not exist.");
        }
        return methods;
    }

    internal static MethodInfo? FindVectorMethod(string name, Type lane, int parameters)
    {
        Type vector = typeof(Vector128<>).MakeGenericType(lane);
        foreach (MethodInfo method in typeof(Vector128).GetMethods(BindingFlags.Static | BindingFlags.Public))
        {
            if (method.Name != name || method.GetParameters().Length != parameters) continue;
            if (!method.IsGenericMethodDefinition)
            {
                Type first = method.GetParameters()[0].ParameterType;
                if (first == vector || (first == lane && parameters == 1)) return method;
            }
            else if (method.ReturnType != typeof(bool) && !method.GetParameters().Any(p => p.ParameterType.IsArray))
            {
                MethodInfo made = method.MakeGenericMethod(lane);
                if (made.GetParameters()[0].ParameterType == vector) return made;
            }
        }
        return null;
    }

    private static readonly Dictionary<string, Type> Lanes = new()
    {
        ["i1"] = typeof(sbyte),
        ["u1"] = typeof(byte),
        ["i2"] = typeof(short),
        ["u2"] = typeof(ushort),
        ["i4"] = typeof(int),
        ["u4"] = typeof(uint),
        ["i8"] = typeof(long),
        ["u8"] = typeof(ulong),
        ["r4"] = typeof(float),
        ["r8"] = typeof(double),
    };

    /// <summary>The helper method of a row.</summary>
    internal static MethodInfo FindMethod(Operator op, string name)
    {
        int dot = name.IndexOf('.');
        Type? type = typeof(InstanceCore).Assembly.GetType("WasmJit.Runtime." + name[..dot]);
        return type?.GetMethod(name[(dot + 1)..], BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public)
            ?? throw new MissingMethodException($"The helper {name} of {op} does not exist.");
    }
}
